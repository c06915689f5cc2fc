import type { AccountsDatabase } from '../ports.ts';
import { aSession, aUser, HOUR, NOW } from './records.ts';
import { type Bench, errorOf } from './runner.ts';

export function sessionsConformance({ describe, on, expect }: Bench): void {
  const revokedAt = async (db: AccountsDatabase, ...ids: string[]): Promise<unknown[]> =>
    (await db.sessions.findMany(ids)).map((session) => session?.revokedAt);

  describe('sessions', () => {
    on('a created session is found with all that was stored', async (db) => {
      const plain = aSession('plain', 'ada');
      const full = aSession('full', 'ada', {
        version: 3,
        rotation: 7,
        rotatedAt: NOW + 1,
        createdAt: NOW + 2,
        idleExpiresAt: NOW + HOUR + 3,
        expiresAt: NOW + HOUR + 4,
        revokedAt: NOW + 5,
        authenticatedAt: NOW + 6,
        amr: ['pwd', 'otp', 'mfa'],
        actorSessionId: 'plain',
        actorUserId: 'eve',
        ip: '2001:db8::1',
        userAgent: 'Mozilla/5.0',
      });
      await db.sessions.create(plain);
      await db.sessions.create(full);
      expect(await db.sessions.findMany(['full', 'plain'])).toEqual([full, plain]);
    });

    on('sessions come in the order of the ids, null for each that is not there', async (db) => {
      const [one, two] = [aSession('1', 'ada'), aSession('2', 'bob')];
      await db.sessions.create(one);
      await db.sessions.create(two);
      expect(await db.sessions.findMany(['2', '0', '1', '2'])).toEqual([two, null, one, two]);
      expect(await db.sessions.findMany([])).toEqual([]);
    });

    on('a second session with a known id is an error and changes nothing', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      expect((await errorOf(() => db.sessions.create(aSession('1', 'eve')))) === null).toBe(false);
      expect(await db.sessions.findMany(['1'])).toEqual([aSession('1', 'ada')]);
    });

    on('sessions come with their users, in order, with null where there is none', async (db) => {
      if (!db.sessions.findWithUsers) return;
      expect(db.sessions.joinedWith === db.users).toBe(true);
      const [ada, first, second] = [
        aUser('ada', { profile: { a: 1 } }),
        aSession('1', 'ada'),
        aSession('2', 'ada'),
      ];
      const orphan = aSession('3', 'nobody', { revokedAt: NOW });
      await db.users.create(ada, []);
      for (const session of [first, second, orphan]) await db.sessions.create(session);
      expect(await db.sessions.findWithUsers(['3', '2', '0', '1', '2'])).toEqual([
        { session: orphan, user: null },
        { session: second, user: ada },
        null,
        { session: first, user: ada },
        { session: second, user: ada },
      ]);
      expect(await db.sessions.findWithUsers([])).toEqual([]);
    });

    on('a session of the known version is replaced, and the version raised by one', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      const changed = aSession('1', 'ada', {
        rotation: 2,
        rotatedAt: NOW + 1,
        idleExpiresAt: NOW + HOUR + 2,
        authenticatedAt: NOW + 3,
        amr: ['hwk', 'mfa'],
        ip: '::1',
      });
      expect(await db.sessions.update(changed)).toBe(true);
      expect(await db.sessions.findMany(['1'])).toEqual([{ ...changed, version: 2 }]);
    });

    on('a session of another version is left as it is, an unknown one is not made', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      expect(await db.sessions.update(aSession('1', 'ada', { version: 2, rotation: 9 }))).toBe(false);
      expect(await db.sessions.update(aSession('2', 'ada'))).toBe(false);
      expect(await db.sessions.findMany(['1', '2'])).toEqual([aSession('1', 'ada'), null]);
    });

    on('a revoked session takes no update, whichever version is named', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      await db.sessions.revoke('1', NOW + 1);
      for (const version of [1, 2])
        expect(await db.sessions.update(aSession('1', 'ada', { version }))).toBe(false);
      expect(await revokedAt(db, '1')).toEqual([NOW + 1]);
    });

    on('a session is revoked once and keeps the time of it', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      await db.sessions.create(aSession('2', 'ada'));
      expect(await db.sessions.revoke('1', NOW + 1)).toBe(true);
      expect(await db.sessions.revoke('1', NOW + 2)).toBe(false);
      expect(await db.sessions.revoke('0', NOW + 2)).toBe(false);
      expect(await revokedAt(db, '1', '2', '0')).toEqual([NOW + 1, null, undefined]);
    });

    on("revoking all ends a user's sessions but the named ones, and nobody else's", async (db) => {
      for (const id of ['1', '2', '3', '4']) await db.sessions.create(aSession(id, 'ada'));
      await db.sessions.create(aSession('5', 'bob'));
      await db.sessions.revoke('4', NOW + 1);
      await db.sessions.revokeAll('ada', NOW + 2, ['2', '5', 'unknown']);
      expect(await revokedAt(db, '1', '2', '3', '4', '5')).toEqual([NOW + 2, null, NOW + 2, NOW + 1, null]);
      await db.sessions.revokeAll('ada', NOW + 3, []);
      expect(await revokedAt(db, '1', '2', '5')).toEqual([NOW + 2, NOW + 3, null]);
      await db.sessions.revokeAll('nobody', NOW + 4, []);
    });

    on("a user's sessions that are not revoked come newest first", async (db) => {
      for (const [id, age] of [
        ['b', 2],
        ['a', 1],
        ['c', 3],
        ['d', 0],
      ] as const)
        await db.sessions.create(aSession(id, 'ada', { createdAt: NOW - age }));
      await db.sessions.create(aSession('e', 'bob'));
      await db.sessions.revoke('a', NOW);
      expect((await db.sessions.findByUser('ada')).map(({ id }) => id)).toEqual(['d', 'b', 'c']);
      expect(await db.sessions.findByUser('bob')).toEqual([aSession('e', 'bob')]);
      expect(await db.sessions.findByUser('nobody')).toEqual([]);
    });

    // What has ended may be gone before it is removed: a store may do that by itself.
    const stored = async (db: AccountsDatabase, ids: readonly string[]): Promise<string[]> =>
      (await db.sessions.findMany(ids)).flatMap((session) => (session ? [session.id] : []));

    on('what has ended, at last or by idleness, is removed and counted', async (db) => {
      const ends = {
        idle: [NOW - 1, NOW + HOUR],
        last: [NOW + HOUR, NOW - 1],
        both: [NOW - 1, NOW - 1],
      };
      const ended = Object.keys(ends);
      for (const [id, [idleExpiresAt = 0, expiresAt = 0]] of Object.entries(ends))
        await db.sessions.create(aSession(id, 'ada', { idleExpiresAt, expiresAt }));
      await db.sessions.create(aSession('alive', 'ada'));
      const before = await stored(db, ended);
      expect(await db.sessions.removeExpired(NOW)).toBe(before.length);
      expect(await db.sessions.removeExpired(NOW)).toBe(0);
      expect(await stored(db, [...ended, 'alive'])).toEqual(['alive']);
    });

    on('what ends now has not ended before now', async (db) => {
      await db.sessions.create(aSession('1', 'ada', { idleExpiresAt: NOW + HOUR, expiresAt: NOW + HOUR }));
      expect(await db.sessions.removeExpired(NOW + HOUR)).toBe(0);
      expect(await stored(db, ['1'])).toEqual(['1']);
    });

    on('more than a thousand ended sessions are removed', async (db) => {
      const ids = Array.from({ length: 1_100 }, (_, n) => `session ${n}`);
      await Promise.all(ids.map((id) => db.sessions.create(aSession(id, 'ada', { expiresAt: NOW - 1 }))));
      await db.sessions.create(aSession('alive', 'ada'));
      const before = await stored(db, ids);
      expect(await db.sessions.removeExpired(NOW)).toBe(before.length);
      expect((await db.sessions.findByUser('ada')).map(({ id }) => id)).toEqual(['alive']);
    });

    on("all sessions of a user are invalidated, but the named ones, and nobody else's", async (db) => {
      for (const id of ['1', '2']) await db.sessions.create(aSession(id, 'ada'));
      await db.sessions.create(aSession('3', 'bob'));
      await db.invalidateAllSessions('ada', ['2']);
      expect((await db.sessions.findByUser('ada')).map(({ id }) => id)).toEqual(['2']);
      await db.invalidateAllSessions('ada');
      expect(await db.sessions.findByUser('ada')).toEqual([]);
      expect(await db.sessions.findByUser('bob')).toEqual([aSession('3', 'bob')]);
    });

    on('a database composed by spreading invalidates the sessions that it was given', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      const asked: unknown[] = [];
      const revokeAll = async (userId: string, _now: number, except: readonly string[]): Promise<void> => {
        asked.push([userId, [...except]]);
      };
      const composed: AccountsDatabase = { ...db, sessions: { ...db.sessions, revokeAll } };
      await composed.invalidateAllSessions('ada', ['2']);
      expect(asked).toEqual([['ada', ['2']]]);
      expect(await revokedAt(db, '1')).toEqual([null]);
      expect(composed.users === db.users).toBe(true);
    });

    on('what the caller does to its records changes nothing that is stored', async (db) => {
      const session = aSession('1', 'ada');
      await db.sessions.create(session);
      session.userId = 'eve';
      session.amr.push('mfa');
      const [found] = await db.sessions.findMany(['1']);
      if (found) found.userId = 'eve';
      found?.amr.push('mfa');
      for (const listed of await db.sessions.findByUser('ada')) listed.revokedAt = 1;
      expect(await db.sessions.findMany(['1'])).toEqual([aSession('1', 'ada')]);
    });
  });
}
