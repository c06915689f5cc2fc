import type { AccountsDatabase, CounterStore, SessionWithUser } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { within } from './deadline.ts';
import type { Report } from './report.ts';
import { NOBODY } from './user.ts';

/** What core uses of a database. */
export interface Store extends Pick<AccountsDatabase, Exclude<StoreName, 'counters'>> {
  /** Those beside the sessions, or else those of the database; null where neither has any. */
  readonly counters: CounterStore | null;
  /** Sessions with their users, in one query where the database can; as a whole within the time of an operation. */
  sessionsWithUsers(ids: readonly string[]): Promise<(SessionWithUser | null)[]>;
  /** Resolves when the users and the sessions answer. Throws SERVICE_UNAVAILABLE. */
  ping(): Promise<void>;
}

interface Stores extends Pick<AccountsDatabase, 'users' | 'identities' | 'sessions' | 'oneTimeTokens'> {
  counters: CounterStore;
}

type StoreName = keyof Stores;
type Optional = 'createAll' | 'findWithUsers' | 'joinedWith' | 'counters' | 'close';

/** Every method that an adapter has to have; the type keeps the lists whole. */
export const STORE_METHODS: {
  readonly [S in StoreName]: { readonly [M in Exclude<keyof Stores[S], Optional>]: true };
} = {
  users: { create: true, findMany: true, update: true },
  identities: { find: true, findByUser: true, insert: true, update: true, remove: true },
  sessions: {
    create: true,
    findMany: true,
    update: true,
    revoke: true,
    revokeAll: true,
    findByUser: true,
    removeExpired: true,
  },
  oneTimeTokens: {
    put: true,
    find: true,
    consume: true,
    remove: true,
    removeByUser: true,
    removeExpired: true,
  },
  counters: { add: true, put: true, find: true, remove: true, removeExpired: true },
};

/**
 * A database whose every failure is SERVICE_UNAVAILABLE and whose every call ends within the deadline: the text of a
 * driver's error reaches no client, and a store that hangs holds no request for ever. Throws a TypeError for a
 * database that lacks a method.
 */
export function createStore(
  db: AccountsDatabase,
  deadline: number,
  report: Report,
  { operationTimeout = deadline }: { operationTimeout?: number } = {},
): Store {
  const { sessions, users } = db;
  // Not for us: applications call it.
  if (typeof db.invalidateAllSessions !== 'function')
    throw new TypeError('the database has no method invalidateAllSessions');
  const guard = guardWith(deadline, report);
  // Two calls may take as long each, and together no longer than an operation.
  const asWhole = guardWith(operationTimeout, report);
  const guarded = <S extends StoreName>(name: S, port: unknown = db[name]): Stores[S] => {
    const methods = Object.keys(STORE_METHODS[name]);
    if (typeof port !== 'object' || port === null) throw new TypeError(`the database has no store ${name}`);
    const missing = methods.find((method) => typeof methodOf(port, method) !== 'function');
    if (missing !== undefined) throw new TypeError(`the database has no method ${name}.${missing}`);
    // Called on the store itself: the methods of a class find their `this`.
    const calls = methods.map((method) => [
      method,
      (...args: unknown[]) => guard(`${name}.${method}`, () => methodOf(port, method)?.apply(port, args)),
    ]);
    return Object.fromEntries(calls);
  };
  const counters = sessions?.counters ?? db.counters ?? null;
  const stores = { users: guarded('users'), sessions: guarded('sessions') };
  return {
    ...stores,
    identities: guarded('identities'),
    oneTimeTokens: guarded('oneTimeTokens'),
    counters: counters && guarded('counters', counters),
    sessionsWithUsers: (ids) => {
      const { findWithUsers } = sessions;
      if (findWithUsers && sessions.joinedWith === users)
        return guard('sessions.findWithUsers', () => findWithUsers.call(sessions, ids));
      return asWhole('sessions and their users', () => withUsers(stores, ids));
    },
    // The ping of a composed database is that of one of its adapters, so users and sessions are asked themselves.
    ping: () =>
      guard('ping', async () => {
        await Promise.all([db.ping?.(), users.findMany([NOBODY]), sessions.findMany([NOBODY])]);
      }),
  };
}

async function withUsers(
  { sessions, users }: Pick<Stores, 'sessions' | 'users'>,
  ids: readonly string[],
): Promise<(SessionWithUser | null)[]> {
  const found = await sessions.findMany(ids);
  const userIds = [...new Set(found.flatMap((session) => session?.userId ?? []))];
  const owners = userIds.length > 0 ? await users.findMany(userIds) : [];
  const byId = new Map(owners.map((user) => [user?.id, user]));
  return found.map((session) => session && { session, user: byId.get(session.userId) ?? null });
}

type Method = (...args: unknown[]) => unknown;

function methodOf(port: object, name: string): Method | undefined {
  return (port as { readonly [method: string]: Method | undefined })[name];
}

function guardWith(deadline: number, report: Report) {
  return async <T>(where: string, call: () => T | PromiseLike<T>): Promise<T> => {
    try {
      return await within(deadline, call(), () => {
        throw new Error(`no answer within ${deadline} ms`);
      });
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      report(error, `the database (${where})`);
      throw new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause: error });
    }
  };
}
