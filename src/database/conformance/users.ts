import { anIdentity, aUser, NOW } from './records.ts';
import type { Bench } from './runner.ts';

export function usersConformance({ describe, on, expect }: Bench): void {
  describe('users', () => {
    on('a created user is found with all that was stored', async (db) => {
      const user = aUser('ada', {
        username: null,
        emails: [
          { address: 'Ada@Example.org', canonical: 'ada@example.org', verified: true, claimed: true },
          { address: 'ada@work.example', canonical: 'ada@work.example', verified: false, claimed: false },
        ],
        deactivated: true,
        profile: { name: 'Ada', tags: ['a', 1, true, null, [], {}], nested: { deep: { deeper: -1.5 } } },
        createdAt: NOW + 1,
        updatedAt: NOW + 2,
      });
      expect(await db.users.create(user, [])).toBe(null);
      expect(await db.users.findMany(['ada'])).toEqual([user]);
    });

    on('users come in the order of the ids, null for each that is not there', async (db) => {
      const [ada, bob] = [aUser('ada'), aUser('bob')];
      await db.users.create(ada, []);
      await db.users.create(bob, []);
      expect(await db.users.findMany(['bob', 'nobody', 'ada', 'bob'])).toEqual([bob, null, ada, bob]);
      expect(await db.users.findMany([])).toEqual([]);
    });

    on('a thousand ids are one question', async (db) => {
      await db.users.create(aUser('user 999'), []);
      const found = await db.users.findMany(Array.from({ length: 1_000 }, (_, n) => `user ${n}`));
      expect(found.length).toBe(1_000);
      expect(found.filter((user) => user !== null)).toEqual([aUser('user 999')]);
      expect(found[999]).toEqual(aUser('user 999'));
    });

    on('the identities of a created user are found', async (db) => {
      const identities = [
        anIdentity('ada', 'ada@example.org'),
        anIdentity('ada', 'ada', { service: 'password', data: { hash: 'h' } }),
      ];
      expect(await db.users.create(aUser('ada'), identities)).toBe(null);
      expect(await db.identities.find('email', 'ada@example.org')).toEqual(identities[0]);
      expect(await db.identities.find('password', 'ada')).toEqual(identities[1]);
    });

    on('a user whose identity is taken is not stored, nor is any identity of it', async (db) => {
      await db.users.create(aUser('ada'), [anIdentity('ada', 'shared')]);
      const claims = [anIdentity('bob', 'first'), anIdentity('bob', 'shared'), anIdentity('bob', 'last')];
      expect(await db.users.create(aUser('bob'), claims)).toEqual({ service: 'email', subject: 'shared' });
      expect(await db.users.findMany(['bob'])).toEqual([null]);
      expect(await db.identities.find('email', 'first')).toBe(null);
      expect(await db.identities.find('email', 'last')).toBe(null);
      expect(await db.identities.find('email', 'shared')).toEqual(anIdentity('ada', 'shared'));
    });

    on('after a refusal the same user may be created with other identities', async (db) => {
      await db.users.create(aUser('ada'), [anIdentity('ada', 'shared')]);
      await db.users.create(aUser('bob'), [anIdentity('bob', 'own'), anIdentity('bob', 'shared')]);
      expect(await db.users.create(aUser('bob'), [anIdentity('bob', 'own')])).toBe(null);
      expect(await db.users.findMany(['bob'])).toEqual([aUser('bob')]);
      expect(await db.identities.find('email', 'own')).toEqual(anIdentity('bob', 'own'));
    });

    on('of several taken identities the first is named', async (db) => {
      await db.users.create(aUser('ada'), [anIdentity('ada', 'one'), anIdentity('ada', 'two')]);
      const claims = [anIdentity('bob', 'free'), anIdentity('bob', 'two'), anIdentity('bob', 'one')];
      expect(await db.users.create(aUser('bob'), claims)).toEqual({ service: 'email', subject: 'two' });
    });

    on('a taken id is named and nothing is stored', async (db) => {
      await db.users.create(aUser('ada'), []);
      const claims = [anIdentity('ada', 'new')];
      expect(await db.users.create(aUser('ada', { username: 'Eve' }), claims)).toEqual({
        service: 'id',
        subject: 'ada',
      });
      expect(await db.users.findMany(['ada'])).toEqual([aUser('ada')]);
      expect(await db.identities.find('email', 'new')).toBe(null);
    });

    on('a user of the known version is replaced, and the version raised by one', async (db) => {
      await db.users.create(aUser('ada'), []);
      const changed = aUser('ada', {
        username: 'New',
        emails: [],
        deactivated: true,
        profile: { a: [1] },
        createdAt: NOW + 5,
        updatedAt: NOW + 6,
      });
      expect(await db.users.update(changed)).toBe(true);
      expect(await db.users.findMany(['ada'])).toEqual([{ ...changed, version: 2 }]);
      expect(await db.users.update({ ...changed, version: 2, username: null })).toBe(true);
      expect(await db.users.findMany(['ada'])).toEqual([{ ...changed, version: 3, username: null }]);
    });

    on('a user of another version is left as it is', async (db) => {
      await db.users.create(aUser('ada'), []);
      expect(await db.users.update(aUser('ada', { version: 2, username: 'New' }))).toBe(false);
      expect(await db.users.update(aUser('ada', { version: 0, username: 'New' }))).toBe(false);
      expect(await db.users.findMany(['ada'])).toEqual([aUser('ada')]);
    });

    on('users that are brought over together are all stored', async (db) => {
      if (!db.users.createAll) return;
      const names = Array.from({ length: 300 }, (_, n) => `user ${n}`);
      const users = names.map((id) => ({
        user: aUser(id),
        identities: [anIdentity(id, id), anIdentity(id, id, { service: 'username', data: { id } })],
      }));
      expect(await db.users.createAll(users)).toBe(true);
      expect(await db.users.createAll([])).toBe(true);
      expect(await db.users.findMany(names)).toEqual(users.map(({ user }) => user));
      for (const { identities } of users.slice(0, 10))
        for (const identity of identities)
          expect(await db.identities.find(identity.service, identity.subject)).toEqual(identity);
    });

    on('of users that are brought over together none is stored when one cannot be', async (db) => {
      if (!db.users.createAll) return;
      await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
      const eve = { user: aUser('eve'), identities: [anIdentity('eve', 'e')] };
      for (const taken of [
        { user: aUser('ada'), identities: [] },
        { user: aUser('bob'), identities: [anIdentity('bob', 'b'), anIdentity('bob', 'a')] },
        { user: aUser('bob'), identities: [anIdentity('bob', 'e')] },
        { user: aUser('eve'), identities: [] },
      ]) {
        expect(await db.users.createAll([eve, taken])).toBe(false);
        expect(await db.users.findMany(['eve', 'bob'])).toEqual([null, null]);
        expect(await db.identities.find('email', 'e')).toBe(null);
        expect(await db.identities.find('email', 'b')).toBe(null);
      }
      expect((await db.identities.find('email', 'a'))?.userId).toBe('ada');
    });

    on('an unknown user is not updated and not made', async (db) => {
      expect(await db.users.update(aUser('ada'))).toBe(false);
      expect(await db.users.findMany(['ada'])).toEqual([null]);
    });

    on('what the caller does to its records changes nothing that is stored', async (db) => {
      const user = aUser('ada', { profile: { list: [1] } });
      const identity = anIdentity('ada', 'a', { data: { list: [1] } });
      await db.users.create(user, [identity]);
      user.emails.pop();
      user.profile.list = 2;
      identity.data.list = 2;
      const [found] = await db.users.findMany(['ada']);
      found?.emails.pop();
      if (found) found.profile.list = 3;
      const [again, twin] = await db.users.findMany(['ada', 'ada']);
      expect(again).toEqual(aUser('ada', { profile: { list: [1] } }));
      expect(again === twin).toBe(false);
      expect(await db.identities.find('email', 'a')).toEqual(anIdentity('ada', 'a', { data: { list: [1] } }));
    });

    on('an update leaves the record of the caller alone', async (db) => {
      await db.users.create(aUser('ada'), []);
      const changed = Object.freeze(aUser('ada'));
      await db.users.update(changed);
      expect(changed.version).toBe(1);
    });
  });
}
