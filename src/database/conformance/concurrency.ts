import { anIdentity, aSession, aToken, aUser, NOW } from './records.ts';
import type { Bench } from './runner.ts';

const times = <T>(count: number, call: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => call(n)));

export function concurrencyConformance({ describe, on, expect }: Bench): void {
  describe('at once', () => {
    on('100 users who claim one identity become one user, and the others leave nothing', async (db) => {
      // The shared claim comes first, between and last: what was written before it must go again.
      const claims = (n: number) => {
        const own = [`first of ${n}`, `second of ${n}`].map((subject) => anIdentity(`user ${n}`, subject));
        return own.toSpliced(n % 3, 0, anIdentity(`user ${n}`, 'shared'));
      };
      const answers = await times(100, (n) => db.users.create(aUser(`user ${n}`), claims(n)));
      const winners = answers.flatMap((answer, n) => (answer === null ? [n] : []));
      expect(winners.length).toBe(1);
      expect(answers.filter((answer) => answer !== null)).toEqual(
        Array.from({ length: 99 }, () => ({ service: 'email', subject: 'shared' })),
      );
      expect((await db.identities.find('email', 'shared'))?.userId).toBe(`user ${winners[0]}`);
      const left = await times(100, async (n) => [
        (await db.users.findMany([`user ${n}`]))[0] !== null,
        (await db.identities.find('email', `first of ${n}`)) !== null,
        (await db.identities.find('email', `second of ${n}`)) !== null,
      ]);
      expect(left).toEqual(left.map((_, n) => Array.from({ length: 3 }, () => n === winners[0])));
      const listed = await times(100, async (n) => (await db.identities.findByUser(`user ${n}`)).length);
      expect(listed).toEqual(listed.map((_, n) => (n === winners[0] ? 3 : 0)));
    });

    on('of 100 inserts of one identity one succeeds', async (db) => {
      await times(100, (n) => db.users.create(aUser(`user ${n}`), []));
      const answers = await times(100, (n) => db.identities.insert(anIdentity(`user ${n}`, 'shared')));
      expect(answers.filter(Boolean).length).toBe(1);
      const winner = answers.indexOf(true);
      expect(await db.identities.find('email', 'shared')).toEqual(anIdentity(`user ${winner}`, 'shared'));
    });

    on('of 50 updates of one version of an identity or a user one succeeds', async (db) => {
      await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
      const identities = await times(50, (n) =>
        db.identities.update(anIdentity('ada', 'a', { data: { n } })),
      );
      const users = await times(50, (n) => db.users.update(aUser('ada', { profile: { n } })));
      expect(identities.filter(Boolean).length).toBe(1);
      expect(users.filter(Boolean).length).toBe(1);
      const identity = await db.identities.find('email', 'a');
      const [user] = await db.users.findMany(['ada']);
      expect(identity).toEqual(anIdentity('ada', 'a', { version: 2, data: { n: identities.indexOf(true) } }));
      expect(user).toEqual(aUser('ada', { version: 2, profile: { n: users.indexOf(true) } }));
    });

    on('of 1,000 rotations of one version of a session one succeeds', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      const answers = await times(1_000, (n) => db.sessions.update(aSession('1', 'ada', { rotation: n })));
      expect(answers.filter(Boolean).length).toBe(1);
      const winner = aSession('1', 'ada', { version: 2, rotation: answers.indexOf(true) });
      expect(await db.sessions.findMany(['1'])).toEqual([winner]);
    });

    on('of 50 revocations of one session one succeeds', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      const answers = await times(50, (n) => db.sessions.revoke('1', NOW + n));
      expect(answers.filter(Boolean).length).toBe(1);
      const [session] = await db.sessions.findMany(['1']);
      expect(session?.revokedAt).toBe(NOW + answers.indexOf(true));
    });

    on('a revocation among rotations is never lost', async (db) => {
      await times(20, (n) => db.sessions.create(aSession(`session ${n}`, 'ada')));
      await times(20, (n) => {
        const rotations = times(10, (version) =>
          db.sessions.update(aSession(`session ${n}`, 'ada', { version })),
        );
        return Promise.all([rotations, db.sessions.revoke(`session ${n}`, NOW + 1), rotations]);
      });
      const sessions = await db.sessions.findMany(Array.from({ length: 20 }, (_, n) => `session ${n}`));
      expect(sessions.map((session) => session?.revokedAt)).toEqual(sessions.map(() => NOW + 1));
    });

    on('what is refused among others takes none of them with it', async (db) => {
      await db.sessions.create(aSession('1', 'ada'));
      const outcomes = await Promise.allSettled(
        ['2', '1', '3', '1', '4'].map((id) => db.sessions.create(aSession(id, 'bob'))),
      );
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true]);
      const found = await db.sessions.findMany(['1', '2', '3', '4']);
      expect(found.map((session) => session?.userId)).toEqual(['ada', 'bob', 'bob', 'bob']);
    });

    on('of 16 who consume one token one gets it', async (db) => {
      await db.oneTimeTokens.put(aToken('key', 'hash'));
      const answers = await times(16, () => db.oneTimeTokens.consume('hash', 'reset-password'));
      expect(answers.filter((answer) => answer !== null)).toEqual([aToken('key', 'hash')]);
    });

    on('of 16 tokens that are put with one key one is good', async (db) => {
      await times(16, (n) => db.oneTimeTokens.put(aToken('key', `hash ${n}`)));
      const found = await times(16, (n) => db.oneTimeTokens.find(`hash ${n}`));
      expect(found.filter((token) => token !== null).length).toBe(1);
    });
  });
}
