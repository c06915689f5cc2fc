import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { codeOf, createClock } from '../../accounts.ts';
import { createMailed, identitiesOf, mortal, prepare, SECOND_CODE } from './accounts.ts';

const VICTIM = 'victim@example.com';
const NEW = 'another good password';

type Mailed = ReturnType<typeof createMailed>;

/** Every way by which the owner of an address proves it without the account's password. */
const WAYS: {
  way: string;
  ask(m: Mailed): Promise<string>;
  prove(m: Mailed, secret: string): Promise<unknown>;
}[] = [
  { way: 'a magic link', ask: (m) => m.link(VICTIM), prove: (m, token) => m.byLink(token) },
  { way: 'a code', ask: (m) => m.code(VICTIM), prove: (m, typed) => m.byCode(VICTIM, typed) },
  {
    way: 'a reset',
    ask: async ({ service, newest }) => {
      await service.sendResetPasswordEmail(VICTIM);
      return newest(VICTIM, /\/reset-password\/([\w-]+)/);
    },
    prove: ({ service }, token) => service.resetPassword(token, NEW),
  },
];

/** Signs the victim up as a stranger does, who leaves what can be left. */
async function preHijack(m: Mailed) {
  const id = await m.signUp(VICTIM, { username: 'stranger' });
  const { tokens } = await m.byPassword(VICTIM);
  await m.service.addEmail(id, 'stranger@example.com');
  const verification = await m.newest('stranger@example.com', /\/verify-email\/([\w-]+)/);
  await m.service.sendVerificationEmail(VICTIM);
  await prepare(m.db, id);
  const refused = await m.byPassword(VICTIM).catch((error: { extensions: { challenge: string } }) => error);
  const { challenge } = (refused as { extensions: { challenge: string } }).extensions;
  return { id, tokens, verification, challenge };
}

