import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aSession, NOW } from '../../src/database/conformance/records.ts';
import { redisSessions } from '../../src/database/redis/index.ts';
import type { TestServer } from '../servers/process.ts';
import {
  Cluster,
  HAS_REDIS,
  moveKey,
  present,
  Redis,
  startRedis,
  startRedisCluster,
  startRedisReplication,
  type TestCluster,
  type TestReplication,
  until,
} from '../servers/redis.ts';
import { exercised } from '../stores.ts';

const IDS = Array.from({ length: 200 }, (_, n) => `session ${n}`);

const open = (server: TestServer, options = {}): Redis => {
  const client = new Redis(server.url, options);
  client.on('error', () => undefined);
  return client;
};

describe.skipIf(!HAS_REDIS)('a primary with a replica (S22)', () => {
  let servers: TestReplication;
  let client: Redis;
  let promoted: Redis;
  beforeAll(() => exercised('Redis'));
  beforeEach(async () => {
    servers = present(await startRedisReplication());
    client = open(servers.primary);
    promoted = open(servers.replica);
    return async () => {
      client.disconnect();
      promoted.disconnect();
      await servers.close();
    };
  });

  const revokedAt = async (on: Redis, ids: readonly string[]) =>
    (await redisSessions(on).findMany(ids)).map((session) => session?.revokedAt);

  test('an acknowledged revocation survives the death of the primary in the midst of others', async () => {
    const mortal = open(servers.primary, { retryStrategy: () => null });
    const sessions = redisSessions(mortal);
    for (const id of IDS) await sessions.create(aSession(id, `user of ${id}`));
    // The primary is ahead of its replica by this much.
    await servers.way.turn('slow', 20);
    const revoked: string[] = [];
    const waiting = [...IDS];
    const workers = Array.from({ length: 20 }, async (_, n) => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        if (n % 2 === 0) await sessions.revoke(id, NOW);
        else await sessions.revokeAll(`user of ${id}`, NOW, []);
        revoked.push(id);
      }
    });
    const over = Promise.allSettled(workers);
    await until(async () => revoked.length >= IDS.length / 2);
    await servers.primary.kill();
    await servers.promote();
    const acknowledged = [...revoked];
    await over;
    expect(acknowledged.length).toBeLessThan(IDS.length);
    expect(await revokedAt(promoted, acknowledged)).toEqual(acknowledged.map(() => NOW));
  });

  test('what no replica has confirmed is not acknowledged, though look-ups go on', async () => {
    const sessions = redisSessions(client, { replicaPatience: 300 });
    await sessions.create(aSession('1', 'ada'));
    await until(async () => (await promoted.hexists('accounts:user:ada', ':1')) === 1);
    await servers.way.turn('silent');
    const refused = /0 of 1 replicas have confirmed/;
    const update = sessions.update(aSession('1', 'ada'));
    // Nobody waits behind the one that is waiting for the replica.
    expect((await sessions.findMany(['1']))[0]?.id).toBe('1');
    await expect(update).rejects.toThrow(refused);
    await expect(sessions.revoke('1', NOW)).rejects.toThrow(refused);
    // Again, by another process that finds it revoked: the replica still knows nothing of it.
    const other = redisSessions(client, { replicaPatience: 300 });
    await expect(other.revoke('1', NOW)).rejects.toThrow(refused);
    await expect(other.revokeAll('ada', NOW, [])).rejects.toThrow(refused);
    await servers.primary.kill();
    await servers.promote();
    expect(await revokedAt(promoted, ['1'])).toEqual([null]);
  });

  test('what was refused while the replica was away is confirmed once it is back', async () => {
    const sessions = redisSessions(client, { replicaPatience: 300 });
    await sessions.create(aSession('1', 'ada'));
    await servers.way.turn('silent');
    await expect(sessions.revoke('1', NOW)).rejects.toThrow(/replicas/);
    await servers.way.turn('open');
    await until(async () => (await client.wait(1, 100)) === 1);
    expect(await sessions.revoke('1', NOW + 1)).toBe(false);
    await servers.primary.kill();
    await servers.promote();
    expect(await revokedAt(promoted, ['1'])).toEqual([NOW]);
  });

  test('a server that answers no change refuses it in time, and is well again by itself', async () => {
    // On a busy machine a replica may take longer than half a second.
    const sessions = redisSessions(client, { replicaPatience: 2_000 });
    for (const id of ['0', '1']) await sessions.create(aSession(id, 'ada'));
    const connections = async (): Promise<string[]> => [
      ...(String(await client.client('LIST', 'TYPE', 'NORMAL')).match(/\bid=\d+/g) ?? []),
    ];
    await sessions.revoke('0', NOW);
    const [, second = ''] = (await connections()).slice(-2);
    await client.client('PAUSE', 60_000, 'WRITE');
    const began = performance.now();
    await expect(sessions.revoke('1', NOW)).rejects.toThrow(/no answer to a change within 4000 ms/);
    expect(performance.now() - began).toBeLessThan(6_000);
    await client.client('UNPAUSE');
    await answerOf(() => sessions.revokeAll('ada', NOW, []));
    expect(await revokedAt(client, ['1'])).toEqual([NOW]);
    // By another connection: the one that did not answer may never do.
    await until(async () => !(await connections()).includes(second));
  });

  test('a replica that is gone is not waited for, unless the host asks for it', async () => {
    await redisSessions(client).create(aSession('1', 'ada'));
    await servers.replica.kill();
    await until(async () => String((await client.role())[2]) === '');
    const asked = redisSessions(client, { replicas: 1, replicaPatience: 100 });
    await expect(asked.revoke('1', NOW)).rejects.toThrow(/0 of 1 replicas/);
    expect(await redisSessions(client).revoke('1', NOW + 1)).toBe(false);
    expect(await revokedAt(client, ['1'])).toEqual([NOW]);
  });

  test('without waiting an acknowledged revocation is lost with the primary', async () => {
    const sessions = redisSessions(client, { replicas: 0 });
    await sessions.create(aSession('1', 'ada'));
    await until(async () => (await promoted.hexists('accounts:user:ada', ':1')) === 1);
    await servers.way.turn('silent');
    expect(await sessions.revoke('1', NOW)).toBe(true);
    await servers.primary.kill();
    await servers.promote();
    expect(await revokedAt(promoted, ['1'])).toEqual([null]);
  });

  test('the connection that waits for replicas ends with the client', async () => {
    const sessions = redisSessions(client);
    await sessions.create(aSession('1', 'ada'));
    await sessions.revoke('1', NOW);
    const watcher = open(servers.primary);
    const count = async () =>
      String(await watcher.client('LIST', 'TYPE', 'NORMAL'))
        .trim()
        .split('\n').length;
    expect(await count()).toBe(3);
    await client.quit();
    await until(async () => (await count()) === 1);
    watcher.disconnect();
  });

  test('the connection that waits for replicas is of the database that the client has selected', async () => {
    await client.select(5);
    const sessions = redisSessions(client);
    await sessions.create(aSession('1', 'ada'));
    expect(await sessions.revoke('1', NOW)).toBe(true);
    expect(await revokedAt(client, ['1'])).toEqual([NOW]);
  });

  test.each([{ enableOfflineQueue: false }, { commandTimeout: 100 }, { socketTimeout: 100 }])(
    'is waited for by a client with %o',
    async (options) => {
      const hosts = open(servers.primary, options);
      await until(async () => hosts.status === 'ready');
      const sessions = redisSessions(hosts);
      await sessions.create(aSession('1', 'ada'));
      await servers.way.turn('slow', 200);
      expect(await sessions.update(aSession('1', 'ada'))).toBe(true);
      expect(await sessions.revoke('1', NOW)).toBe(true);
      hosts.disconnect();
    },
  );

  test('that takes over is found by the connection that waits for replicas, as by the client', async () => {
    const others = present(await startRedisReplication());
    const sessions = redisSessions(client);
    await sessions.create(aSession('1', 'ada'));
    expect(await sessions.revoke('1', NOW)).toBe(true);
    // The name of the primary leads elsewhere now, and the old one is still there.
    client.options.port = others.primary.port;
    const watcher = open(servers.primary);
    await watcher.client('KILL', 'ID', await client.client('ID'));
    watcher.disconnect();
    await until(async () => (await client.info('server')).includes(`tcp_port:${others.primary.port}`));
    await sessions.create(aSession('2', 'ada'));
    expect(await sessions.revoke('2', NOW)).toBe(true);
    await others.close();
  });

  test('a replica is refused where it is noticed: by its client, by ping, and by every change', async () => {
    expect(() =>
      redisSessions(new Redis(servers.replica.url, { lazyConnect: true, readOnly: true })),
    ).toThrow(TypeError);
    const sessions = redisSessions(promoted);
    await expect(sessions.ping()).rejects.toThrow(/is a replica: redisSessions needs the primary/);
    await expect(sessions.create(aSession('1', 'ada'))).rejects.toThrow(/READONLY/);
  });
});

