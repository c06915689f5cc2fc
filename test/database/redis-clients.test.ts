import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aCounter, aSession, NOW } from '../../src/database/conformance/records.ts';
import { type RedisClient, redisSessions } from '../../src/database/redis/index.ts';
import { freePort, type TestServer } from '../servers/process.ts';
import { startProxy } from '../servers/proxy.ts';
import {
  Cluster,
  flushAll,
  HAS_REDIS,
  moveKey,
  present,
  Redis,
  startRedis,
  startRedisCluster,
  type TestCluster,
} from '../servers/redis.ts';
import { exercised } from '../stores.ts';

const IDS = Array.from({ length: 50 }, (_, n) => `session ${n}`);

/** All that a store does, once. */
async function story(client: RedisClient): Promise<void> {
  const sessions = redisSessions(client);
  for (const id of IDS) await sessions.create(aSession(id, `{user} ${id}`));
  await expect(sessions.create(aSession('session 0', 'eve'))).rejects.toThrow(/already/);
  expect(await sessions.update(aSession('session 1', '{user} session 1', { rotation: 2 }))).toBe(true);
  expect(await sessions.update(aSession('session 1', '{user} session 1', { rotation: 3 }))).toBe(false);
  expect(await sessions.revoke('session 2', NOW)).toBe(true);
  expect(await sessions.revoke('session 2', NOW)).toBe(false);
  await sessions.revokeAll('{user} session 3', NOW, []);
  for (let times = 0; times < 2; times++) {
    const found = await sessions.findMany([...IDS, 'unknown']);
    expect(found.map((session) => session?.id)).toEqual([...IDS, undefined]);
    expect(found.slice(0, 4).map((session) => session?.rotation)).toEqual([1, 2, 1, 1]);
    expect(found.slice(0, 4).map((session) => session?.revokedAt)).toEqual([null, null, NOW, NOW]);
  }
  expect((await sessions.findByUser('{user} session 1')).map(({ version }) => version)).toEqual([2]);
  const { counters } = sessions;
  for (const points of [1, 2]) expect(await counters.add(aCounter('{a} b'), NOW)).toMatchObject({ points });
  await counters.put(aCounter('{a} b', { points: 9 }));
  expect(await counters.find('{a} b')).toEqual(aCounter('{a} b', { points: 9 }));
  await counters.remove('{a} b');
  expect(await counters.find('{a} b')).toBe(null);
  expect(await counters.removeExpired(NOW)).toBe(0);
  await sessions.ping();
}

