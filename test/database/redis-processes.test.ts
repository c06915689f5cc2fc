import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aSession, NOW } from '../../src/database/conformance/records.ts';
import { redisSessions } from '../../src/database/redis/index.ts';
import type { TestServer } from '../servers/process.ts';
import { flushAll, HAS_REDIS, present, Redis, startRedis } from '../servers/redis.ts';
import { exercised } from '../stores.ts';
import { start, stopAll } from './fixtures/children.ts';

describe.skipIf(!HAS_REDIS)('processes that share a Redis', () => {
  let server: TestServer;
  let client: Redis;
  beforeAll(async () => {
    exercised('Redis');
    server = present(await startRedis());
    client = new Redis(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });
  beforeEach(() => flushAll(client));
  afterEach(stopAll);

  test('of their rotations of one session one succeeds', async () => {
    const sessions = redisSessions(client);
    const ids = Array.from({ length: 50 }, (_, n) => `session ${n}`);
    await Promise.all(ids.map((id) => sessions.create(aSession(id, 'ada'))));
    const children = [start('redis-rotate', server.url), start('redis-rotate', server.url)];
    for (const child of children) expect(await child.line()).toBe('ready');
    for (const id of ids) for (const child of children) child.say(id);
    for (const _ of ids) {
      const won = await Promise.all(children.map((child) => child.line()));
      expect(won.toSorted()).toEqual(['0', '1']);
    }
    const found = await sessions.findMany(ids);
    expect(found.map((session) => session?.version)).toEqual(ids.map(() => 2));
  });

  test('see at once what another has acknowledged (S16)', async () => {
    const second = new Redis(server.url);
    const [ours, theirs] = [redisSessions(client), redisSessions(second)];
    for (let n = 0; n < 50; n++) {
      const [one, all] = [`session ${n}`, `session ${n} of many`];
      for (const id of [one, all]) await ours.create(aSession(id, `user ${n}`));
      expect((await theirs.findMany([one, all])).map((session) => session?.revokedAt)).toEqual([null, null]);
      await ours.revoke(one, NOW);
      expect((await theirs.findMany([one, all])).map((session) => session?.revokedAt)).toEqual([NOW, null]);
      await ours.revokeAll(`user ${n}`, NOW, []);
      expect((await theirs.findMany([one, all])).map((session) => session?.revokedAt)).toEqual([NOW, NOW]);
    }
    second.disconnect();
  });

  test('revoking all among logins ends every session that was acknowledged before', async () => {
    const second = new Redis(server.url);
    const [ours, theirs] = [redisSessions(client), redisSessions(second)];
    for (let round = 0; round < 20; round++) {
      const acknowledged: string[] = [];
      const logins = Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const id = `session ${round}.${n}`;
          await theirs.create(aSession(id, 'ada'));
          acknowledged.push(id);
        }),
      );
      while (acknowledged.length === 0) await ours.findByUser('ada');
      const before = [...acknowledged];
      await ours.revokeAll('ada', NOW, []);
      await logins;
      const found = await ours.findMany(before);
      expect(found.map((session) => session?.revokedAt)).toEqual(before.map(() => NOW));
    }
    second.disconnect();
  });
});
