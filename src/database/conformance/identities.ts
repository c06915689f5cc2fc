import type { AccountsDatabase } from '../ports.ts';
import { anIdentity, aUser, NOW } from './records.ts';
import type { Bench } from './runner.ts';

export function identitiesConformance({ describe, on, expect }: Bench): void {
  const onUsers = (sentence: string, body: (db: AccountsDatabase) => Promise<void>): void =>
    on(sentence, async (db) => {
      await db.users.create(aUser('ada'), []);
      await db.users.create(aUser('bob'), []);
      await body(db);
    });

  describe('identities', () => {
    onUsers('an inserted identity is found with all that was stored, any other is null', async (db) => {
      const identity = anIdentity('ada', 'a', {
        data: { verified: true, list: [{ a: null }] },
        createdAt: NOW + 1,
      });
      expect(await db.identities.insert(identity)).toBe(true);
      expect(await db.identities.find('email', 'a')).toEqual(identity);
      expect(await db.identities.find('email', 'b')).toBe(null);
      expect(await db.identities.find('username', 'a')).toBe(null);
    });

    onUsers("somebody's subject is refused to everybody and stays as it is", async (db) => {
      await db.identities.insert(anIdentity('ada', 'a'));
      expect(await db.identities.insert(anIdentity('bob', 'a', { data: { x: 1 } }))).toBe(false);
      expect(await db.identities.insert(anIdentity('ada', 'a', { data: { x: 1 } }))).toBe(false);
      expect(await db.identities.find('email', 'a')).toEqual(anIdentity('ada', 'a'));
    });

    onUsers("a user's identities are found, whatever made them, and nobody else's", async (db) => {
      const subjects = async (userId: string): Promise<string[]> =>
        (await db.identities.findByUser(userId)).map(({ subject }) => subject).sort();
      expect(await db.identities.findByUser('ada')).toEqual([]);
      expect(await db.identities.findByUser('nobody')).toEqual([]);
      const full = anIdentity('ada', 'a:b%', {
        service: 'o:%25auth',
        data: { list: [{ a: null }] },
        createdAt: NOW + 1,
      });
      await db.identities.insert(full);
      expect(await db.identities.findByUser('ada')).toEqual([full]);
      await db.identities.insert(anIdentity('bob', 'b'));
      for (const subject of ['c', 'd']) await db.identities.insert(anIdentity('ada', subject));
      await db.users.create(aUser('eve'), [anIdentity('eve', 'e'), anIdentity('eve', 'f')]);
      expect(await subjects('ada')).toEqual(['a:b%', 'c', 'd']);
      expect(await subjects('eve')).toEqual(['e', 'f']);
      await db.identities.update(anIdentity('bob', 'c'));
      await db.identities.remove('email', 'd', 1);
      expect(await subjects('ada')).toEqual(['a:b%']);
      expect(await subjects('bob')).toEqual(['b', 'c']);
    });

    onUsers('one subject of two services is two identities', async (db) => {
      expect(await db.identities.insert(anIdentity('ada', 'a'))).toBe(true);
      expect(await db.identities.insert(anIdentity('bob', 'a', { service: 'username' }))).toBe(true);
      expect((await db.identities.find('email', 'a'))?.userId).toBe('ada');
      expect((await db.identities.find('username', 'a'))?.userId).toBe('bob');
    });

    onUsers('no character of a service or a subject makes one pair of another', async (db) => {
      const pairs = [
        ['a:b', 'c'],
        ['a', 'b:c'],
        ['a', 'b'],
        ['a","b', 'c'],
        ['a', 'b","c'],
      ];
      for (const [service = '', subject = ''] of pairs)
        expect(await db.identities.insert(anIdentity('ada', subject, { service }))).toBe(true);
    });

    onUsers('case, accents, width and blanks make different subjects', async (db) => {
      for (const subject of [
        'ada',
        'Ada',
        'ADA',
        'adá',
        'ada\u0301',
        'ada ',
        ' ada',
        'ａda',
        'ada\u00ad',
        'straße',
        'strasse',
      ]) {
        expect(await db.identities.insert(anIdentity('ada', subject, { data: { subject } }))).toBe(true);
        expect((await db.identities.find('email', subject))?.data).toEqual({ subject });
      }
      for (const service of ['Email', 'email ', 'émail'])
        expect(await db.identities.find(service, 'ada')).toBe(null);
    });

    onUsers(
      'an identity of the known version gets the new user and data, and a higher version',
      async (db) => {
        await db.identities.insert(anIdentity('ada', 'a', { data: { old: true } }));
        expect(await db.identities.update(anIdentity('bob', 'a', { data: { new: true } }))).toBe(true);
        expect(await db.identities.find('email', 'a')).toEqual(
          anIdentity('bob', 'a', { data: { new: true }, version: 2 }),
        );
        expect(await db.identities.update(anIdentity('bob', 'a', { version: 2 }))).toBe(true);
        expect(await db.identities.find('email', 'a')).toEqual(anIdentity('bob', 'a', { version: 3 }));
      },
    );

    onUsers('an identity of another version is neither updated nor removed', async (db) => {
      await db.identities.insert(anIdentity('ada', 'a'));
      expect(await db.identities.update(anIdentity('bob', 'a', { version: 2 }))).toBe(false);
      expect(await db.identities.remove('email', 'a', 2)).toBe(false);
      expect(await db.identities.find('email', 'a')).toEqual(anIdentity('ada', 'a'));
    });

    onUsers('an unknown identity is neither updated, made nor removed', async (db) => {
      expect(await db.identities.update(anIdentity('ada', 'a'))).toBe(false);
      expect(await db.identities.remove('email', 'a', 1)).toBe(false);
      expect(await db.identities.find('email', 'a')).toBe(null);
    });

    onUsers('a removed identity is gone, and its subject is free', async (db) => {
      await db.identities.insert(anIdentity('ada', 'a'));
      await db.identities.insert(anIdentity('ada', 'b'));
      expect(await db.identities.remove('email', 'a', 1)).toBe(true);
      expect(await db.identities.remove('email', 'a', 1)).toBe(false);
      expect(await db.identities.find('email', 'a')).toBe(null);
      expect(await db.identities.find('email', 'b')).toEqual(anIdentity('ada', 'b'));
      expect(await db.identities.insert(anIdentity('bob', 'a'))).toBe(true);
    });

    onUsers('what the caller does to its records changes nothing that is stored', async (db) => {
      const identity = anIdentity('ada', 'a', { data: { list: [1] } });
      await db.identities.insert(identity);
      identity.data.list = 2;
      const found = await db.identities.find('email', 'a');
      if (found) found.data.list = 3;
      expect(await db.identities.find('email', 'a')).toEqual(anIdentity('ada', 'a', { data: { list: [1] } }));
    });
  });
}
