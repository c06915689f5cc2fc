import { Cluster, Redis } from 'ioredis';
import { SECOND } from '../../core/time.ts';
import type { SessionStore } from '../../database/ports.ts';
import { redisSessions } from '../../database/redis/index.ts';
import type { SessionsUrl } from './urls.ts';

const ANSWER = 5 * SECOND;
const MAX_WAIT_TO_RECONNECT = SECOND;

export interface OpenRedis {
  store: SessionStore;
  place: string;
  ping(): Promise<void>;
  /** What of its settings may cost sessions, or bring some back. */
  warnings(): Promise<string[]>;
  close(): Promise<void>;
}

export function openRedis({ nodes, cluster, tls, username, password, db }: SessionsUrl): OpenRedis {
  const options = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: ANSWER,
    commandTimeout: ANSWER,
    maxRetriesPerRequest: 2,
  };
  const wait = (attempt: number): number => Math.min(attempt * 100, MAX_WAIT_TO_RECONNECT);
  const [{ host, port }] = nodes;
  const client = cluster
    ? new Cluster([...nodes], {
        redisOptions: options,
        clusterRetryStrategy: wait,
        slotsRefreshTimeout: ANSWER,
      })
    : new Redis({ ...options, host, port, db, retryStrategy: wait });
  // Why a connection was lost; those who wait for an answer learn of it. Without a listener it would be written out.
  let lost: Error | null = null;
  client.on('error', (error: Error) => {
    lost = error;
  });
  const store = redisSessions(client);
  return {
    store,
    place: `redis://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    warnings: () => store.warnings(),
    ping: async () => {
      try {
        await store.ping();
      } catch (error) {
        throw lost ?? error;
      }
    },
    close: async () => client.disconnect(),
  };
}
