import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aSession, NOW } from '../../src/database/conformance/records.ts';
import { type RedisSessions, redisSessions } from '../../src/database/redis/index.ts';
import { flushAll, HAS_REDIS, present, Redis, startRedis } from '../servers/redis.ts';
import { exercised } from '../stores.ts';

describe.skipIf(!HAS_REDIS)('what Redis loses ends sessions and revives none (S22)', () => {
  let client: Redis;
  let close: () => Promise<void>;
  /** Has seen the sessions before they were lost. */
  let knowing: RedisSessions;

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
  beforeEach(async () => {
    await flushAll(client);
    knowing = redisSessions(client);
    for (const id of ['1', '2']) await knowing.create(aSession(id, 'ada'));
    expect(await liveOf(knowing)).toEqual(['1', '2']);
  });

  const liveOf = async (sessions: RedisSessions, ids = ['1', '2', '3']): Promise<string[]> =>
    (await sessions.findMany(ids)).flatMap((session) => (session?.revokedAt === null ? [session.id] : []));
  const liveAnywhere = async (): Promise<string[][]> => [
    await liveOf(knowing),
    await liveOf(redisSessions(client)),
  ];

  test("a lost key of a user ends that user's sessions, and a new login revives none", async () => {
    await client.del('accounts:user:ada');
    expect(await liveAnywhere()).toEqual([[], []]);
    expect(await knowing.update(aSession('1', 'ada'))).toBe(false);
    await knowing.create(aSession('3', 'ada'));
    expect(await liveAnywhere()).toEqual([['3'], ['3']]);
    await knowing.revokeAll('ada', NOW, []);
    expect(await liveAnywhere()).toEqual([[], []]);
  });

  test('a lost key of a session ends it for those who have seen it too, so that it needs no revoking', async () => {
    await client.del('accounts:session:1');
    expect(await liveAnywhere()).toEqual([['2'], ['2']]);
    expect(await knowing.revoke('1', NOW)).toBe(false);
    expect(await knowing.update(aSession('1', 'ada'))).toBe(false);
    expect(await liveAnywhere()).toEqual([['2'], ['2']]);
  });

  test('revoking all misses no session, whatever was lost before', async () => {
    for (const lost of ['accounts:user:ada', 'accounts:session:1', 'accounts:session:2']) {
      await client.del(lost);
      await knowing.revokeAll('ada', NOW, []);
      expect(await liveAnywhere()).toEqual([[], []]);
    }
  });

  test('after FLUSHALL everybody is logged out, and can log in', async () => {
    await client.flushall();
    expect(await liveAnywhere()).toEqual([[], []]);
    await knowing.create(aSession('3', 'ada'));
    expect(await liveAnywhere()).toEqual([['3'], ['3']]);
  });

  test('after SCRIPT FLUSH everything works as before', async () => {
    const forget = () => client.script('FLUSH');
    await forget();
    await knowing.create(aSession('3', 'ada'));
    await forget();
    expect(await knowing.update(aSession('3', 'ada'))).toBe(true);
    await forget();
    expect((await knowing.findByUser('ada')).map(({ id }) => id).sort()).toEqual(['1', '2', '3']);
    await forget();
    expect(await knowing.revoke('3', NOW)).toBe(true);
    await forget();
    await knowing.revokeAll('ada', NOW, ['2']);
    expect(await liveAnywhere()).toEqual([['2'], ['2']]);
  });

  test('a key that another program has changed is an error that does not quote it', async () => {
    for (const value of ['secret', '1|||{"secret"', '1||5|"secret"']) {
      await client.hset('accounts:user:ada', ':1', value);
      await expect(knowing.findMany(['1'])).rejects.toThrow(/^a session in Redis cannot be read/);
      await expect(knowing.findByUser('ada')).rejects.toThrow(/^a session in Redis cannot be read/);
    }
    // Revoking removes it.
    await client.hset('accounts:user:ada', ':1', 'secret');
    await knowing.revokeAll('ada', NOW, []);
    expect(await knowing.findMany(['1'])).toEqual([null]);
    await client.set('accounts:user:ada', 'secret');
    await expect(knowing.findMany(['1'])).rejects.toThrow(/WRONGTYPE/);
    const error = await knowing.update(aSession('1', 'ada', { ip: '203.0.113.9' })).catch((thrown) => thrown);
    expect(inspect(error)).toMatch(/WRONGTYPE/);
    expect(inspect(error)).not.toMatch(/203\.0\.113\.9|secret/);
  });

  test('a counter that another program has spoiled is an error, without its key and its value', async () => {
    const { counters } = knowing;
    const counter = { key: 'ada@example.org', points: 1, expiresAt: NOW + 1_000_000 };
    const key = 'accounts:counter:ada@example.org';
    await client.set(key, 'secret');
    const unread = await counters.find(counter.key).catch((thrown) => thrown);
    expect(unread).toBeInstanceOf(Error);
    expect(inspect(unread)).not.toMatch(/secret|ada@example/);
    await client.del(key);
    await client.hset(key, 'a', 'secret');
    const error = await counters.add(counter, NOW).catch((thrown) => thrown);
    expect(inspect(error)).toMatch(/WRONGTYPE/);
    expect(inspect(error)).not.toMatch(/secret|ada@example/);
  });

  // As the first releases have stored it: neither when its user has proved who it is, nor how.
  test('a session of an older version is there, and is refreshed', async () => {
    const { authenticatedAt: _, amr: __, ...older } = aSession('1', 'ada', { createdAt: NOW - 5 });
    const { id, userId, version, revokedAt: ___, ...rest } = older;
    const value = `${version}||${older.idleExpiresAt}|${JSON.stringify(rest)}`;
    await client.hset(`accounts:user:${userId}`, `:${id}`, value);
    const expected = aSession('1', 'ada', { createdAt: NOW - 5, authenticatedAt: NOW - 5, amr: [] });
    for (const sessions of [knowing, redisSessions(client)])
      expect(await sessions.findMany(['1'])).toEqual([expected]);
    expect(await knowing.findByUser('ada')).toContainEqual(expected);
    expect(await knowing.update({ ...expected, amr: ['pwd'] })).toBe(true);
    expect(await knowing.findMany(['1'])).toEqual([{ ...expected, amr: ['pwd'], version: 2 }]);
  });
});

