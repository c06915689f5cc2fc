import { checkedDatabase } from '../checked.ts';
import { memoryCounters } from '../memory-counters.ts';
import type {
  AccountsDatabase,
  IdentityRecord,
  IdentityStore,
  OneTimeTokenRecord,
  OneTimeTokenStore,
  SessionRecord,
  SessionStore,
  UserRecord,
  UserStore,
} from '../ports.ts';

/**
 * A database in this process's memory, for tests and first tries: it is empty at every start, no other process
 * sees it, and nothing bounds it.
 *
 * ```ts
 * const accountsServer = new AccountsServer({ db: memoryDatabase(), tokenSecret }, services);
 * ```
 */
export function memoryDatabase(): AccountsDatabase {
  const identities = new Map<string, IdentityRecord>();
  return checkedDatabase(
    {
      users: memoryUsers(identities),
      identities: memoryIdentities(identities),
      sessions: memorySessions(),
      oneTimeTokens: memoryOneTimeTokens(),
      counters: memoryCounters(),
    },
    { ping: async () => undefined, migrate: async () => undefined },
  );
}

// JSON, because no separator is impossible in a subject.
const keyOf = (service: string, subject: string): string => JSON.stringify([service, subject]);

/** Copies on the way in and out: what the caller does to its record does nothing to ours. */
const copy = structuredClone;

function memoryUsers(identities: Map<string, IdentityRecord>): UserStore {
  const users = new Map<string, UserRecord>();
  return {
    create: async (user, claims) => {
      if (users.has(user.id)) return { service: 'id', subject: user.id };
      const claimed = new Map<string, IdentityRecord>();
      for (const claim of claims) {
        const { service, subject } = claim;
        const key = keyOf(service, subject);
        if (identities.has(key) || claimed.has(key)) return { service, subject };
        claimed.set(key, copy(claim));
      }
      users.set(user.id, copy(user));
      for (const [key, identity] of claimed) identities.set(key, identity);
      return null;
    },
    findMany: async (ids) => ids.map((id) => copy(users.get(id) ?? null)),
    update: async (user) => {
      if (users.get(user.id)?.version !== user.version) return false;
      users.set(user.id, { ...copy(user), version: user.version + 1 });
      return true;
    },
  };
}

function memoryIdentities(identities: Map<string, IdentityRecord>): IdentityStore {
  return {
    find: async (service, subject) => copy(identities.get(keyOf(service, subject)) ?? null),
    findByUser: async (userId) => copy([...identities.values()].filter((known) => known.userId === userId)),
    insert: async (identity) => {
      const key = keyOf(identity.service, identity.subject);
      if (identities.has(key)) return false;
      identities.set(key, copy(identity));
      return true;
    },
    update: async (identity) => {
      const key = keyOf(identity.service, identity.subject);
      const stored = identities.get(key);
      if (stored?.version !== identity.version) return false;
      const { userId, data } = copy(identity);
      identities.set(key, { ...stored, userId, data, version: identity.version + 1 });
      return true;
    },
    remove: async (service, subject, version) => {
      const key = keyOf(service, subject);
      return identities.get(key)?.version === version && identities.delete(key);
    },
  };
}

function memorySessions(): SessionStore {
  const sessions = new Map<string, SessionRecord>();
  const liveOf = (userId: string): SessionRecord[] =>
    [...sessions.values()].filter((session) => session.userId === userId && session.revokedAt === null);
  return {
    create: async (session) => {
      if (sessions.has(session.id)) throw new Error('There is a session with this id already.');
      sessions.set(session.id, copy(session));
    },
    findMany: async (ids) => ids.map((id) => copy(sessions.get(id) ?? null)),
    update: async (session) => {
      const stored = sessions.get(session.id);
      if (stored?.version !== session.version || stored.revokedAt !== null) return false;
      sessions.set(session.id, { ...copy(session), version: session.version + 1 });
      return true;
    },
    revoke: async (id, now) => {
      const stored = sessions.get(id);
      if (stored?.revokedAt !== null) return false;
      stored.revokedAt = now;
      return true;
    },
    revokeAll: async (userId, now, exceptSessionIds) => {
      for (const session of liveOf(userId))
        if (!exceptSessionIds.includes(session.id)) session.revokedAt = now;
    },
    findByUser: async (userId) => copy(liveOf(userId)).sort((a, b) => b.createdAt - a.createdAt),
    removeExpired: async (now) =>
      removeWhere(sessions, (session) => Math.min(session.expiresAt, session.idleExpiresAt) < now),
  };
}

function memoryOneTimeTokens(): OneTimeTokenStore {
  const tokens = new Map<string, OneTimeTokenRecord>();
  const keys = new Map<string, string>();
  const byHash = (hash: string): OneTimeTokenRecord | null => tokens.get(keys.get(hash) ?? '') ?? null;
  const remove = (key: string): void => {
    keys.delete(tokens.get(key)?.hash ?? '');
    tokens.delete(key);
  };
  const removeAll = (is: (token: OneTimeTokenRecord) => boolean): number => {
    const found = [...tokens.values()].filter(is);
    for (const { key } of found) remove(key);
    return found.length;
  };
  return {
    put: async (token) => {
      const known = byHash(token.hash);
      if (known && known.key !== token.key) throw new Error('There is a token with this hash already.');
      remove(token.key);
      tokens.set(token.key, copy(token));
      keys.set(token.hash, token.key);
    },
    find: async (hash) => copy(byHash(hash)),
    consume: async (hash, purpose) => {
      const token = byHash(hash);
      if (token?.purpose !== purpose) return null;
      remove(token.key);
      return token;
    },
    remove: async (key) => remove(key),
    removeByUser: async (userId, purpose) => {
      removeAll((token) => token.userId === userId && (purpose === undefined || token.purpose === purpose));
    },
    removeExpired: async (now) => removeAll((token) => token.expiresAt < now),
  };
}

function removeWhere<T>(records: Map<string, T>, matches: (record: T) => boolean): number {
  let removed = 0;
  for (const [key, record] of records) if (matches(record) && records.delete(key)) removed++;
  return removed;
}
