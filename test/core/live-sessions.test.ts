import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LiveSessions } from '../../src/core/live-sessions.ts';
import type { Sessions } from '../../src/core/sessions.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import type { AccountsError, AccountsServerOptions } from '../../src/index.ts';
import { codeOf, countQueries, createAccounts } from '../accounts.ts';

const INTERVAL = 1_500;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Lets intervals begin, each with time for its check. */
async function intervals(count: number): Promise<void> {
  for (let begun = 0; begun < count; begun++) {
    vi.advanceTimersByTime(INTERVAL);
    for (let turns = 0; turns < 5; turns++) await turn();
  }
}

/** How many begin within five seconds. */
const WITHIN_FIVE_SECONDS = 3;

async function loggedIn(options: Partial<AccountsServerOptions> = {}) {
  const accounts = createAccounts(options);
  const userId = await accounts.signUp({ username: 'ada' });
  const { sessionId, tokens } = await accounts.logIn('ada');
  const codes: string[] = [];
  const watch = (token: string = tokens.accessToken): (() => void) =>
    accounts.server.watchSession(token, ({ code }) => codes.push(code));
  return { ...accounts, userId, sessionId, tokens, codes, watch };
}

const ADA = { sessionId: 'a session', userId: 'ada', actorUserId: null, expiresAt: 10 };

/** Without a server around them. */
function liveSessions({
  findLive = async () => new Map(),
  stateless = false,
  now = Date.now,
}: {
  findLive?: Sessions['findLive'];
  stateless?: boolean;
  now?: () => number;
} = {}): LiveSessions {
  const report = (error: unknown): never => {
    throw error;
  };
  return new LiveSessions({ sessions: { findLive }, stateless, now, report });
}