const USERS = 300;
const EACH = 20;

describe.skipIf(!HAS_REDIS).each(['allkeys-lru', 'allkeys-random', 'volatile-ttl', 'volatile-random'])(
  'a Redis whose memory is full under %s (S22)',
  (policy) => {
    let client: Redis;
    let close: () => Promise<void>;
    beforeAll(async () => {
      exercised('Redis');
      const args = ['--maxmemory', '3mb', '--maxmemory-policy', policy];
      const server = present(await startRedis({ args }));
      client = new Redis(server.url);
      close = () => server.close();
    });
    afterAll(async () => {
      client.disconnect();
      await close();
    });

    test('logs users out, and leaves nobody logged in who was logged out', async () => {
      const knowing = redisSessions(client);
      const users = Array.from({ length: USERS }, (_, n) => `user ${n}`);
      const idsOf = (user: string) => Array.from({ length: EACH }, (_, n) => `${user}, session ${n}`);
      const live = async (sessions: RedisSessions, ids: string[]): Promise<number> =>
        (await sessions.findMany(ids)).filter((session) => session?.revokedAt === null).length;
      for (const user of users) {
        await Promise.all(idsOf(user).map((id) => knowing.create(aSession(id, user))));
        await live(knowing, idsOf(user));
      }
      const before = await live(redisSessions(client), users.flatMap(idsOf));
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(USERS * EACH);

      // More is evicted meanwhile.
      for (const user of users) {
        await knowing.create(aSession(`${user}, another`, user));
        await knowing.revokeAll(user, NOW, []);
      }
      const everything = users.flatMap((user) => [...idsOf(user), `${user}, another`]);
      expect(await live(knowing, everything)).toBe(0);
      expect(await live(redisSessions(client), everything)).toBe(0);
      expect(await client.info('stats')).toMatch(/evicted_keys:[1-9]/);
    });
  },
);

describe.skipIf(!HAS_REDIS)('a Redis whose memory is full under noeviction (S22)', () => {
  let client: Redis;
  let close: () => Promise<void>;
  beforeAll(async () => {
    exercised('Redis');
    const server = present(
      await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] }),
    );
    client = new Redis(server.url);
    close = () => server.close();
  });
  afterAll(async () => {
    client.disconnect();
    await close();
  });

  test('refuses logins, keeps who is logged in, and revokes all the same', async () => {
    const sessions = redisSessions(client);
    const userAgent = 'x'.repeat(5_000);
    for (const id of ['1', '2', '3']) await sessions.create(aSession(id, 'ada'));
    let refused = '';
    for (let n = 0; refused === ''; n++)
      await sessions.create(aSession(`filler ${n}`, `user ${n}`, { userAgent })).catch((error: Error) => {
        refused = error.message;
      });
    expect(refused).toMatch(/OOM/);
    const live = async () =>
      (await redisSessions(client).findMany(['1', '2', '3'])).map((session) => session?.revokedAt === null);
    expect(await live()).toEqual([true, true, true]);
    expect(await sessions.revoke('1', NOW)).toBe(true);
    expect(await live()).toEqual([false, true, true]);
    await sessions.revokeAll('ada', NOW, ['2']);
    expect(await live()).toEqual([false, true, false]);
    const keys = await client.keys('*');
    expect((await Promise.all(keys.map((key) => client.pttl(key)))).filter((left) => left < 0)).toEqual([]);
  });
});
