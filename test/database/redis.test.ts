import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { redisSessions } from '../../src/database/redis/index.ts';
import {
  Cluster,
  flushAll,
  HAS_REDIS,
  present,
  Redis,
  startRedis,
  startRedisCluster,
} from '../servers/redis.ts';
import { exercised } from '../stores.ts';

describe.skipIf(!HAS_REDIS)('redisSessions on one server', () => {
  let client: Redis;
  let close: () => Promise<void>;
  beforeAll(async () => {
    exercised('Redis');
    const server = present(await startRedis());
    client = new Redis(server.url);
    close = () => server.close();
  });
  afterAll(async () => {
    client.disconnect();
    await close();
  });

  databaseConformance({ describe, test, expect }, async () => {
    await flushAll(client);
    return { ...memoryDatabase(), sessions: redisSessions(client) };
  });
});

describe.skipIf(!HAS_REDIS)('redisSessions on a cluster', () => {
  let client: Cluster;
  let close: () => Promise<void>;
  beforeAll(async () => {
    exercised('Redis cluster');
    const cluster = present(await startRedisCluster());
    client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    close = cluster.close;
  }, 60_000);
  afterAll(async () => {
    client.disconnect();
    await close();
  });

  databaseConformance({ describe, test, expect }, async () => {
    await flushAll(client);
    return { ...memoryDatabase(), sessions: redisSessions(client) };
  });
});
