import type { AccountsDatabase, CounterStore } from '../ports.ts';
import { COUNTERS } from './counters.ts';
import { aCounter, anIdentity, aSession, aToken, aUser, NOW } from './records.ts';
import { type Bench, errorOf } from './runner.ts';

/** What TypeScript forbids and a JSON body brings. */
const NO_STRINGS: unknown[] = [
  { $ne: null },
  { $gt: '' },
  { toString: () => 'ada' },
  ['ada'],
  Object('ada'),
  1,
  true,
  undefined,
  Symbol('ada'),
  () => 'ada',
  'lone \ud800 surrogate',
  'a\0b',
];
const NO_NUMBERS: unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '1',
  { $gt: 0 },
  [1],
  true,
  undefined,
  1n,
];
const NO_DATA: unknown[] = [
  null,
  undefined,
  'text',
  [],
  new Date(0),
  new Map(),
  { a: undefined },
  { a: Number.NaN },
  { a: () => 1 },
  { a: 1n },
  { a: new Date(0) },
  { a: [{ b: 'lone \udc00' }] },
  { 'lone \udc00': 1 },
  { 'a\0b': 1 },
  { toJSON: () => ({}) },
  deep(10_000),
];

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}

type Call = (db: AccountsDatabase, bad: never) => Promise<unknown>;

const STRING_ARGUMENTS: { [where: string]: Call } = {
  'the id of a new user': (db, id) => db.users.create(aUser('eve', { id }), []),
  'the username of a new user': (db, username) => db.users.create(aUser('eve', { username }), []),
  'an address of a new user': (db, address) =>
    db.users.create(
      aUser('eve', { emails: [{ address, canonical: 'a', verified: false, claimed: false }] }),
      [],
    ),
  'a canonical address of a new user': (db, canonical) =>
    db.users.create(
      aUser('eve', { emails: [{ address: 'a', canonical, verified: false, claimed: false }] }),
      [],
    ),
  'the service of a new identity': (db, service) =>
    db.users.create(aUser('eve'), [anIdentity('eve', 'new'), anIdentity('eve', 'a', { service })]),
  'the subject of a new identity': (db, subject) =>
    db.users.create(aUser('eve'), [anIdentity('eve', 'new'), anIdentity('eve', subject)]),
  'the user of a new identity': (db, userId) => db.users.create(aUser('eve'), [anIdentity(userId, 'new')]),
  'an id of wanted users': (db, id) => db.users.findMany(['ada', id]),
  'the id of an updated user': (db, id) => db.users.update(aUser('ada', { id })),
  'the username of an updated user': (db, username) => db.users.update(aUser('ada', { username })),
  'the service of a wanted identity': (db, service) => db.identities.find(service, 'a'),
  'the subject of a wanted identity': (db, subject) => db.identities.find('email', subject),
  'the service of an inserted identity': (db, service) =>
    db.identities.insert(anIdentity('ada', 'new', { service })),
  'the subject of an inserted identity': (db, subject) => db.identities.insert(anIdentity('ada', subject)),
  'the user of an inserted identity': (db, userId) => db.identities.insert(anIdentity(userId, 'new')),
  'the service of an updated identity': (db, service) =>
    db.identities.update(anIdentity('ada', 'a', { service })),
  'the subject of an updated identity': (db, subject) => db.identities.update(anIdentity('ada', subject)),
  'the user of an updated identity': (db, userId) => db.identities.update(anIdentity(userId, 'a')),
  'the service of a removed identity': (db, service) => db.identities.remove(service, 'a', 1),
  'the subject of a removed identity': (db, subject) => db.identities.remove('email', subject, 1),
  'the id of a new session': (db, id) => db.sessions.create(aSession(id, 'ada')),
  'the user of a new session': (db, userId) => db.sessions.create(aSession('new', userId)),
  'the acting session of a new session': (db, actorSessionId) =>
    db.sessions.create(aSession('new', 'ada', { actorSessionId })),
  'the acting user of a new session': (db, actorUserId) =>
    db.sessions.create(aSession('new', 'ada', { actorUserId })),
  'the address of a new session': (db, ip) => db.sessions.create(aSession('new', 'ada', { ip })),
  'the browser of a new session': (db, userAgent) =>
    db.sessions.create(aSession('new', 'ada', { userAgent })),
  'an id of wanted sessions': (db, id) => db.sessions.findMany(['1', id]),
  'an id of sessions wanted with their users': (db, id) =>
    db.sessions.findWithUsers ? db.sessions.findWithUsers(['1', id]) : db.sessions.findMany(['1', id]),
  'the id of an updated session': (db, id) => db.sessions.update(aSession(id, 'ada')),
  'the user of an updated session': (db, userId) => db.sessions.update(aSession('1', userId)),
  'the browser of an updated session': (db, userAgent) =>
    db.sessions.update(aSession('1', 'ada', { userAgent })),
  'the id of a revoked session': (db, id) => db.sessions.revoke(id, NOW),
  'the user of revoked sessions': (db, userId) => db.sessions.revokeAll(userId, NOW, []),
  'the exception of revoked sessions': (db, id) => db.sessions.revokeAll('ada', NOW, [id]),
  'the user of invalidated sessions': (db, userId) => db.invalidateAllSessions(userId),
  'the exception of invalidated sessions': (db, id) => db.invalidateAllSessions('ada', [id]),
  'the user of wanted sessions': (db, userId) => db.sessions.findByUser(userId),
  'the key of a token': (db, key) => db.oneTimeTokens.put(aToken(key, 'new')),
  'the hash of a token': (db, hash) => db.oneTimeTokens.put(aToken('key', hash)),
  'the purpose of a token': (db, purpose) => db.oneTimeTokens.put(aToken('key', 'new', { purpose })),
  'the user of a token': (db, userId) => db.oneTimeTokens.put(aToken('key', 'new', { userId })),
  'the hash of a wanted token': (db, hash) => db.oneTimeTokens.find(hash),
  'the hash of a consumed token': (db, hash) => db.oneTimeTokens.consume(hash, 'reset-password'),
  'the purpose of a consumed token': (db, purpose) => db.oneTimeTokens.consume('hash', purpose),
  'the key of a removed token': (db, key) => db.oneTimeTokens.remove(key),
  'the user of removed tokens': (db, userId) => db.oneTimeTokens.removeByUser(userId),
  'the user of wanted identities': (db, userId) => db.identities.findByUser(userId),
  'a method of a new session': (db, method) =>
    db.sessions.create(aSession('new', 'ada', { amr: ['pwd', method] })),
  'a method of an updated session': (db, method) =>
    db.sessions.update(aSession('1', 'ada', { amr: ['pwd', method] })),
};

