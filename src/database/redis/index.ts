import { needPackage } from '../../need-package.ts';
import { checkedCounters, checkedSessions } from '../checked.ts';
import { checkString } from '../checks.ts';
import type { CounterStore, SessionStore } from '../ports.ts';
import { checkClient, type RedisClient } from './client.ts';
import { createCounters } from './counters.ts';
import { findWarnings, pingPrimaries } from './health.ts';
import { keysWith } from './keys.ts';
import { quiet, quietCounters, quietly } from './quiet.ts';
import { createSessions } from './sessions.ts';

export type { RedisClient } from './client.ts';

needPackage('ioredis', 'graphql-accounts/database/redis');

export interface RedisSessionsOptions {
  /** Begins the name of every key, before the `keyPrefix` that the client may have. `accounts` by default. */
  prefix?: string | undefined;
  /**
   * The time in milliseconds since 1970, from the clock that the `AccountsServer` has: every key lives for what is
   * left of its session by this clock, and what has ended by it is gone. `Date.now` by default.
   */
  now?: (() => number) | undefined;
  /**
   * How many replicas have to confirm a refresh or a revocation before it is acknowledged, so that a replica which
   * takes over knows of it. `'connected'`, the default: all that are connected to the primary at that time, none where
   * there are none. A number is needed also while fewer are connected; name as many as may be promoted.
   */
  replicas?: number | 'connected' | undefined;
  /**
   * For how long, in milliseconds, replicas are waited for. Then the call fails. 2,000 by default: a replica that has
   * just joined may need one second.
   */
  replicaPatience?: number | undefined;
}

export interface RedisSessions extends SessionStore {
  readonly counters: CounterStore;
  /** Asks every primary. Throws when one does not answer, is a replica, is older than Redis 6 or needs a `Cluster`. */
  ping(): Promise<void>;
  /** One line for each setting of a primary under which sessions may be lost, or may come back; for a log at start. */
  warnings(): Promise<string[]>;
}

/**
 * Sessions in Redis, through a `Redis` or a `Cluster` of ioredis, for a database whose other stores are elsewhere:
 *
 * ```ts
 * const client = new Redis('redis://127.0.0.1:6379');
 * const db = { ...mongooseDatabase(connection), sessions: redisSessions(client) };
 * const accountsServer = new AccountsServer({ db, tokenSecret }, services);
 * ```
 *
 * The client stays the host's: it is not closed here, and is used as it is set up. Where replicas are waited for, a
 * duplicate of it is opened for that, and ends with it.
 *
 * Guesses are counted there too, in `counters`, whatever the other stores offer.
 *
 * Every key has a TTL. Whatever Redis loses, by eviction, a flush, or a fail-over, ends sessions; it revives none
 * that was revoked. An acknowledged revocation survives a fail-over to a replica that had to confirm it, and a restart
 * as far as the persistence of the server goes. `removeExpired` is left to Redis.
 *
 * @throws TypeError when the client would read from replicas, or an option cannot be meant.
 */
export function redisSessions(client: RedisClient, options: RedisSessionsOptions = {}): RedisSessions {
  const { prefix = 'accounts', now = Date.now, replicas = 'connected', replicaPatience = 2_000 } = options;
  checkClient(client);
  checkString(prefix, 'prefix');
  if (prefix === '') throw new TypeError('prefix must not be empty');
  if (typeof now !== 'function') throw new TypeError('now must be a function');
  if (replicas !== 'connected' && !(Number.isSafeInteger(replicas) && replicas >= 0))
    throw new TypeError("replicas must be 'connected' or a number of replicas");
  // WAIT takes 0 for ever.
  if (!(Number.isSafeInteger(replicaPatience) && replicaPatience > 0))
    throw new TypeError('replicaPatience must be a number of milliseconds above 0');

  const replication = { replicas, patience: replicaPatience };
  const anyKey = keysWith(prefix).session('');
  const counters = checkedCounters(quietCounters(createCounters(client, { prefix, now })));
  return {
    ...checkedSessions(quiet(createSessions(client, { prefix, now, replication }))),
    counters,
    ping: quietly(() => pingPrimaries(client, anyKey)),
    warnings: quietly(() => findWarnings(client, anyKey)),
  };
}
