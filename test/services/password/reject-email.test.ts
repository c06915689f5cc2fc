import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DAY } from '../../../src/core/time.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { accountsModule } from '../../../src/index.ts';
import { codeOf, createAccounts, createClock, PASSWORD } from '../../accounts.ts';
import { mortal } from '../magic-link/accounts.ts';

const VICTIM = 'victim@example.com';

describe('S39 whoever gets the mail of an account that somebody else made', () => {
  test('is told how to say so', async () => {
    const { service, signUp, server, mails } = createAccounts();
    await signUp({ email: VICTIM });
    await service.sendVerificationEmail(VICTIM);
    await server.settled();
    const mail = mails.at(-1);
    for (const text of [mail?.text, mail?.html]) {
      expect(text).toContain('An account was made');
      expect(text).toContain('This was not me');
    }
  });

  test('frees the address, ends the sessions, and what has no other name left is deactivated', async () => {
    const { service, server, signUp, logIn, linkTo, db } = createAccounts();
    const told: unknown[] = [];
    server.on('RejectEmailSuccess', ({ user }) => told.push(['RejectEmailSuccess', user.id, user.emails]));
    server.on('DeactivateUserSuccess', ({ userId }) => told.push(['DeactivateUserSuccess', userId]));
    const id = await signUp({ email: VICTIM });
    const { tokens } = await logIn(VICTIM);
    await service.sendVerificationEmail(VICTIM);
    await service.rejectEmail(await linkTo(VICTIM, 'verify-email'));
    expect(await server.findUserById(id)).toMatchObject({ emails: [], deactivated: true });
    expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    expect(await db.identities.find('email', VICTIM)).toBeNull();
    expect(told).toEqual([
      ['RejectEmailSuccess', id, []],
      ['DeactivateUserSuccess', id],
    ]);
    // The owner signs up.
    const own = await signUp({ email: VICTIM }, 'another good password');
    expect(own).not.toBe(id);
    expect((await logIn(VICTIM, 'another good password')).user.id).toBe(own);
  });

  test('leaves an account that has a username, without its sessions and the links to the address', async () => {
    const { service, server, signUp, logIn, linkTo } = createAccounts();
    const id = await signUp({ email: VICTIM, username: 'stranger' });
    const { tokens } = await logIn('stranger');
    await service.sendResetPasswordEmail(VICTIM);
    await service.sendVerificationEmail(VICTIM);
    const reset = await linkTo(VICTIM, 'reset-password');
    await service.rejectEmail(await linkTo(VICTIM, 'verify-email'));
    expect(await server.findUserById(id)).toMatchObject({ emails: [], deactivated: false });
    expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    expect(await codeOf(service.resetPassword(reset, 'another good password'))).toBe('INVALID_TOKEN');
    expect((await logIn('stranger')).user.id).toBe(id);
  });

  test('takes an address that was added off, and leaves the account of who mistyped it', async () => {
    const { service, server, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'ada@example.com' });
    await service.addEmail(id, VICTIM);
    await service.rejectEmail(await linkTo(VICTIM, 'verify-email'));
    expect(await server.findUserById(id)).toMatchObject({
      emails: [{ address: 'ada@example.com' }],
      deactivated: false,
    });
  });

  test('leaves an account that is entered by something else', async () => {
    const { service, server, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'ada@example.com', username: 'ada' });
    await service.addEmail(id, VICTIM);
    await service.removeEmail(id, 'ada@example.com');
    await service.rejectEmail(await linkTo(VICTIM, 'verify-email'));
    expect(await server.findUserById(id)).toMatchObject({ emails: [], username: 'ada', deactivated: false });
  });

  test('has a stranger told with EMAIL_NOT_FOUND when the address is removed afterwards', async () => {
    const { service, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: VICTIM, username: 'stranger' });
    await service.sendVerificationEmail(VICTIM);
    await service.rejectEmail(await linkTo(VICTIM, 'verify-email'));
    expect(await codeOf(service.removeEmail(id, VICTIM))).toBe('EMAIL_NOT_FOUND');
  });

  test('S28 by a link of another kind, a used, an old or a replaced one: nothing', async () => {
    const { service, server, signUp, linkTo, clock } = createAccounts();
    const told: unknown[] = [];
    server.on('RejectEmailError', ({ error }) => told.push(error.code));
    const id = await signUp({ email: VICTIM });
    await service.sendResetPasswordEmail(VICTIM);
    const links = [await linkTo(VICTIM, 'reset-password')];
    await service.sendVerificationEmail(VICTIM);
    links.push(await linkTo(VICTIM, 'verify-email'));
    await service.sendVerificationEmail(VICTIM);
    const last = await linkTo(VICTIM, 'verify-email');
    for (const link of links) expect(await codeOf(service.rejectEmail(link))).toBe('INVALID_TOKEN');
    clock.pass(3 * DAY);
    expect(await codeOf(service.rejectEmail(last))).toBe('INVALID_TOKEN');
    for (const input of [undefined, null, '', 7, { $ne: null }]) {
      expect(await codeOf(service.rejectEmail(input as string))).toBe('INVALID_TOKEN');
    }
    expect((await server.findUserById(id))?.emails).toHaveLength(1);
    expect(told).toEqual(Array(8).fill('INVALID_TOKEN'));
  });

  test('of two answers to one mail the first counts, also when they come at once', async () => {
    for (const order of [0, 1]) {
      const { service, server, signUp, linkTo } = createAccounts();
      const id = await signUp({ email: VICTIM, username: 'ada' });
      await service.sendVerificationEmail(VICTIM);
      const link = await linkTo(VICTIM, 'verify-email');
      const answers = [() => service.verifyEmail(link), () => service.rejectEmail(link)];
      if (order) answers.reverse();
      const codes = await Promise.all(answers.map((answer) => codeOf(answer())));
      expect(codes.sort()).toEqual(['INVALID_TOKEN', 'not refused']);
      const emails = (await server.findUserById(id))?.emails ?? [];
      expect(emails.every(({ verified }) => verified)).toBe(true);
      expect(await codeOf(service.rejectEmail(link))).toBe('INVALID_TOKEN');
    }
  });

  test('S54 who is cut off at any call of the store does it again, by the same link or a new one', async () => {
    const run = async (dieAt: number) => {
      const db = memoryDatabase();
      const { now } = createClock();
      const before = createAccounts({ db, now });
      const id = await before.signUp({ email: VICTIM });
      const { tokens } = await before.logIn(VICTIM);
      await before.service.sendVerificationEmail(VICTIM);
      const link = await before.linkTo(VICTIM, 'verify-email');
      const { dying, calls } = mortal(db, dieAt);
      await codeOf(createAccounts({ db: dying, now }).service.rejectEmail(link));
      return { db, now, id, tokens, link, calls: calls() };
    };
    const { calls } = await run(Number.POSITIVE_INFINITY);
    for (let at = 1; at <= calls; at++) {
      const { db, now, id, tokens, link } = await run(at);
      // A name that was given up and not freed counts as free a little later.
      const after = createAccounts({ db, now: () => now() + 10_000 });
      await codeOf(after.service.rejectEmail(link));
      expect(await after.server.findUserById(id), `cut off at ${at}`).toMatchObject({
        emails: [],
        deactivated: true,
      });
      expect(await codeOf(after.server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await after.signUp({ email: VICTIM })).not.toBe(id);
    }
  });

  test('says so over GraphQL, without a session', async () => {
    const { server, service, signUp, linkTo } = createAccounts();
    await signUp({ email: VICTIM });
    await service.sendVerificationEmail(VICTIM);
    const schema = makeExecutableSchema(accountsModule(server));
    const source = `mutation { rejectEmail(token: "${await linkTo(VICTIM, 'verify-email')}") }`;
    expect(await graphql({ schema, source })).toEqual({ data: { rejectEmail: true } });
    expect(await service.findUserByEmail(VICTIM)).toBeNull();
  });
});

