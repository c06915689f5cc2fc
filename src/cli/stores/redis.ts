import { Cluster, Redis } from 'ioredis';
import { SECOND } from '../../core/time.ts';
import type { SessionStore } from '../../database/ports.ts';
import { redisSessions } from '../../database/redis/index.ts';
import type { OpenStore } from './open-store.ts';
import type { SessionsUrl } from './urls.ts';

const ANSWER = 5 * SECOND;
const MAX_WAIT_TO_RECONNECT = SECOND;

export interface OpenRedis extends OpenStore<SessionStore> {
  ping(): Promise<void>;
  /** What of its settings may cost sessions, or bring some back. */
  warnings(): Promise<string[]>;
}

export function openRedis({ nodes, cluster, tls, username, password, db }: SessionsUrl): OpenRedis {
  const options = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: ANSWER,
    commandTimeout: ANSWER,
    // A connection that was cut without a word would be asked for a quarter of an hour, until the system gives it up.
    socketTimeout: ANSWER,
    maxRetriesPerRequest: 2,
  };
  const wait = (attempt: number): number => Math.min(attempt * 100, MAX_WAIT_TO_RECONNECT);
  const [{ host, port }] = nodes;
  const client = cluster
    ? new Cluster([...nodes], {
        redisOptions: options,
        clusterRetryStrategy: wait,
        slotsRefreshTimeout: ANSWER,
        // While no node is there, requests would pile up without end.
        enableOfflineQueue: false,
        // Certificates are for names, not for addresses.
        ...(tls && { dnsLookup: (host, found) => found(null, host) }),
      })
    : new Redis({ ...options, host, port, db, retryStrategy: wait });
  // Why a connection was lost; those who wait for an answer learn of it. Without a listener it would be written out.
  let lost: Error | null = null;
  client.on('error', (error: Error) => {
    lost = reasonOf(error);
  });
  client.on('ready', () => {
    lost = null;
  });
  const connected = cluster ? firstConnection(client) : Promise.resolve();
  // It is for `ping` to tell.
  connected.catch(() => undefined);
  const store = redisSessions(client);
  return {
    store,
    place: `${tls ? 'rediss' : 'redis'}://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    warnings: () => store.warnings(),
    ping: async () => {
      try {
        await connected;
        await store.ping();
      } catch (error) {
        throw lost ?? error;
      }
    },
    close: async () => client.disconnect(),
  };
}

/** Resolves once the client of a cluster is ready, and throws when none of the nodes that it was told can be used. */
function firstConnection(client: Redis | Cluster): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve());
    client.once('error', reject);
  });
}

/** What the last node has said, where none of a cluster can be used. */
function reasonOf(error: Error & { lastNodeError?: Error | null }): Error {
  const said = error.lastNodeError ?? error;
  return said.message === 'Connection is closed.' ? new Error('no node can be reached') : said;
}