describe.skipIf(!HAS_REDIS)('a server that is killed (S22)', () => {
  let server: TestServer;
  let client: Redis;
  beforeAll(async () => {
    exercised('Redis');
    server = present(await startRedis());
    client = open(server, { maxRetriesPerRequest: 1, retryStrategy: () => 50 });
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  test('is an error while it is away, and knows every acknowledged change when it is back', async () => {
    const sessions = redisSessions(client);
    for (const id of IDS) await sessions.create(aSession(id, 'ada'));
    const revoked: string[] = [];
    const outcomes = Promise.allSettled(
      IDS.map(async (id) => {
        await sessions.revoke(id, NOW);
        revoked.push(id);
        if (revoked.length === 50) await server.kill();
      }),
    );
    await outcomes;
    await expect(sessions.findMany(['session 0'])).rejects.toThrow();
    await expect(sessions.revokeAll('ada', NOW, [])).rejects.toThrow();
    await server.start();
    const found = await answerOf(() => sessions.findMany(IDS));
    expect(found.every((session) => session !== null)).toBe(true);
    expect(found.flatMap((session) => (session?.revokedAt === NOW ? [session.id] : []))).toEqual(
      expect.arrayContaining(revoked),
    );
    expect(revoked.length).toBeGreaterThanOrEqual(50);
  });
});

const openCluster = ({ nodes }: TestCluster): Cluster => {
  const client = new Cluster(
    nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { clusterRetryStrategy: () => 50, redisOptions: { connectTimeout: 1_000 }, maxRedirections: 3 },
  );
  client.on('error', () => undefined);
  return client;
};

/** The answer of whoever is back, once it comes. */
async function answerOf<T>(call: () => Promise<T>): Promise<T> {
  let answer: { value: T } | null = null;
  await until(async () => {
    answer = await call().then(
      (value) => ({ value }),
      () => null,
    );
    return answer !== null;
  });
  return (answer as unknown as { value: T }).value;
}

describe.skipIf(!HAS_REDIS)('a node of a cluster that is killed (S22)', () => {
  test('without a replica: its sessions are errors, and as they were when it is back', async () => {
    exercised('Redis cluster');
    const cluster = present(await startRedisCluster());
    const client = openCluster(cluster);
    try {
      const sessions = redisSessions(client);
      for (const id of IDS) await sessions.create(aSession(id, `user of ${id}`));
      const [revoked = '', ...others] = IDS;
      await sessions.revoke(revoked, NOW);
      await cluster.nodes[1]?.kill();
      const answers = await Promise.all(
        IDS.map((id) =>
          sessions.findMany([id]).then(
            ([session]) => session?.id ?? 'logged out',
            () => 'error',
          ),
        ),
      );
      expect(answers).toContain('error');
      expect(answers).not.toContain('logged out');
      await cluster.nodes[1]?.start();
      const found = await answerOf(() => sessions.findMany(others));
      expect(found.map((session) => session?.revokedAt)).toEqual(others.map(() => null));
      expect((await sessions.findMany([revoked]))[0]?.revokedAt).toBe(NOW);
    } finally {
      client.disconnect();
      await cluster.close();
    }
  }, 60_000);

  test('with a replica, which takes over and knows of every acknowledged revocation', async () => {
    exercised('Redis cluster');
    const cluster = present(await startRedisCluster({ replicas: true }));
    const client = openCluster(cluster);
    try {
      const sessions = redisSessions(client);
      for (const id of IDS) await sessions.create(aSession(id, `user of ${id}`));
      // The connections that wait for replicas are there before a slot moves, and learn of it.
      const [first = '', second = ''] = IDS;
      await sessions.revoke(first, NOW);
      await moveKey(client, `accounts:user:user of ${second}`);
      expect(await sessions.revoke(second, NOW)).toBe(true);
      const revoked: string[] = [];
      await Promise.allSettled(
        IDS.map(async (id, n) => {
          if (n % 2 === 0) await sessions.revoke(id, NOW);
          else await sessions.revokeAll(`user of ${id}`, NOW, []);
          revoked.push(id);
          if (revoked.length === 100) await cluster.nodes[1]?.kill();
        }),
      );
      expect(revoked.length).toBeGreaterThanOrEqual(100);
      const found = await answerOf(() => sessions.findMany(revoked));
      // One that was created last may be lost with the primary; none lives that was revoked.
      expect(found.filter((session) => session?.revokedAt === null)).toEqual([]);
      await answerOf(() => sessions.revoke(IDS[0] ?? '', NOW));
      await answerOf(() => sessions.ping());
    } finally {
      client.disconnect();
      await cluster.close();
    }
  }, 60_000);
});