describe.skipIf(!HAS_REDIS)("a host's client of one server", () => {
  let server: TestServer;
  let plain: Redis;
  beforeAll(async () => {
    exercised('Redis');
    server = present(await startRedis({ password: 'p@ss word' }));
    plain = new Redis(server.url);
  });
  afterAll(async () => {
    plain.disconnect();
    await server.close();
  });
  beforeEach(() => flushAll(plain));

  test.each([
    { keyPrefix: 'app:{all}:' },
    { keyPrefix: '*?[a]' },
    { enableAutoPipelining: true },
    { stringNumbers: true },
    { lazyConnect: true },
    { db: 3 },
    { protocol: 3 as const, replyMapping: 'resp3' as const },
    { protocol: 2 as const },
  ])('works as it is set up: %o', async (options) => {
    const client = new Redis(server.url, options);
    await story(client);
    await plain.select(options.db ?? 0);
    const keys = await plain.keys('*');
    await plain.select(0);
    expect(keys).toHaveLength(2 * IDS.length);
    const start = `${options.keyPrefix ?? ''}accounts:`;
    expect(keys.filter((key) => !key.startsWith(start))).toEqual([]);
    client.disconnect();
  });

  test('is left as it was: open, and without commands of ours', async () => {
    const client = new Redis(server.url);
    await client.ping();
    const before = Object.getOwnPropertyNames(client).sort();
    await story(client);
    expect(Object.getOwnPropertyNames(client).sort()).toEqual(before);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  test('serves two programs, each with its prefix', async () => {
    const [one, two] = [redisSessions(plain), redisSessions(plain, { prefix: 'other' })];
    await one.create(aSession('1', 'ada'));
    await two.create(aSession('1', 'ada'));
    await one.revokeAll('ada', NOW, []);
    expect((await two.findMany(['1']))[0]?.revokedAt).toBe(null);
    expect((await plain.keys('*')).sort()).toEqual([
      'accounts:session:1',
      'accounts:user:ada',
      'other:session:1',
      'other:user:ada',
    ]);
  });

  test('takes fifty look-ups in one way to the server and back, and two at first sight', async () => {
    const proxy = await startProxy(server.port);
    const client = new Redis(server.url.replace(`:${server.port}`, `:${proxy.port}`));
    const sessions = redisSessions(client);
    for (const id of IDS) await sessions.create(aSession(id, `user of ${id}`));
    await proxy.turn('slow', 200);
    const timed = async (): Promise<number> => {
      const began = performance.now();
      expect((await sessions.findMany(IDS)).every(Boolean)).toBe(true);
      return performance.now() - began;
    };
    expect(Math.round((await timed()) / 400)).toBe(2);
    expect(Math.round((await timed()) / 400)).toBe(1);
    client.disconnect();
    await proxy.close();
  });

  test('is asked by ping, which fails when nobody answers, without the password', async () => {
    const url = `redis://:secret@127.0.0.1:${await freePort()}`;
    const nobody = new Redis(url, { maxRetriesPerRequest: 0 });
    nobody.on('error', () => undefined);
    const error = await redisSessions(nobody)
      .ping()
      .then(
        () => 'it answered',
        (failure: Error) => failure.message,
      );
    expect(error).toMatch(/retries|closed|ECONNREFUSED/);
    expect(error).not.toContain('secret');
    nobody.disconnect();
  });

  test('needs no more rights than the page names', async () => {
    const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
    const [, list = ''] = /limited by ACL needs ([^.]+) on keys that begin with/.exec(page) ?? [];
    const commands = list.toLowerCase().match(/[a-z]+(?=,| and|$)/g) ?? [];
    const rights = ['~accounts:*', ...commands.map((command) => `+${command}`)];
    await plain.acl('SETUSER', 'as-told', 'reset', 'on', '>secret', ...rights);
    const client = new Redis({ port: server.port, username: 'as-told', password: 'secret' });
    await story(client);
    expect(await redisSessions(client).warnings()).toEqual([]);
    client.disconnect();
  });

  test('whose password is refused is told so, without it', async () => {
    const client = new Redis({ port: server.port, password: 'wrong secret', maxRetriesPerRequest: 1 });
    client.on('error', () => undefined);
    const sessions = redisSessions(client);
    for (const call of [sessions.ping, sessions.warnings, () => sessions.revoke('1', NOW)]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: null })).not.toContain('wrong secret');
    }
    client.disconnect();
  });

  test('is warned of settings that lose sessions or bring some back', async () => {
    const sessions = redisSessions(plain);
    expect(await sessions.warnings()).toEqual([]);
    const place = `Redis at 127.0.0.1:${server.port}`;
    const seconds = `${place} may forget its last two seconds when it dies, so that revoked sessions live again: set appendfsync always`;
    for (const replyMapping of ['legacy', 'resp3'] as const) {
      await plain.config('SET', 'appendfsync', 'everysec');
      const client = new Redis(server.url, { protocol: 3, replyMapping });
      expect(await redisSessions(client).warnings()).toEqual([seconds]);
      await plain.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru', 'appendonly', 'no');
      expect(await redisSessions(client).warnings()).toEqual([
        `${place} removes sessions when its memory is full: set maxmemory-policy noeviction to keep users logged in`,
        `${place} forgets its last minutes when it is restarted, so that revoked sessions live again: set appendonly yes and appendfsync always`,
      ]);
      await plain.config('SET', 'maxmemory', '0', 'appendonly', 'yes', 'appendfsync', 'always');
      client.disconnect();
    }
    await plain.acl('SETUSER', 'limited', 'on', '>secret', '~*', '+@all', '-config');
    const limited = new Redis({ port: server.port, username: 'limited', password: 'secret' });
    expect(await redisSessions(limited).warnings()).toEqual([]);
    limited.disconnect();
  });

  test.each([
    ['an empty prefix', { prefix: '' }, /prefix/],
    ['a prefix that is none', { prefix: 1 as unknown as string }, /prefix/],
    ['a clock that is none', { now: 1 as unknown as () => number }, /now/],
    ['half a replica', { replicas: 0.5 }, /replicas/],
    ['fewer than no replicas', { replicas: -1 }, /replicas/],
    ['endless patience', { replicaPatience: 0 }, /replicaPatience/],
  ])('is refused with %s', (_, options, message) => {
    expect(() => redisSessions(plain, options)).toThrow(TypeError);
    expect(() => redisSessions(plain, options)).toThrow(message);
  });

  test('is refused when it is none', () => {
    for (const client of [null, undefined, {}, server.url])
      expect(() => redisSessions(client as unknown as RedisClient)).toThrow(TypeError);
  });
});

describe.skipIf(!HAS_REDIS)("a host's client of a cluster", () => {
  let cluster: TestCluster;
  let plain: Cluster;
  const open = (options = {}): Cluster =>
    new Cluster(
      cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      options,
    );
  beforeAll(async () => {
    exercised('Redis cluster');
    cluster = present(await startRedisCluster());
    plain = open();
  }, 60_000);
  afterAll(async () => {
    plain.disconnect();
    await cluster.close();
  });
  beforeEach(() => flushAll(plain));

  test.each([{}, { keyPrefix: 'app:' }, { enableAutoPipelining: true }, { lazyConnect: true }])(
    'works as it is set up: %o',
    async (options) => {
      const client = open(options);
      await story(client);
      const keys = (await Promise.all(plain.nodes('master').map((node) => node.keys('*')))).flat();
      expect(keys).toHaveLength(2 * IDS.length);
      client.disconnect();
    },
  );

  test('that reads from replicas is refused: one may not know of a revocation yet (S22)', async () => {
    for (const scaleReads of ['slave', 'all', () => undefined]) {
      const client = open({ scaleReads, lazyConnect: true });
      expect(() => redisSessions(client)).toThrow(TypeError);
      expect(() => redisSessions(client)).toThrow(/cluster\.duplicate\(\[\], \{ scaleReads: 'master' \}\)/);
      const advised = client.duplicate([], { scaleReads: 'master' });
      await story(advised);
      advised.disconnect();
      await flushAll(plain);
      client.disconnect();
    }
  });

  test('is followed to where a slot has moved', async () => {
    const sessions = redisSessions(plain);
    await sessions.create(aSession('1', 'ada'));
    await moveKey(plain, 'accounts:user:ada');
    expect(await sessions.update(aSession('1', 'ada'))).toBe(true);
    expect(await sessions.revoke('1', NOW)).toBe(true);
    expect((await sessions.findMany(['1']))[0]?.revokedAt).toBe(NOW);
  });
});
