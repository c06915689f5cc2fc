import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../../src/core/time.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { memoryCounters } from '../../../src/database/memory-counters.ts';
import { atOnce, createGuessing, tally } from './guessing.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('the counters of one process', () => {
  test('S57 are no more than 100,000 under a million keys, and keep the account that is guessed at', {
    timeout: 120_000,
  }, async () => {
    const counters = memoryCounters();
    const guarded = { key: 'ada', points: 1, expiresAt: NOW + HOUR };
    for (let n = 0; n < 9; n++) await counters.add(guarded, NOW);
    for (let n = 0; n < 1_000_000; n++)
      await counters.add({ key: `flood ${n}`, points: 1, expiresAt: NOW + HOUR }, NOW);
    expect(counters.size).toBe(100_000);
    expect((await counters.find('ada'))?.points).toBe(9);
  });

  test.each(['a database in memory', 'a database without counters'])(
    'S10 do not let a flood of names open a delayed account: %s',
    async (of) => {
      const db = memoryDatabase();
      const counters = of === 'a database in memory' ? db.counters : memoryCounters();
      if (!counters) throw new Error('the database has no counters');
      const { guess, clock } = await createGuessing({ db: { ...db, counters } });
      for (let n = 0; n < 9; n++) await guess();
      const flood = async (): Promise<void> => {
        const expiresAt = clock.now() + HOUR;
        for (let n = 0; n < 300_000; n++)
          await counters.add({ key: randomUUID(), points: 1, expiresAt }, clock.now());
      };
      await flood();
      expect(await guess()).toMatch(/^RATE_LIMITED/);
      clock.pass(MINUTE);
      expect(await guess()).toBe('INVALID_CREDENTIALS');
      await flood();
      clock.pass(MINUTE);
      expect(await guess()).toMatch(/^RATE_LIMITED/);
    },
  );

  test('forget what has ended first', async () => {
    const counters = memoryCounters(8);
    for (let n = 0; n < 8; n++)
      await counters.add({ key: `${n}`, points: 9 - n, expiresAt: n === 0 ? NOW : NOW + HOUR }, NOW - 1);
    await counters.add({ key: 'new', points: 1, expiresAt: NOW + HOUR }, NOW);
    expect(await counters.find('0')).toBeNull();
    expect((await counters.find('7'))?.points).toBe(2);
    expect(counters.size).toBe(8);
  });

  test('S10 count for a database that has none, and are cleaned with it', async () => {
    const { counters: _, ...db } = memoryDatabase();
    const { guess, server, clock } = await createGuessing({ db });
    expect(tally(await atOnce(100, () => guess()))).toEqual({ INVALID_CREDENTIALS: 9, RATE_LIMITED: 91 });
    clock.pass(25 * HOUR);
    await server.removeExpired();
    expect(await guess()).toBe('INVALID_CREDENTIALS');
  });

  test('beside the sessions go before those of the database, and are kept under nobody’s name or address', async () => {
    const db = memoryDatabase();
    const { counters } = memoryDatabase();
    if (!counters) throw new Error('the database has no counters');
    const keys: string[] = [];
    const add: typeof counters.add = async (counter, now) => {
      keys.push(counter.key);
      return counters.add(counter, now);
    };
    const sessions = { ...db.sessions, counters: { ...counters, add } };
    const { guess } = await createGuessing({ db: { ...db, sessions } });
    await guess('nobody');
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });
});