describe.each(WAYS)('S39 the first proof of an address by $way', ({ way, ask, prove }) => {
  const credentials = way === 'a reset' ? ['password'] : [];
  const left = (id: string) =>
    [`email ${VICTIM}`, ...credentials.map((name) => `${name} ${id}`), 'username stranger'].sort();

  test('leaves nothing of what a stranger has prepared', async () => {
    const m = createMailed();
    const { id, tokens, verification, challenge } = await preHijack(m);
    const secret = await ask(m);
    await prove(m, secret);
    expect(await identitiesOf(m.db, id)).toEqual(left(id));
    expect((await m.server.findUserById(id))?.emails).toEqual([{ address: VICTIM, verified: true }]);
    expect(await codeOf(m.server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    expect(await codeOf(m.server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await codeOf(m.byPassword(VICTIM))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(m.byPassword('stranger'))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(m.service.verifyEmail(verification))).toBe('INVALID_TOKEN');
    expect(await codeOf(m.server.loginWithService('factor', { token: challenge, code: SECOND_CODE }))).toBe(
      'INVALID_TOKEN',
    );
    expect(await codeOf(prove(m, secret))).toMatch(/^INVALID_(TOKEN|CODE)$/);
  });

  test('takes nothing from an account whose address was proved before', async () => {
    const m = createMailed();
    const id = await m.signUp(VICTIM);
    await m.verify(VICTIM);
    const planted = await prepare(m.db, id);
    const { accessToken } = (await m.server.loginWithUser({ id }, {}, { skipSecondFactor: true })).tokens;
    await codeOf(prove(m, await ask(m)));
    const services = (await m.db.identities.findByUser(id)).map(({ service }) => service);
    expect(services.sort()).toEqual(['email', ...planted].sort());
    const ended = way === 'a reset' ? 'UNAUTHENTICATED' : 'not refused';
    expect(await codeOf(m.server.resumeSession(accessToken))).toBe(ended);
  });

  test('gives nothing to a password that was being checked at that time', async () => {
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let isGated = false;
    const m = createMailed({
      passwords: {
        verifyPassword: async (typed, hash) => {
          if (isGated) {
            reached.resolve();
            await gate.promise;
          }
          return hash === `plain ${typed}`;
        },
      },
    });
    const id = await m.signUp(VICTIM);
    const secret = await ask(m);
    isGated = true;
    const strangers = codeOf(m.byPassword(VICTIM));
    await reached.promise;
    isGated = false;
    const login = prove(m, secret);
    // The owner goes on and sets a password, which must not be taken for the one that was there.
    await login;
    await m.service.setPassword(id, NEW);
    const own = (await m.byPassword(VICTIM, NEW)).sessionId;
    gate.resolve();
    expect(await strangers).toBe('INVALID_CREDENTIALS');
    expect((await m.db.sessions.findByUser(id)).map((session) => session.id)).toEqual([own]);
  });

  test('S54 that is cut off at any call of the store can be given again, and then leaves nothing', async () => {
    const { calls } = await dieAt(Number.POSITIVE_INFINITY);
    expect(calls).toBeGreaterThan(20);
    for (let at = 1; at <= calls; at++) {
      const { db, now, id, tokens } = await dieAt(at);
      const m = createMailed({ options: { db }, now });
      const proved = await prove(m, await ask(m)).catch((error: unknown) => error);
      if (proved instanceof Error) throw new Error(`cut off at ${at}: ${proved.message}`);
      expect(await identitiesOf(db, id), `cut off at ${at}`).toEqual(left(id));
      expect((await m.server.findUserById(id))?.emails).toEqual([{ address: VICTIM, verified: true }]);
      expect(await codeOf(m.server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(m.byPassword(VICTIM))).toBe('INVALID_CREDENTIALS');
    }
  });

  /** A first proof in a process that dies at that call of its store. */
  async function dieAt(at: number) {
    const db: AccountsDatabase = memoryDatabase();
    const { now } = createClock();
    const before = createMailed({ options: { db }, now });
    const { id, tokens } = await preHijack(before);
    const secret = await ask(before);
    const { dying, calls } = mortal(db, at);
    await codeOf(prove(createMailed({ options: { db: dying }, now }), secret));
    return { db, now, id, tokens, calls: calls() };
  }
});

test('S39 an address that a stranger adds while the takeover goes on is gone after it, and so is its link', async () => {
  const db = memoryDatabase();
  const { now } = createClock();
  const stranger = createMailed({ options: { db }, now });
  const id = await stranger.signUp(VICTIM);
  let steps: (() => Promise<unknown>)[] = [];
  const then = async <T>(done: T): Promise<T> => {
    await steps.shift()?.();
    return done;
  };
  const { revokeAll } = db.sessions;
  const owner = createMailed({
    options: {
      db: {
        ...db,
        users: { ...db.users, update: async (user) => then(await db.users.update(user)) },
        sessions: { ...db.sessions, revokeAll: async (...given) => then(await revokeAll(...given)) },
      },
    },
    now,
  });
  const token = await owner.link(VICTIM);
  let isThere = async (): Promise<unknown> => undefined;
  steps = [
    // The sessions have ended, the password is still there.
    async () => {
      const { tokens } = await stranger.byPassword(VICTIM);
      isThere = () => stranger.server.resumeSession(tokens.accessToken);
    },
    // The address is proved, and the others are dropped.
    async () => {
      await stranger.service.addEmail(id, 'stranger@example.com', false, isThere);
      await stranger.server.settled();
    },
  ];
  await owner.byLink(token);
  const link = await stranger.newest('stranger@example.com', /\/verify-email\/([\w-]+)/);
  expect(await codeOf(isThere())).toBe('UNAUTHENTICATED');
  expect((await owner.server.findUserById(id))?.emails).toEqual([{ address: VICTIM, verified: true }]);
  expect(await codeOf(stranger.service.verifyEmail(link))).toBe('INVALID_TOKEN');
});

test('S39 an address that somebody else has proved meanwhile opens nothing', async () => {
  const m = createMailed();
  await m.signUp(VICTIM);
  const token = await m.link(VICTIM);
  const other = await m.signUp('other@example.com');
  // As a store that lost a claim would have it: the address is another's now.
  const [claim] = [await m.db.identities.find('email', VICTIM)];
  if (!claim) throw new Error('the address is nobody’s');
  await m.db.identities.update({ ...claim, userId: other });
  expect(await codeOf(m.byLink(token))).toBe('INVALID_TOKEN');
});
