import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aSession } from '../../src/database/conformance/records.ts';
import type { SessionRecord } from '../../src/database/ports.ts';
import { type RedisSessions, redisSessions } from '../../src/database/redis/index.ts';
import { flushAll, HAS_REDIS, present, Redis, startRedis, until } from '../servers/redis.ts';
import { exercised } from '../stores.ts';

const HOUR = 3_600_000;
/** What a call may take; TTLs run by the clock of the server meanwhile. */
const CALL = 10_000;

describe.skipIf(!HAS_REDIS)('the TTL of keys in Redis (S22)', () => {
  let client: Redis;
  let close: () => Promise<void>;
  let time: number;
  let sessions: RedisSessions;

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
    // Another era than the server's: only what is left may count.
    time = Date.parse('2001-09-09');
    sessions = redisSessions(client, { now: () => time });
  });

  const ending = (id: string, idle: number, last: number, fields: Partial<SessionRecord> = {}) =>
    aSession(id, 'ada', { createdAt: time, idleExpiresAt: time + idle, expiresAt: time + last, ...fields });

  /** What is left of each key in hours, rounded up as a call that has just ended leaves it. */
  async function hoursLeft(): Promise<Record<string, number>> {
    const keys = (await client.keys('*')).sort();
    const left = await Promise.all(keys.map((key) => client.pttl(key)));
    return Object.fromEntries(keys.map((key, n) => [key, roundUp(left[n] ?? -1)]));
  }
  const roundUp = (left: number): number =>
    Math.ceil(left / HOUR) * HOUR - left < CALL ? Math.ceil(left / HOUR) : left / HOUR;

  test('is what is left of the session, whichever of its ends comes first', async () => {
    await sessions.create(ending('idle', 2 * HOUR, 9 * HOUR));
    expect(await hoursLeft()).toEqual({ 'accounts:session:idle': 2, 'accounts:user:ada': 2 });
    await sessions.create(ending('last', 8 * HOUR, 3 * HOUR));
    expect(await hoursLeft()).toEqual({
      'accounts:session:idle': 2,
      'accounts:session:last': 3,
      'accounts:user:ada': 3,
    });
  });

  test('grows with a refresh, and is what is left then', async () => {
    await sessions.create(ending('1', 2 * HOUR, 9 * HOUR));
    time += HOUR;
    expect(await sessions.update(ending('1', 4 * HOUR, 8 * HOUR, { rotation: 2 }))).toBe(true);
    expect(await hoursLeft()).toEqual({ 'accounts:session:1': 4, 'accounts:user:ada': 4 });
  });

  test("stays for a user's longest session when shorter ones come, change and end", async () => {
    await sessions.create(ending('long', 9 * HOUR, 9 * HOUR));
    await sessions.create(ending('short', HOUR, HOUR));
    await sessions.update(ending('short', 2 * HOUR, 2 * HOUR));
    await sessions.revoke('short', time);
    expect(await hoursLeft()).toEqual({
      'accounts:session:long': 9,
      'accounts:session:short': 2,
      'accounts:user:ada': 9,
    });
  });

  test('is kept by a revocation, of one and of all, and by refusals', async () => {
    await sessions.create(ending('1', 2 * HOUR, 9 * HOUR));
    await sessions.create(ending('2', 2 * HOUR, 9 * HOUR));
    const before = await hoursLeft();
    await sessions.revoke('1', time);
    await sessions.revoke('1', time);
    await sessions.revokeAll('ada', time, []);
    await sessions.revokeAll('ada', time, []);
    await sessions.create(ending('2', 5 * HOUR, 9 * HOUR)).catch(() => undefined);
    expect(await hoursLeft()).toEqual(before);
    expect(before).toEqual({
      'accounts:session:1': 2,
      'accounts:session:2': 2,
      'accounts:user:ada': 2,
    });
  });

  test('a refresh that is refused takes nothing from the session that another has refreshed', async () => {
    await sessions.create(ending('1', 2 * HOUR, 9 * HOUR));
    await sessions.update(ending('1', 4 * HOUR, 9 * HOUR));
    for (const idle of [HOUR, 0]) expect(await sessions.update(ending('1', idle, 9 * HOUR))).toBe(false);
    expect(await hoursLeft()).toEqual({ 'accounts:session:1': 4, 'accounts:user:ada': 4 });
    expect((await sessions.findMany(['1']))[0]?.version).toBe(2);
  });

  test('gets shorter with a refresh that leaves less', async () => {
    await sessions.create(ending('1', 4 * HOUR, 9 * HOUR));
    expect(await sessions.update(ending('1', 2 * HOUR, 9 * HOUR))).toBe(true);
    expect((await hoursLeft())['accounts:session:1']).toBe(2);
  });

  test('of a counter is what is left of it by the clock given with what is added, and does not grow', async () => {
    const { counters } = sessions;
    const adding = (points: number, hours: number) => ({ key: 'a', points, expiresAt: time + hours * HOUR });
    await counters.add(adding(1, 5), time);
    expect(await hoursLeft()).toEqual({ 'accounts:counter:a': 5 });
    time += 2 * HOUR;
    expect((await counters.add(adding(1, 9), time)).points).toBe(2);
    expect(await hoursLeft()).toEqual({ 'accounts:counter:a': 3 });
    time += 3 * HOUR;
    expect(await counters.add(adding(1, 9), time)).toEqual(adding(1, 9));
    expect(await hoursLeft()).toEqual({ 'accounts:counter:a': 9 });
    await counters.put(adding(4, 2));
    expect(await hoursLeft()).toEqual({ 'accounts:counter:a': 2 });
  });

  test('a counter that has ended already is stored nowhere, and takes the older one with it', async () => {
    const { counters } = sessions;
    const ended = { key: 'a', points: 3, expiresAt: time };
    await counters.put({ ...ended, expiresAt: time + HOUR });
    await counters.put(ended);
    expect(await client.dbsize()).toBe(0);
    expect(await counters.add(ended, time)).toEqual(ended);
    await counters.put({ ...ended, expiresAt: time + HOUR });
    expect(await counters.add({ ...ended, expiresAt: time + HOUR }, time + 2 * HOUR)).toEqual({
      ...ended,
      expiresAt: time + HOUR,
    });
    expect(await client.dbsize()).toBe(0);
  });

  test('a session that has ended already is stored nowhere', async () => {
    await sessions.create(ending('idle', 0, HOUR));
    await sessions.create(ending('last', HOUR, -1));
    expect(await client.dbsize()).toBe(0);
  });

  test('a refresh that comes after the end brings nothing back', async () => {
    await sessions.create(ending('1', HOUR, 9 * HOUR));
    await sessions.update(ending('1', 0, 9 * HOUR));
    expect(await sessions.findMany(['1'])).toEqual([null]);
    expect(await client.exists('accounts:session:1')).toBe(0);
  });

  test('what has ended by the clock that was given is gone, whatever the server thinks', async () => {
    await sessions.create(ending('1', HOUR, 9 * HOUR));
    await sessions.create(ending('2', 2 * HOUR, 9 * HOUR));
    time += HOUR - 1;
    expect((await sessions.findMany(['1', '2'])).map((session) => session?.id)).toEqual(['1', '2']);
    time += 1;
    expect((await sessions.findMany(['1', '2'])).map((session) => session?.id)).toEqual([undefined, '2']);
    expect((await sessions.findByUser('ada')).map(({ id }) => id)).toEqual(['2']);
  });

  test('ended sessions do not pile up with somebody who logs in again and again', async () => {
    for (let n = 0; n < 300; n++) {
      await sessions.create(ending(`session ${n}`, 2 * HOUR, 2 * HOUR));
      time += HOUR / 10;
    }
    // Twenty are alive at any time.
    expect(await client.hlen('accounts:user:ada')).toBeLessThan(100);
    expect(await sessions.findByUser('ada')).toHaveLength(19);
  });

  test('there is none without one at any moment of a storm', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => `session ${n}`);
    const storm = Promise.all(
      ids.map(async (id, n) => {
        await sessions.create(ending(id, (1 + n) * HOUR, 99 * HOUR));
        for (let version = 1; version < 6; version++)
          await Promise.all([
            sessions.update(ending(id, (2 + n) * HOUR, 99 * HOUR, { version })),
            sessions.counters.add({ key: id, points: 1, expiresAt: time + version * HOUR }, time),
            version === n && sessions.revoke(id, time),
            version === 5 && sessions.revokeAll('ada', time, []),
          ]);
      }),
    );
    let over = false;
    void storm.finally(() => {
      over = true;
    });
    const withoutEnd =
      "local n = 0; for _, key in ipairs(redis.call('KEYS', '*')) do n = n + 1; if redis.call('PTTL', key) < 0 then return key end end; return n";
    for (let looks = 0; !over && looks < 1_000; looks++)
      expect(await client.eval(withoutEnd, 0)).toBeTypeOf('number');
    await storm;
    // Of each session its own and its counter, and that of their user.
    expect(await client.eval(withoutEnd, 0)).toBe(21);
  });

  test('keys go by themselves when the session has ended', async () => {
    const real = redisSessions(client);
    const end = Date.now() + 300;
    await real.create(aSession('1', 'ada', { idleExpiresAt: end, expiresAt: end }));
    await real.counters.add({ key: 'a', points: 1, expiresAt: end }, end - 300);
    await real.counters.put({ key: 'b', points: 1, expiresAt: end });
    const keys = ['session:1', 'user:ada', 'counter:a', 'counter:b'].map((name) => `accounts:${name}`);
    for (const key of keys) {
      const left = await client.pttl(key);
      // On a slow machine it is gone by now, which is -2; one that never goes is -1.
      expect(left).not.toBe(-1);
      expect(left).toBeLessThanOrEqual(300);
    }
    await until(async () => (await client.dbsize()) === 0);
    expect(await real.findMany(['1'])).toEqual([null]);
    expect(await real.counters.find('a')).toBe(null);
  });
});
