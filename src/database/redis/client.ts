/** What is used of a client of ioredis, alone (`Redis`) or of a cluster (`Cluster`). */
export interface RedisClient {
  isCluster: boolean;
  status: string;
  get(key: string): Promise<string | null>;
  mget(keys: string[]): Promise<(string | null)[]>;
  hget(key: string, field: string): Promise<string | null>;
  set(key: string, value: string, px: 'PX', milliseconds: number): Promise<'OK' | null>;
  set(key: string, value: string, px: 'PX', milliseconds: number, nx: 'NX'): Promise<'OK' | null>;
  del(key: string): Promise<number>;
  pexpire(key: string, milliseconds: number): Promise<number>;
  exists(key: string): Promise<number>;
  evalsha(sha: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
  eval(source: string, keys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, reply: unknown][] | null> };
  on(event: 'error' | 'close' | 'end', listener: () => void): unknown;
  disconnect(): void;
}

/** What tells a client of one server from that of a cluster, beyond the commands. */
interface Kind {
  options?: { scaleReads?: unknown; role?: unknown; readOnly?: unknown; db?: unknown };
  condition?: { select?: unknown } | null;
  duplicate(...args: unknown[]): RedisClient;
}

/**
 * Throws a TypeError for a client that may read from replicas: one may not know yet that a session was revoked, and
 * its owner would stay logged in.
 */
export function checkClient(client: RedisClient): void {
  if (typeof client?.pipeline !== 'function' || typeof client.pexpire !== 'function')
    throw new TypeError('client must be a Redis or a Cluster of ioredis');
  const { scaleReads = 'master', role, readOnly } = kindOf(client).options ?? {};
  if (scaleReads !== 'master')
    throw new TypeError(
      "redisSessions reads from primaries only: give it cluster.duplicate([], { scaleReads: 'master' })",
    );
  if (role === 'slave' || readOnly === true)
    throw new TypeError('redisSessions needs a client of the primary, not of a replica');
}

export interface SecondConnection {
  open(): RedisClient;
  /** Gives up a connection, so that the next to need one gets another. */
  drop(connection: RedisClient): void;
}

/**
 * A connection beside that of the client, made when it is needed and ended with that of the client: where the client
 * finds another server after a fail-over, it does too. It does not reconnect: whoever waits for an answer when it breaks
 * is told so, and the next one gets another.
 */
export function secondConnection(client: RedisClient): SecondConnection {
  let second: RedisClient | null = null;
  let isWatched = false;
  const forget = (connection: RedisClient): void => {
    if (second === connection) second = null;
  };
  const drop = (connection: RedisClient): void => {
    forget(connection);
    connection.disconnect();
  };
  return {
    open: () => {
      if (second) return second;
      // Nobody would end it, and the client may be about to find another server.
      if (client.status !== 'ready') throw new Error('Connection is closed.');
      const made = duplicate(client);
      second = made;
      made.on('error', () => undefined);
      made.on('end', () => forget(made));
      if (!isWatched) client.on('close', () => second && drop(second));
      isWatched = true;
      return made;
    },
    drop,
  };
}

function duplicate(client: RedisClient): RedisClient {
  const { condition, options, duplicate } = kindOf(client);
  if (client.isCluster) {
    const cluster = { enableOfflineQueue: true, clusterRetryStrategy: () => null };
    return duplicate.call(client, [], { ...cluster, redisOptions: PATIENT });
  }
  // The database that the host has selected since.
  const db = condition?.select ?? options?.db ?? 0;
  return duplicate.call(client, { ...PATIENT, db, enableOfflineQueue: true, retryStrategy: () => null });
}

/** Replicas may take longer than the host lets an answer take, and whoever waits for them has a deadline. */
const PATIENT = { commandTimeout: undefined, socketTimeout: undefined };

const kindOf = (client: RedisClient): Kind => client as unknown as Kind;