describe('S52 stateful, a watched session', () => {
  test('goes on while it is good, longer than its token', async () => {
    const { watch, codes, clock } = await loggedIn();
    watch();
    clock.pass(6 * DAY);
    await intervals(10);
    expect(codes).toEqual([]);
  });

  test('ends once, with everybody who watches it, when it is logged out', async () => {
    const { watch, codes, server, tokens } = await loggedIn();
    watch();
    watch();
    await server.logout(tokens.accessToken);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    await intervals(WITHIN_FIVE_SECONDS);
    expect(codes).toHaveLength(2);
  });

  test('ends when its user is deactivated', async () => {
    const { watch, codes, server, userId } = await loggedIn();
    watch();
    await server.deactivateUser(userId);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends also when its user was activated again before anybody looked', async () => {
    const { watch, codes, server, userId } = await loggedIn();
    watch();
    await server.deactivateUser(userId);
    await server.activateUser(userId);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends when its user was deactivated by another hand', async () => {
    const { watch, codes, db, userId } = await loggedIn();
    watch();
    const [user] = await db.users.findMany([userId]);
    if (!user) throw new Error('no user');
    await db.users.update({ ...user, deactivated: true });
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends when it was not refreshed for its time', async () => {
    const { watch, codes, clock } = await loggedIn();
    watch();
    clock.pass(7 * DAY);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends at its absolute end, however often it was refreshed', async () => {
    const { watch, codes, clock, server, tokens } = await loggedIn({ sessionLifetime: 8 * DAY });
    watch();
    clock.pass(5 * DAY);
    await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
    clock.pass(2 * DAY);
    await intervals(1);
    expect(codes).toEqual([]);
    clock.pass(DAY);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends when the store has lost it', async () => {
    const { watch, codes, db } = await loggedIn();
    watch();
    await db.sessions.removeExpired(Date.UTC(2100, 0, 1));
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends with the session of who impersonates', async () => {
    const { watch, codes, server, tokens, signUp } = await loggedIn({ impersonationAuthorize: () => true });
    const userId = await signUp({ username: 'grace' });
    const { tokens: impersonated } = await server.impersonate(tokens.accessToken, { userId });
    watch(impersonated?.accessToken);
    await intervals(2);
    expect(codes).toEqual([]);
    await server.logout(tokens.accessToken);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('ends by what another server does to the same file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'live-'));
    const path = join(folder, 'accounts.db');
    const [here, there] = [sqliteDatabase(path), sqliteDatabase(path)];
    try {
      await here.migrate?.();
      const { watch, codes, userId } = await loggedIn({ db: here });
      watch();
      await createAccounts({ db: there }).server.deactivateUser(userId);
      await intervals(1);
      expect(codes).toEqual(['UNAUTHENTICATED']);
    } finally {
      await Promise.all([here.close?.(), there.close?.()]);
      rmSync(folder, { recursive: true });
    }
  });

  test('is watched by nobody any more who has stopped', async () => {
    const { watch, codes, server, tokens } = await loggedIn();
    const stop = watch();
    watch();
    stop();
    stop();
    await server.logout(tokens.accessToken);
    await intervals(1);
    expect(codes).toHaveLength(1);
  });

  test("that has ended is nobody else's: who stops late stops no stream that began since", async () => {
    const live = liveSessions({ stateless: true, now: () => 10 });
    const told: string[] = [];
    const stop = live.watch(ADA, ({ code }) => told.push(code));
    await intervals(1);
    live.watch({ ...ADA, expiresAt: 20 }, ({ code }) => told.push(code));
    stop();
    expect(live.has(ADA.sessionId)).toBe(true);
  });

  test('is refused from the start with a token that is not good', async () => {
    const { watch, clock } = await loggedIn();
    expect(await codeOf(() => watch('no token'))).toBe('UNAUTHENTICATED');
    clock.pass(15 * MINUTE);
    expect(await codeOf(() => watch())).toBe('UNAUTHENTICATED');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('S52 S55 while the store', () => {
  /** Answers, fails or hangs. */
  function moody(db: AccountsDatabase = memoryDatabase()) {
    const mood = { is: 'well' as 'well' | 'failing' | 'hanging', asked: 0 };
    const { findWithUsers: _, ...sessions } = db.sessions;
    const findMany: AccountsDatabase['sessions']['findMany'] = async (ids) => {
      mood.asked++;
      if (mood.is === 'failing') throw new Error('connection refused');
      if (mood.is === 'hanging') return new Promise(() => undefined);
      return sessions.findMany(ids);
    };
    return { mood, db: { ...db, sessions: { ...sessions, findMany } } };
  }

  test.each(['failing', 'hanging'] as const)(
    'is %s, streams end within 5 s and may be tried again',
    async (is) => {
      const { mood, db } = moody();
      const { watch, codes } = await loggedIn({ db });
      watch();
      await intervals(1);
      mood.is = is;
      await intervals(2);
      expect(codes).toEqual([]);
      await intervals(1);
      expect(codes).toEqual(['SERVICE_UNAVAILABLE']);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test('fails now and then, nothing ends', async () => {
    const { mood, db } = moody();
    const { watch, codes } = await loggedIn({ db });
    watch();
    for (let round = 0; round < 5; round++) {
      mood.is = 'failing';
      await intervals(1);
      mood.is = 'well';
      await intervals(1);
    }
    expect(codes).toEqual([]);
  });

  test('is slow, it is asked once at a time, and again as soon as it has answered', async () => {
    const db = memoryDatabase();
    const { findWithUsers: _, ...sessions } = db.sessions;
    let asked = 0;
    const answers: (() => void)[] = [];
    const findMany: AccountsDatabase['sessions']['findMany'] = async (ids) => {
      asked++;
      await new Promise<void>((resolve) => answers.push(resolve));
      return sessions.findMany(ids);
    };
    const { watch, codes } = await loggedIn({ db: { ...db, sessions: { ...sessions, findMany } } });
    watch();
    await intervals(2);
    expect(asked).toBe(1);
    answers.shift()?.();
    await intervals(0);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(asked).toBe(2);
    answers.shift()?.();
    for (let turns = 0; turns < 5; turns++) await turn();
    await intervals(1);
    expect(codes).toEqual([]);
  });

  test('is well again, new streams are watched as before', async () => {
    const { mood, db } = moody();
    const { watch, codes, server, tokens } = await loggedIn({ db });
    watch();
    mood.is = 'failing';
    await intervals(WITHIN_FIVE_SECONDS);
    expect(codes).toEqual(['SERVICE_UNAVAILABLE']);
    mood.is = 'well';
    watch();
    await intervals(2);
    expect(codes).toHaveLength(1);
    await server.logout(tokens.accessToken);
    await intervals(1);
    expect(codes).toEqual(['SERVICE_UNAVAILABLE', 'UNAUTHENTICATED']);
  });
});

/** Of tokens that no server gives to two users: whoever has the key can make them. */
describe('a session whose id two users share', () => {
  const grace = { ...ADA, userId: 'grace' };
  const asAda = { ...ADA, actorUserId: 'grace' };

  test('is watched for one of them', () => {
    const live = liveSessions({ now: () => 0 });
    live.watch(ADA, () => undefined);
    for (const other of [grace, asAda])
      expect(() => live.watch(other, () => undefined)).toThrow(
        expect.objectContaining({ code: 'UNAUTHENTICATED' }),
      );
  });

  test('is prolonged for one of them', async () => {
    const live = liveSessions({ stateless: true, now: () => 10 });
    const codes: string[] = [];
    live.watch(ADA, ({ code }) => codes.push(code));
    live.renew({ ...grace, expiresAt: 20 });
    live.renew({ ...asAda, expiresAt: 20 });
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test.each([grace, asAda])('ends where the store has it for another', async (stored) => {
    const live = liveSessions({ findLive: async () => new Map([[ADA.sessionId, stored as never]]) });
    const codes: string[] = [];
    live.watch(ADA, ({ code }) => codes.push(code));
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });
});

test('one function may watch a session twice, and stop once', async () => {
  const live = liveSessions({ findLive: async () => new Map() });
  const codes: string[] = [];
  const onEnd = ({ code }: AccountsError) => void codes.push(code);
  live.watch(ADA, onEnd);
  live.watch(ADA, onEnd)();
  await intervals(1);
  expect(codes).toEqual(['UNAUTHENTICATED']);
});

test('S23 stateless, a second stream with a newer token prolongs the first', async () => {
  const live = liveSessions({ stateless: true, now: () => 10 });
  const codes: string[] = [];
  live.watch(ADA, ({ code }) => codes.push(code));
  live.watch({ ...ADA, expiresAt: 20 }, ({ code }) => codes.push(code));
  live.watch({ ...ADA, expiresAt: 5 }, ({ code }) => codes.push(code));
  await intervals(1);
  expect(codes).toEqual([]);
});

describe('S23 S52 stateless, a watched session', () => {
  const stateless = { useStatelessSession: true };

  test('ends with its token, and the store is not asked', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { watch, codes, clock, server, tokens } = await loggedIn({ ...stateless, db: counted });
    watch();
    await server.logout(tokens.accessToken);
    queries.length = 0;
    clock.pass(15 * MINUTE - 1);
    await intervals(4);
    expect(codes).toEqual([]);
    clock.pass(1);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
    expect(queries).toEqual([]);
  });

  test.each([
    { how: 'is refreshed', hands: () => true },
    { how: 'is used', hands: (fresh: string, { server }: Hand) => server.resumeRequester(fresh) },
    {
      how: 'is handed over',
      hands: (fresh: string, { server, tokens }: Hand) => server.handOver(fresh, tokens.accessToken),
    },
  ])('goes on with a fresh token that $how', async ({ how, hands }) => {
    const one = await loggedIn(stateless);
    const { watch, codes, clock, tokens, server, db } = one;
    watch();
    clock.pass(10 * MINUTE);
    // Refreshed in another process, unless that is what is tried.
    const other =
      how === 'is refreshed' ? server : createAccounts({ ...stateless, db, now: clock.now }).server;
    const fresh = await other.refreshTokens(tokens.accessToken, tokens.refreshToken);
    hands(fresh.tokens.accessToken, one);
    clock.pass(10 * MINUTE);
    await intervals(1);
    expect(codes).toEqual([]);
    clock.pass(5 * MINUTE);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  type Hand = Awaited<ReturnType<typeof loggedIn>>;

  test('is not prolonged by the token of another session, of the same user either', async () => {
    const { watch, codes, clock, server, tokens, logIn } = await loggedIn(stateless);
    watch();
    clock.pass(10 * MINUTE);
    const other = await logIn('ada');
    expect(server.handOver(other.tokens.accessToken, tokens.accessToken)).toBe(false);
    server.resumeRequester(other.tokens.accessToken);
    clock.pass(5 * MINUTE);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });
});

describe('a token is handed over', () => {
  test('of the same session, and to nobody that we know', async () => {
    const { server, tokens, clock } = await loggedIn();
    clock.pass(MINUTE);
    const fresh = await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
    const { accessToken } = fresh.tokens;
    expect(server.handOver(accessToken, tokens.accessToken)).toBe(true);
    expect(server.handOver(accessToken, null)).toBe(true);
    expect(server.handOver(accessToken, 'no token')).toBe(true);
    clock.pass(14.5 * MINUTE);
    expect(server.handOver(accessToken, tokens.accessToken)).toBe(true);
  });

  test('not in place of one of another session, even when that has expired', async () => {
    const { server, tokens, clock, logIn } = await loggedIn();
    clock.pass(15 * MINUTE);
    const other = await logIn('ada');
    expect(server.handOver(other.tokens.accessToken, tokens.accessToken)).toBe(false);
  });

  test('only while it is good', async () => {
    const { server, tokens, clock } = await loggedIn();
    expect(server.handOver('no token', tokens.accessToken)).toBe(false);
    expect(server.handOver(tokens.refreshToken, tokens.accessToken)).toBe(false);
    clock.pass(15 * MINUTE);
    expect(server.handOver(tokens.accessToken, tokens.accessToken)).toBe(false);
  });
});

describe('ten thousand streams', () => {
  test('cost one query an interval and one timer, and no timer when they have gone', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { server, signUp, logIn, codes, userId } = await loggedIn({ db: counted });
    const [ada] = await counted.users.findMany([userId]);
    if (!ada) throw new Error('no user');
    await signUp({ username: 'grace' });
    const tokens = await Promise.all(Array.from({ length: 10_000 }, () => server.loginWithUser(ada)));
    const { tokens: left } = await logIn('grace');
    const watch = (token: string) => server.watchSession(token, ({ code }) => codes.push(code));
    const stops = tokens.map(({ tokens: { accessToken } }) => watch(accessToken));
    expect(vi.getTimerCount()).toBe(1);
    queries.length = 0;
    await intervals(3);
    expect(queries).toEqual(Array(3).fill(['sessions.findMany', 'users.findMany']).flat());
    stops.push(watch(left.accessToken));
    for (const stop of stops) stop();
    expect(vi.getTimerCount()).toBe(0);
    queries.length = 0;
    await intervals(3);
    expect(queries).toEqual([]);
    expect(codes).toEqual([]);
  });

  test('keep no process from ending', async () => {
    const begin = vi.spyOn(globalThis, 'setInterval');
    const { watch } = await loggedIn();
    watch();
    const [timer] = begin.mock.results;
    expect((timer?.value as NodeJS.Timeout | undefined)?.hasRef()).toBe(false);
  });

  test('are all told, also when one of them fails at it', async () => {
    const { watch, codes, server, tokens, errors } = await loggedIn();
    server.watchSession(tokens.accessToken, () => {
      throw new Error('of this stream');
    });
    watch();
    await server.logout(tokens.accessToken);
    await intervals(1);
    expect(codes).toEqual(['UNAUTHENTICATED']);
    expect(errors.map(({ error }) => (error as AccountsError).message)).toEqual(['of this stream']);
  });
});