test('S39 a verification keeps password and sessions', async () => {
  const { service, server, signUp, logIn, linkTo } = createAccounts();
  await signUp({ email: VICTIM });
  const { tokens } = await logIn(VICTIM);
  await service.sendVerificationEmail(VICTIM);
  await service.verifyEmail(await linkTo(VICTIM, 'verify-email'));
  expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('not refused');
  expect(await codeOf(logIn(VICTIM, PASSWORD))).toBe('not refused');
});

describe('S41 the proved addresses of an account', () => {
  const OLD = 'old@example.com';
  const NEW = 'new@example.com';

  async function start() {
    const accounts = createAccounts();
    const id = await accounts.signUp({ email: OLD, username: 'ada' });
    await accounts.service.sendVerificationEmail(OLD);
    await accounts.service.verifyEmail(await accounts.linkTo(OLD, 'verify-email'));
    await accounts.server.settled();
    accounts.mails.length = 0;
    const told = async () => {
      await accounts.server.settled();
      const notices = accounts.mails.filter(({ subject }) => /was (added|removed)/.test(subject));
      accounts.mails.length = 0;
      return notices.map(({ to, subject }) => `${to}: ${subject}`);
    };
    return { ...accounts, id, told };
  }
  const ADDED = 'An e-mail address was added to your account';
  const REMOVED = 'An e-mail address was removed from your account';

  test('are told when another one is added, confirmed and removed', async () => {
    const { service, id, told, linkTo } = await start();
    await service.addEmail(id, NEW);
    const link = await linkTo(NEW, 'verify-email');
    expect(await told()).toEqual([`${OLD}: ${ADDED}`]);
    // Not once more for one that is listed already.
    await service.addEmail(id, NEW);
    expect(await told()).toEqual([]);
    expect(await codeOf(service.verifyEmail(link))).toBe('INVALID_TOKEN');
    await service.sendVerificationEmail(OLD);
    expect(await told()).toEqual([]);
  });

  test('are told of one that is confirmed, and the removed one is told as well', async () => {
    const { service, id, told, linkTo } = await start();
    await service.addEmail(id, NEW);
    const link = await linkTo(NEW, 'verify-email');
    await told();
    await service.verifyEmail(link);
    expect(await told()).toEqual([`${OLD}: ${ADDED}`]);
    await service.removeEmail(id, OLD);
    expect((await told()).sort()).toEqual([`${NEW}: ${REMOVED}`, `${OLD}: ${REMOVED}`]);
  });

  test('are told of one that the application has added, and of an unproved one that is removed', async () => {
    const { service, id, told } = await start();
    await service.addEmail(id, NEW, true);
    expect(await told()).toEqual([`${OLD}: ${ADDED}`]);
    await service.addEmail(id, 'typo@example.com');
    await told();
    await service.removeEmail(id, 'typo@example.com');
    expect((await told()).sort()).toEqual([`${NEW}: ${REMOVED}`, `${OLD}: ${REMOVED}`]);
  });

  test('are told nothing of an address that was not added after all', async () => {
    const { service, id, told } = await start();
    const gone = () => Promise.reject(new Error('logged out'));
    await codeOf(service.addEmail(id, NEW, false, gone));
    expect(await told()).toEqual([]);
  });

  test('need a recent login to be added and removed over GraphQL', async () => {
    const { server, service, id, clock, logIn } = await start();
    const { tokens } = await logIn(OLD);
    clock.pass(11 * 60_000);
    const live = () => server.resumeLiveSession(tokens.accessToken);
    expect(await codeOf(async () => server.requireRecent(await live()))).toBe('RECENT_LOGIN_REQUIRED');
    const caller = {
      connection: { ip: null, userAgent: null },
      session: live,
      requireRecent: (session: Parameters<typeof server.requireRecent>[0]) => server.requireRecent(session),
    };
    const { Mutation } = service.operations;
    for (const [field, args] of [
      ['addEmail', { newEmail: NEW }],
      ['removeEmail', { email: 'not one of mine' }],
    ] as const) {
      const work = async () => Mutation?.[field]?.(args as never, caller as never);
      expect(await codeOf(work)).toBe('RECENT_LOGIN_REQUIRED');
    }
    expect((await server.findUserById(id))?.emails).toHaveLength(1);
  });
});