const NUMBER_ARGUMENTS: { [where: string]: Call } = {
  'the version of a new user': (db, version) => db.users.create(aUser('eve', { version }), []),
  'the times of a new user': (db, createdAt) => db.users.create(aUser('eve', { createdAt }), []),
  'the version of an updated user': (db, version) => db.users.update(aUser('ada', { version })),
  'the version of an updated identity': (db, version) =>
    db.identities.update(anIdentity('ada', 'a', { version })),
  'the version of a removed identity': (db, version) => db.identities.remove('email', 'a', version),
  'the rotation of a new session': (db, rotation) => db.sessions.create(aSession('new', 'ada', { rotation })),
  'the end of a new session': (db, expiresAt) => db.sessions.create(aSession('new', 'ada', { expiresAt })),
  'the version of an updated session': (db, version) => db.sessions.update(aSession('1', 'ada', { version })),
  'the time of a revocation': (db, now) => db.sessions.revoke('1', now),
  'the time of revocations': (db, now) => db.sessions.revokeAll('ada', now, []),
  'the time of a removal of sessions': (db, now) => db.sessions.removeExpired(now),
  'the authentication of a new session': (db, authenticatedAt) =>
    db.sessions.create(aSession('new', 'ada', { authenticatedAt })),
  'the authentication of an updated session': (db, authenticatedAt) =>
    db.sessions.update(aSession('1', 'ada', { authenticatedAt })),
  'the end of a token': (db, expiresAt) => db.oneTimeTokens.put(aToken('key', 'new', { expiresAt })),
  'the time of a removal of tokens': (db, now) => db.oneTimeTokens.removeExpired(now),
};

const DATA_ARGUMENTS: { [where: string]: Call } = {
  'the profile of a new user': (db, profile) =>
    db.users.create(aUser('eve', { profile }), [anIdentity('eve', 'new')]),
  'the profile of an updated user': (db, profile) => db.users.update(aUser('ada', { profile })),
  'the data of an identity of a new user': (db, data) =>
    db.users.create(aUser('eve'), [anIdentity('eve', 'new'), anIdentity('eve', 'newer', { data })]),
  'the data of an inserted identity': (db, data) => db.identities.insert(anIdentity('ada', 'new', { data })),
  'the data of an updated identity': (db, data) => db.identities.update(anIdentity('ada', 'a', { data })),
  'the data of a token': (db, data) => db.oneTimeTokens.put(aToken('key', 'new', { data })),
};

