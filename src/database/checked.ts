import * as checks from './checks.ts';
import type {
  AccountsDatabase,
  CounterStore,
  IdentityStore,
  NewUser,
  OneTimeTokenStore,
  SessionStore,
  UserStore,
} from './ports.ts';

/**
 * The database of an adapter, behind the checks that all adapters share: what is not of its declared type is refused
 * with a TypeError before the adapter sees it (S43). `ping`, `migrate` and `close` are those of the connection that
 * its stores have in common.
 *
 * ```ts
 * import { checkedDatabase } from 'graphql-accounts/database/checked';
 *
 * const { users, identities, sessions, oneTimeTokens, counters } = myDatabase('accounts');
 * const db = checkedDatabase({ users, identities, sessions, oneTimeTokens, counters });
 * ```
 */
export function checkedDatabase(
  stores: Stores,
  { ping, migrate, close }: { readonly [name in 'ping' | 'migrate' | 'close']?: Action | undefined } = {},
): AccountsDatabase {
  // Of its own, or of the connection that the stores have in common.
  const closable = (store: Closable) => {
    const own = close ?? store.close?.bind(store);
    return own && { close: own };
  };
  const users = { ...checkedUsers(stores.users), ...closable(stores.users) };
  const { joinedWith } = stores.sessions;
  const { counters } = stores;
  return {
    users,
    identities: { ...checkedIdentities(stores.identities), ...closable(stores.identities) },
    sessions: {
      ...checkedSessions(stores.sessions),
      ...(joinedWith && { joinedWith: joinedWith === stores.users ? users : joinedWith }),
      ...closable(stores.sessions),
    },
    oneTimeTokens: { ...checkedOneTimeTokens(stores.oneTimeTokens), ...closable(stores.oneTimeTokens) },
    ...(counters && { counters: { ...checkedCounters(counters), ...closable(counters) } }),
    invalidateAllSessions,
    ...(ping && { ping }),
    ...(migrate && { migrate }),
    close: closeStores,
  };
}

function checkedUsers(store: UserStore): UserStore {
  const createAll = store.createAll?.bind(store);
  return {
    create: async (user, identities) => {
      checks.checkNewUser(user, identities);
      return store.create(user, identities);
    },
    ...(createAll && {
      createAll: async (users: readonly NewUser[]) => {
        if (!Array.isArray(users)) throw new TypeError('users must be an array');
        for (const { user, identities } of users) checks.checkNewUser(user, identities);
        return createAll(users);
      },
    }),
    findMany: async (ids) => {
      checks.checkStrings(ids, 'ids');
      return store.findMany(ids);
    },
    update: async (user) => {
      checks.checkUser(user);
      return store.update(user);
    },
  };
}

function checkedIdentities(store: IdentityStore): IdentityStore {
  return {
    find: async (service, subject) => {
      checks.checkString(service, 'service');
      checks.checkString(subject, 'subject');
      return store.find(service, subject);
    },
    findByUser: async (userId) => {
      checks.checkString(userId, 'userId');
      return store.findByUser(userId);
    },
    insert: async (identity) => {
      checks.checkIdentity(identity);
      return store.insert(identity);
    },
    update: async (identity) => {
      checks.checkIdentity(identity);
      return store.update(identity);
    },
    remove: async (service, subject, version) => {
      checks.checkString(service, 'service');
      checks.checkString(subject, 'subject');
      checks.checkCount(version, 'version');
      return store.remove(service, subject, version);
    },
  };
}

/** The same for a store of sessions alone, which is composed with the other stores of another adapter. */
export function checkedSessions(store: SessionStore): SessionStore {
  const findWithUsers = store.findWithUsers?.bind(store);
  const close = store.close?.bind(store);
  const { counters } = store;
  return {
    ...(close && { close }),
    ...(counters && { counters: checkedCounters(counters) }),
    create: async (session) => {
      checks.checkSession(session);
      return store.create(session);
    },
    findMany: async (ids) => {
      checks.checkStrings(ids, 'ids');
      return store.findMany(ids);
    },
    ...(findWithUsers && {
      findWithUsers: async (ids: readonly string[]) => {
        checks.checkStrings(ids, 'ids');
        return findWithUsers(ids);
      },
    }),
    update: async (session) => {
      checks.checkSession(session);
      return store.update(session);
    },
    revoke: async (id, now) => {
      checks.checkString(id, 'id');
      checks.checkNumber(now, 'now');
      return store.revoke(id, now);
    },
    revokeAll: async (userId, now, exceptSessionIds) => {
      checks.checkString(userId, 'userId');
      checks.checkNumber(now, 'now');
      checks.checkStrings(exceptSessionIds, 'exceptSessionIds');
      return store.revokeAll(userId, now, exceptSessionIds);
    },
    findByUser: async (userId) => {
      checks.checkString(userId, 'userId');
      return store.findByUser(userId);
    },
    removeExpired: async (now) => {
      checks.checkNumber(now, 'now');
      return store.removeExpired(now);
    },
  };
}

function checkedOneTimeTokens(store: OneTimeTokenStore): OneTimeTokenStore {
  return {
    put: async (token) => {
      checks.checkOneTimeToken(token);
      return store.put(token);
    },
    find: async (hash) => {
      checks.checkString(hash, 'hash');
      return store.find(hash);
    },
    consume: async (hash, purpose) => {
      checks.checkString(hash, 'hash');
      checks.checkString(purpose, 'purpose');
      return store.consume(hash, purpose);
    },
    remove: async (key) => {
      checks.checkString(key, 'key');
      return store.remove(key);
    },
    removeByUser: async (userId, purpose) => {
      checks.checkString(userId, 'userId');
      if (purpose !== undefined) checks.checkString(purpose, 'purpose');
      return store.removeByUser(userId, purpose);
    },
    removeExpired: async (now) => {
      checks.checkNumber(now, 'now');
      return store.removeExpired(now);
    },
  };
}

/** The same for counters alone. */
export function checkedCounters(store: CounterStore): CounterStore {
  const close = store.close?.bind(store);
  return {
    ...(close && { close }),
    add: async (counter, now) => {
      checks.checkCounter(counter);
      checks.checkNumber(now, 'now');
      return store.add(counter, now);
    },
    put: async (counter) => {
      checks.checkCounter(counter);
      return store.put(counter);
    },
    find: async (key) => {
      checks.checkString(key, 'key');
      return store.find(key);
    },
    remove: async (key) => {
      checks.checkString(key, 'key');
      return store.remove(key);
    },
    removeExpired: async (now) => {
      checks.checkNumber(now, 'now');
      return store.removeExpired(now);
    },
  };
}

type Action = () => Promise<void>;

type Closable = { close?(): Promise<void> };

type Stores = Pick<AccountsDatabase, 'users' | 'identities' | 'sessions' | 'oneTimeTokens' | 'counters'>;

/** Functions, so that they act on the stores of the database that they were spread into. */
async function invalidateAllSessions(
  this: Stores,
  userId: string,
  exceptSessionIds: readonly string[] = [],
): Promise<void> {
  await this.sessions.revokeAll(userId, Date.now(), exceptSessionIds);
}

async function closeStores(this: Stores): Promise<void> {
  const { users, identities, sessions, oneTimeTokens, counters } = this;
  // Each is closed, whatever becomes of the others.
  const stores = [users, identities, sessions, oneTimeTokens, counters, sessions.counters];
  const closing = stores.map(async (store) => store?.close?.());
  await Promise.allSettled(closing);
  await Promise.all(closing);
}
