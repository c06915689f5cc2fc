import { describe, expect, test } from 'vitest';
import { anIdentity, aUser } from '../../src/database/conformance/records.ts';
import { collectionsOf } from '../../src/database/mongoose/connection.ts';
import type { Collections } from '../../src/database/mongoose/schema.ts';
import { mongooseStores } from '../../src/database/mongoose/stores.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { HAS_MONGO } from '../servers/mongo.ts';
import { onMongo } from './mongoose-databases.ts';
import { type Choice, newParty, type Outcome, type Play, playAll } from './mongoose-interleavings.ts';

type Stores = Pick<AccountsDatabase, 'users' | 'identities' | 'oneTimeTokens'>;

const byId = <Document extends { _id: string }>(documents: Document[]): Document[] =>
  documents.sort((a, b) => (a._id < b._id ? -1 : 1));

const SECONDS = 1_000;
const HOUR = 3_600_000;

describe.skipIf(!HAS_MONGO)('creators of one address', () => {
  const mongo = onMongo();
  let plays = 0;

  /** A scene of its own in the same collections: a clock, names, and stores whose steps are held up. */
  const scene = (collections: Collections) => {
    const suffix = ` of play ${++plays}.`;
    let time = Date.UTC(2026, 0, 1);
    const now = (): number => time;
    const named = (name: string): string => name + suffix;
    const storesOf = (open: () => Promise<Collections>, wait: () => Promise<void>): Stores =>
      mongooseStores(open, { now, wait });
    const people = ['ada', 'bob'];
    const documents = async () => {
      const ids = ['m shared', ...people.flatMap((who) => [`a ${who}`, `z ${who}`])];
      const users = collections.users.find({ _id: { $in: people.map(named) } });
      const identities = collections.identities.find({ _id: { $in: ids.map((id) => `email:${named(id)}`) } });
      const [foundUsers, foundIdentities] = await Promise.all([users.toArray(), identities.toArray()]);
      return { users: byId(foundUsers), identities: byId(foundIdentities) };
    };
    return {
      named,
      now,
      pass: (duration: number) => {
        time += duration;
      },
      /** Those of an observer, who is never held up and has nobody to wait for. */
      stores: storesOf(
        async () => collections,
        async () => {
          time += 100;
        },
      ),
      storesOf,
      documents,
      anonymous: (text: string) => text.replaceAll(suffix, ''),
      /** Signs up with an address that others want too (m), and with some of one's own, claimed before it and after. */
      signUp: ({ users }: Stores, who: string, what = 'amz') =>
        users.create(
          aUser(named(who)),
          [...what].map((place) =>
            anIdentity(named(who), named(place === 'm' ? 'm shared' : `${place} ${who}`)),
          ),
        ),
    };
  };
  type Scene = ReturnType<typeof scene>;

  const collections = async (): Promise<Collections> => {
    const { connection } = await mongo.open();
    if (!connection.db) throw new Error('the connection is not open');
    return collectionsOf(connection.db);
  };

  const playOf = (
    all: Collections,
    second: (scene: Scene, stores: Stores) => Promise<unknown>,
    check: (scene: Scene, outcomes: readonly Outcome[], events: readonly Choice[]) => Promise<void>,
  ): Play => {
    const set = scene(all);
    const parties = [newParty(), newParty()] as const;
    const [first, other] = parties.map((party) =>
      set.storesOf(
        async () => party.through(all),
        () => party.wait(),
      ),
    );
    if (!first || !other) throw new Error('there are two');
    return {
      parties,
      begin: () => {
        parties[0].begin(() => set.signUp(first, 'ada', 'mz'));
        parties[1].begin(() => second(set, other));
      },
      passTime: () => set.pass(5 * SECONDS + 1),
      documents: set.documents,
      anonymous: set.anonymous,
      check: (events) =>
        check(
          set,
          parties.map(({ outcome }) => outcome),
          events,
        ),
    };
  };

  /** Whether somebody is wholly there. Throws when it is in part. */
  const isThere = async ({ stores, named }: Scene, who: string, what = 'amz'): Promise<boolean> => {
    const [user] = await stores.users.findMany([named(who)]);
    const holders = await Promise.all(
      [...what].map(async (place) => {
        const name = place === 'm' ? 'm shared' : `${place} ${who}`;
        return (await stores.identities.find('email', named(name)))?.userId === named(who);
      }),
    );
    expect(holders).toEqual(holders.map(() => user != null));
    return user != null;
  };

  /** Every document of somebody who is not there. */
  const leftOf = async ({ documents, named }: Scene, who: string): Promise<string[]> => {
    const { users, identities } = await documents();
    return [
      ...users.filter(({ _id }) => _id === named(who)).map(({ _id }) => _id),
      ...identities.filter(({ userId }) => userId === named(who)).map(({ _id }) => _id),
    ];
  };

  const taken = ({ named }: Scene) => ({ service: 'email', subject: named('m shared') });
  const isUnavailable = (outcome: Outcome | undefined): boolean =>
    outcome != null && 'error' in outcome && outcome.error instanceof Error;

  test('two creators in every order, with every crash, lost answer and delay: one user, wholly there', {
    timeout: 120_000,
  }, async () => {
    const all = await collections();
    const moments = await playAll(() =>
      playOf(
        all,
        (set, stores) => set.signUp(stores, 'bob', 'am'),
        async (set, [ada, bob], events) => {
          const there = { ada: await isThere(set, 'ada', 'mz'), bob: await isThere(set, 'bob', 'am') };
          // One has the address, whatever has happened, and the other was told so.
          expect(there.ada).not.toBe(there.bob);
          expect(bob).toEqual({ result: there.bob ? null : taken(set) });
          const hadTrouble = events.some((event) => typeof event === 'string');
          if (!hadTrouble) expect(ada).toEqual({ result: there.ada ? null : taken(set) });
          if (ada && 'result' in ada) expect(ada.result).toEqual(there.ada ? null : taken(set));
          else if (ada) expect(isUnavailable(ada)).toBe(true);
          if (!there.bob) expect(await leftOf(set, 'bob')).toEqual([]);
          if (!there.ada && ada && !events.includes('lose')) expect(await leftOf(set, 'ada')).toEqual([]);

          // Nothing of a creator that has died or failed keeps its other addresses taken.
          set.pass(5 * SECONDS + 1);
          if (!there.ada) expect(await set.signUp(set.stores, 'ada', 'z')).toBe(null);
        },
      ),
    );
    expect(moments).toBeGreaterThan(1_000);
  });

  test('a creator and an insertion of the same address in every order, crash and delay: one has it', {
    timeout: 120_000,
  }, async () => {
    const all = await collections();
    const moments = await playAll(() =>
      playOf(
        all,
        async (set, stores) => stores.identities.insert(anIdentity(set.named('bob'), set.named('m shared'))),
        async (set, [ada, bob], events) => {
          const isAdaThere = await isThere(set, 'ada', 'mz');
          const holder = await set.stores.identities.find('email', set.named('m shared'));
          expect(holder?.userId).toBe(set.named(isAdaThere ? 'ada' : 'bob'));
          expect(bob).toEqual({ result: !isAdaThere });
          if (ada && 'result' in ada) expect(ada.result).toEqual(isAdaThere ? null : taken(set));
          else if (ada) expect(isUnavailable(ada)).toBe(true);
          if (!isAdaThere && ada && !events.includes('lose')) expect(await leftOf(set, 'ada')).toEqual([]);
        },
      ),
    );
    expect(moments).toBeGreaterThan(500);
  });

  /** Signs up, is killed before that step, and how many steps there were. */
  const killedAt = async (set: Scene, all: Collections, step: number): Promise<boolean> => {
    const party = newParty();
    const stores = set.storesOf(
      async () => party.through(all),
      () => party.wait(),
    );
    party.begin(() => set.signUp(stores, 'ada'));
    await party.halted();
    for (let done = 0; done < step && party.standing === 'asking'; done++) await party.step();
    return party.standing === 'asking';
  };

  test.each([
    ['as another user', 'bob'],
    ['as the same user', 'ada'],
  ])(
    'killed at each step of a sign-up, the retry %s succeeds after 5 s, and nothing else is left (S54)',
    async (_, who) => {
      const all = await collections();
      for (let step = 0; ; step++) {
        const set = scene(all);
        if (!(await killedAt(set, all, step))) {
          expect(step).toBe(6);
          return;
        }
        const isDone = step === 5;
        expect(await isThere(set, 'ada')).toBe(isDone);
        set.pass(5 * SECONDS + 1);
        const retried = await set.stores.users.create(
          aUser(set.named(who)),
          ['a ada', 'm shared', 'z ada'].map((name) => anIdentity(set.named(who), set.named(name))),
        );
        const conflict = who === 'ada' ? { service: 'id', subject: set.named('ada') } : taken(set);
        expect(retried).toEqual(
          isDone ? (who === 'ada' ? conflict : { ...conflict, subject: set.named('a ada') }) : null,
        );
        const holder = set.named(isDone ? 'ada' : who);
        set.pass(2 * HOUR);
        await set.stores.oneTimeTokens.removeExpired(0);
        const { users, identities } = await set.documents();
        expect(users.map(({ _id, state }) => [_id, state])).toEqual([[holder, 'active']]);
        expect(identities.map(({ _id, userId }) => [_id, userId])).toEqual(
          ['a ada', 'm shared', 'z ada'].map((name) => [`email:${set.named(name)}`, holder]),
        );
      }
    },
  );

  test('of many who want two addresses, named in either order, one gets both', async () => {
    const { db } = await mongo.open();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => {
        const claims = ['a', 'b'].map((subject) => anIdentity(`user ${n}`, subject));
        return db.users.create(aUser(`user ${n}`), n % 2 ? claims : claims.reverse());
      }),
    );
    const winners = answers.flatMap((answer, n) => (answer === null ? [`user ${n}`] : []));
    expect(winners).toHaveLength(1);
    for (const subject of ['a', 'b'])
      expect((await db.identities.find('email', subject))?.userId).toBe(winners[0]);
  });

  test('a creation that waits for others for more than 10 s is given up, and leaves nothing', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 4);
    const { users } = set.storesOf(
      async () => all,
      async () => {
        // Somebody else who never comes to an end, and never looks dead.
        set.pass(SECONDS);
        await all.users.updateOne({ _id: set.named('ada') }, { $set: { startedAt: new Date(set.now()) } });
      },
    );
    const identity = anIdentity(set.named('bob'), set.named('m shared'));
    await expect(users.create(aUser(set.named('bob')), [identity])).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    expect(await leftOf(set, 'bob')).toEqual([]);
  });

  test('a settled identity costs one query, one whose creator died after the last step one time four', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 5);
    const party = newParty();
    const { identities } = set.storesOf(
      async () => party.through(all),
      () => party.wait(),
    );
    const queries: number[] = [];
    for (let time = 0; time < 2; time++) {
      const before = party.history.length;
      party.begin(() => identities.find('email', set.named('m shared')));
      await party.halted();
      while (party.standing === 'asking') await party.step();
      queries.push(party.history.length - before);
      party.standing = 'running';
    }
    expect(queries).toEqual([4, 1]);
  });

  test('what is left of a sign-up that nobody has tried again is removed after an hour, and no younger one', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 4);
    const count = async (): Promise<number[]> => {
      const { users, identities } = await set.documents();
      return [users.length, identities.length];
    };
    expect(await count()).toEqual([1, 3]);
    set.pass(HOUR);
    await set.stores.oneTimeTokens.removeExpired(0);
    expect(await count()).toEqual([1, 3]);
    set.pass(1);
    await set.stores.oneTimeTokens.removeExpired(0);
    expect(await count()).toEqual([0, 0]);
  });

  test.each([-1, 1])('a clock that goes wrong by an hour (%i) keeps no address taken', async (sign) => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 4);
    set.pass(sign * HOUR);
    expect(await set.signUp(set.stores, 'bob')).toBe(null);
  });

  test('an identity is updated and removed though its creator died before it was settled', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 5);
    const [one, two] = ['a ada', 'z ada'].map((name) => anIdentity(set.named('ada'), set.named(name)));
    expect(one && (await set.stores.identities.update(one))).toBe(true);
    expect(two && (await set.stores.identities.remove('email', two.subject, 1))).toBe(true);
  });

  test('the identities of a sign-up are listed though its creator died before they were settled', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 5);
    const listed = async (): Promise<string[]> =>
      (await set.stores.identities.findByUser(set.named('ada'))).map(({ subject }) => subject).sort();
    const expected = ['a ada', 'm shared', 'z ada'].map(set.named);
    expect(await listed()).toEqual(expected);
    const { identities } = await set.documents();
    expect(identities.map(({ claim }) => claim)).toEqual([undefined, undefined, undefined]);
    expect(await listed()).toEqual(expected);
  });

  test('what an abandoned sign-up has left is listed with nobody, also when its user signs up again', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 4);
    await all.users.updateOne({ _id: set.named('ada') }, { $set: { state: 'abandoned' } });
    expect(await set.stores.identities.findByUser(set.named('ada'))).toEqual([]);
    // Two of the three are left: somebody has removed the user's document and died before the rest.
    await all.users.deleteOne({ _id: set.named('ada') });
    expect(await set.signUp(set.stores, 'ada', 'z')).toBe(null);
    const listed = await set.stores.identities.findByUser(set.named('ada'));
    expect(listed.map(({ subject }) => subject)).toEqual([set.named('z ada')]);
  });

  test('an identity is updated though another process settles it at the same time', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 5);
    const identity = anIdentity(set.named('ada'), set.named('m shared'));
    const party = newParty();
    const { identities } = set.storesOf(
      async () => party.through(all),
      () => party.wait(),
    );
    party.begin(() => identities.update(identity));
    await party.halted();
    await party.step();
    expect(await set.stores.identities.find('email', identity.subject)).toEqual(identity);
    while (party.standing === 'asking') await party.step();
    expect(party.outcome).toEqual({ result: true });
  });

  test('a sign-up whose last step no majority confirms is not acknowledged, though it can be read', async () => {
    const all = await collections();
    const set = scene(all);
    let hasMajority = true;
    const users = new Proxy(all.users, {
      get: (target, method) => {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const answer: unknown = await value.apply(target, args);
          if (method === 'updateOne') hasMajority = false;
          if (!hasMajority && method !== 'findOne') throw new Error('waiting for replication timed out');
          return answer;
        };
      },
    });
    const cutOff = set.storesOf(
      async () => ({ ...all, users }),
      async () => {},
    );
    await expect(set.signUp(cutOff, 'ada')).rejects.toThrow('waiting for replication timed out');
    await expect(cutOff.identities.find('email', set.named('m shared'))).rejects.toThrow();
    // When the majority comes back and has kept it, it is wholly there.
    expect(await isThere(set, 'ada')).toBe(true);
  });

  test('a unique index of an operator refuses a sign-up, and does not hold it for ever', async () => {
    const { db, connection } = await mongo.open();
    await connection.collection('accounts_users').createIndex({ 'profile.customer': 1 }, { unique: true });
    expect(await db.users.create(aUser('ada', { profile: { customer: 'secret' } }), [])).toBe(null);
    const failure: unknown = await db.users
      .create(aUser('bob', { profile: { customer: 'secret' } }), [anIdentity('bob', 'b')])
      .catch((error: unknown) => error);
    expect(failure).toEqual(
      new Error('a unique index that is not of graphql-accounts keeps a record out: drop it'),
    );
  });

  test('an identity of a sign-up under way is neither found, listed, updated nor removed', async () => {
    const all = await collections();
    const set = scene(all);
    await killedAt(set, all, 4);
    const identity = anIdentity(set.named('ada'), set.named('m shared'));
    expect(await set.stores.identities.find('email', identity.subject)).toBe(null);
    expect(await set.stores.identities.findByUser(set.named('ada'))).toEqual([]);
    expect(await set.stores.identities.update(identity)).toBe(false);
    expect(await set.stores.identities.remove('email', identity.subject, 1)).toBe(false);
    expect(await set.stores.users.update(aUser(set.named('ada')))).toBe(false);
  });
});