const LIST_ARGUMENTS: { [where: string]: Call } = {
  'the identities of a new user': (db, identities) => db.users.create(aUser('eve'), identities),
  'the e-mails of a new user': (db, emails) => db.users.create(aUser('eve', { emails }), []),
  'the ids of wanted users': (db, ids) => db.users.findMany(ids),
  'the ids of wanted sessions': (db, ids) => db.sessions.findMany(ids),
  'the methods of a new session': (db, amr) => db.sessions.create(aSession('new', 'ada', { amr })),
  'the methods of an updated session': (db, amr) => db.sessions.update(aSession('1', 'ada', { amr })),
  'the exceptions of revoked sessions': (db, ids) => db.sessions.revokeAll('ada', NOW, ids),
};

type CounterCall = (counters: CounterStore, bad: never) => Promise<unknown>;

const COUNTER_STRINGS: { [where: string]: CounterCall } = {
  'the key that is added to': (counters, key) => counters.add(aCounter(key), NOW),
  'the key of what is put': (counters, key) => counters.put(aCounter(key)),
  'the key that is wanted': (counters, key) => counters.find(key),
  'the key that is removed': (counters, key) => counters.remove(key),
};

const COUNTER_NUMBERS: { [where: string]: CounterCall } = {
  'what is added': (counters, points) => counters.add(aCounter('a', { points }), NOW),
  'the end of what is added': (counters, expiresAt) => counters.add(aCounter('new', { expiresAt }), NOW),
  'the time of an addition': (counters, now) => counters.add(aCounter('a'), now),
  'what is put': (counters, points) => counters.put(aCounter('a', { points })),
  'the end of what is put': (counters, expiresAt) => counters.put(aCounter('a', { expiresAt })),
  'the time of a removal of counters': (counters, now) => counters.removeExpired(now),
};

const NO_LISTS: unknown[] = [{ $ne: null }, { length: 1, 0: 'ada' }, 'ada', 1, null, undefined, true];

export function refusalsConformance({ describe, on, expect }: Bench): void {
  const refuses = (calls: { [where: string]: Call }, values: readonly unknown[], what: string): void => {
    for (const [where, call] of Object.entries(calls))
      on(`${where} is refused with a TypeError where it is no ${what}, and nothing changes`, async (db) => {
        await fill(db);
        const before = await contents(db);
        for (const value of values) expect(await errorOf(() => call(db, value as never))).toBe('TypeError');
        expect(await contents(db)).toEqual(before);
      });
  };

  const refusesCounting = (
    name: string,
    countersOf: (db: AccountsDatabase) => CounterStore | undefined,
    calls: { [where: string]: CounterCall },
    values: readonly unknown[],
    what: string,
  ): void => {
    for (const [where, call] of Object.entries(calls))
      on(`${where}, in ${name}, is refused with a TypeError where it is no ${what}`, async (db) => {
        const counters = countersOf(db);
        if (!counters) return;
        await counters.put(aCounter('a'));
        for (const value of values)
          expect(await errorOf(() => call(counters, value as never))).toBe('TypeError');
        expect(await Promise.all(['a', 'new'].map((key) => counters.find(key)))).toEqual([
          aCounter('a'),
          null,
        ]);
      });
  };

  describe('values of another type', () => {
    refuses(STRING_ARGUMENTS, NO_STRINGS, 'well-formed string');
    refuses(NUMBER_ARGUMENTS, NO_NUMBERS, 'finite number');
    refuses(DATA_ARGUMENTS, NO_DATA, 'object of JSON');
    refuses(LIST_ARGUMENTS, NO_LISTS, 'array');
    for (const [name, countersOf] of Object.entries(COUNTERS)) {
      refusesCounting(name, countersOf, COUNTER_STRINGS, NO_STRINGS, 'well-formed string');
      refusesCounting(name, countersOf, COUNTER_NUMBERS, NO_NUMBERS, 'finite number');
    }
    // To remove all of them, the purpose is left out.
    refuses(
      { 'the purpose of removed tokens': (db, purpose) => db.oneTimeTokens.removeByUser('ada', purpose) },
      [...NO_STRINGS.filter((value) => value !== undefined), null],
      'well-formed string',
    );
  });
}

async function fill(db: AccountsDatabase): Promise<void> {
  await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
  await db.sessions.create(aSession('1', 'ada'));
  await db.oneTimeTokens.put(aToken('key', 'hash'));
}

/** All that is there, and all that a refused call would have made. */
function contents(db: AccountsDatabase): Promise<unknown[]> {
  return Promise.all([
    db.users.findMany(['ada', 'eve']),
    ...['a', 'new', 'newer'].map((subject) => db.identities.find('email', subject)),
    db.sessions.findMany(['1', 'new']),
    db.sessions.findByUser('ada'),
    ...['hash', 'new'].map((hash) => db.oneTimeTokens.find(hash)),
  ]);
}
