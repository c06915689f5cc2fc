import type { CounterStore, SessionStore } from '../ports.ts';

/**
 * The same store, whose errors tell what went wrong and not with which session: ioredis hangs the arguments of a
 * command on its errors, and a log that shows an error whole would keep addresses and user agents, or the password of
 * a client that is refused.
 */
export function quiet(store: SessionStore): SessionStore {
  return {
    create: quietly(store.create),
    findMany: quietly(store.findMany),
    update: quietly(store.update),
    revoke: quietly(store.revoke),
    revokeAll: quietly(store.revokeAll),
    findByUser: quietly(store.findByUser),
    removeExpired: quietly(store.removeExpired),
  };
}

/** The same for counters, whose keys may tell who has tried to log in. */
export function quietCounters(store: CounterStore): CounterStore {
  return {
    add: quietly(store.add),
    put: quietly(store.put),
    find: quietly(store.find),
    remove: quietly(store.remove),
    removeExpired: quietly(store.removeExpired),
  };
}

/** The same for one call. */
export function quietly<A extends unknown[], T>(
  call: (...args: A) => Promise<T>,
): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await call(...args);
    } catch (error) {
      withoutCommand(error);
      throw error;
    }
  };
}

function withoutCommand(error: unknown): void {
  if (!(error instanceof Error)) return;
  if ('command' in error) delete error.command;
  // That of a cluster, none of whose nodes can be used.
  if ('lastNodeError' in error) withoutCommand(error.lastNodeError);
}
