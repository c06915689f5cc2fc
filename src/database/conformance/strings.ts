import { aCounter, anIdentity, aSession, aToken, aUser, NOW } from './records.ts';
import type { Bench } from './runner.ts';

/** Legal, and each somebody's undoing once. */
const STRANGE = [
  ' ',
  'a ',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '$ne',
  '$where',
  'a.b.$c',
  '%',
  '_',
  '*',
  'null',
  '0',
  '"',
  "O'Brien",
  '`',
  '\\',
  '\\u0041',
  "'; DROP TABLE users; --",
  '{"$ne":null}',
  '[]',
  '\t\r\n\u0001\u007f',
  '\u00e9',
  'e\u0301',
  'İı',
  'ß',
  '\u202eright to left',
  '\ufeff',
  '\uffff',
  '漢字',
  '\u{1f4a5}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
];

const LONG_NAME = '漢'.repeat(1_024);
const LONG_TEXT = '\u{1f4a5}x'.repeat(3_400);

export function stringsConformance({ describe, on, expect }: Bench): void {
  describe('strings', () => {
    for (const text of [...STRANGE, LONG_NAME]) {
      const shown = text.length > 50 ? `a name of ${text.length} characters` : JSON.stringify(text);
      on(`${shown} is kept as it is wherever a name stands`, async (db) => {
        const user = aUser(text, {
          emails: [{ address: text, canonical: text, verified: true, claimed: true }],
          username: text,
        });
        const identity = anIdentity(text, text, { service: text, data: { text } });
        const session = aSession(text, text, {
          actorSessionId: text,
          actorUserId: text,
          amr: [text],
          ip: text,
          userAgent: text,
        });
        const token = aToken(text, text, { purpose: text, userId: text, data: { text } });
        const counters = [db.counters, db.sessions.counters];

        expect(await db.users.findMany([text])).toEqual([null]);
        expect(await db.users.create(user, [identity])).toBe(null);
        await db.sessions.create(session);
        await db.oneTimeTokens.put(token);

        expect(await db.users.findMany([text])).toEqual([user]);
        expect(await db.identities.find(text, text)).toEqual(identity);
        expect(await db.sessions.findMany([text])).toEqual([session]);
        expect(await db.sessions.findByUser(text)).toEqual([session]);
        expect(await db.oneTimeTokens.find(text)).toEqual(token);
        expect(await db.identities.findByUser(text)).toEqual([identity]);
        for (const store of counters) await store?.add(aCounter(text), NOW);
        for (const store of counters) if (store) expect(await store.find(text)).toEqual(aCounter(text));

        expect(await db.users.update(user)).toBe(true);
        expect(await db.identities.update(identity)).toBe(true);
        expect(await db.sessions.update(session)).toBe(true);
        expect(await db.users.create(user, [])).toEqual({ service: 'id', subject: text });
        await db.sessions.revokeAll(text, 1, [text]);
        expect(await db.sessions.revoke(text, 1)).toBe(true);
        expect(await db.oneTimeTokens.consume(text, text)).toEqual(token);
        expect(await db.identities.remove(text, text, 2)).toBe(true);
      });
    }

    on('no two of these are one name', async (db) => {
      await db.users.create(aUser('ada'), []);
      for (const text of STRANGE) expect(await db.identities.insert(anIdentity('ada', text))).toBe(true);
      for (const text of STRANGE)
        expect(await db.identities.find('email', text)).toEqual(anIdentity('ada', text));
      for (const store of [db.counters, db.sessions.counters]) {
        for (const key of STRANGE)
          expect(await store?.add(aCounter(key), NOW)).toEqual(store && aCounter(key));
        for (const key of STRANGE) await store?.remove(key);
      }
    });

    on('a text of 10,200 code units is kept wherever a text stands', async (db) => {
      const user = aUser('ada', { username: LONG_TEXT, profile: { [LONG_TEXT]: LONG_TEXT } });
      const session = aSession('1', 'ada', { userAgent: LONG_TEXT });
      const token = aToken('1', 'hash', { data: { text: LONG_TEXT } });
      await db.users.create(user, [anIdentity('ada', 'a', { data: { text: LONG_TEXT } })]);
      await db.sessions.create(session);
      await db.oneTimeTokens.put(token);
      expect(await db.users.findMany(['ada'])).toEqual([user]);
      expect((await db.identities.find('email', 'a'))?.data).toEqual({ text: LONG_TEXT });
      expect(await db.sessions.findMany(['1'])).toEqual([session]);
      expect(await db.oneTimeTokens.find('hash')).toEqual(token);
    });

    on('JSON is kept as it is: numbers, empty things, strange keys', async (db) => {
      const keys = Object.fromEntries(STRANGE.filter((key) => key !== '__proto__').map((key) => [key, key]));
      const data = {
        numbers: [0, -1, 1.5, 1e300, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
        empty: [[], {}, '', null, false],
        keys,
        texts: STRANGE,
      };
      await db.users.create(aUser('ada', { profile: data }), [anIdentity('ada', 'a', { data })]);
      await db.oneTimeTokens.put(aToken('key', 'hash', { data }));
      expect((await db.users.findMany(['ada']))[0]?.profile).toEqual(data);
      expect((await db.identities.find('email', 'a'))?.data).toEqual(data);
      expect((await db.oneTimeTokens.find('hash'))?.data).toEqual(data);
    });

    on('a key __proto__ is a key like any other', async (db) => {
      const data = JSON.parse('{"__proto__":{"admin":true}}');
      await db.users.create(aUser('ada', { profile: data }), [anIdentity('ada', 'a', { data })]);
      const [user] = await db.users.findMany(['ada']);
      const identity = await db.identities.find('email', 'a');
      for (const found of [user?.profile, identity?.data]) {
        expect(JSON.stringify(found)).toBe('{"__proto__":{"admin":true}}');
        expect(found && 'admin' in found).toBe(false);
      }
      expect('admin' in {}).toBe(false);
    });
  });
}
