import type { AccountsDatabase, CounterStore } from '../ports.ts';
import { aCounter, HOUR, NOW } from './records.ts';
import type { Bench } from './runner.ts';

/** Where a database may have some. Each is tested where it is there. */
export const COUNTERS: { [name: string]: (db: AccountsDatabase) => CounterStore | undefined } = {
  counters: (db) => db.counters,
  'counters beside the sessions': (db) => db.sessions.counters,
};

export function countersConformance(bench: Bench): void {
  for (const [name, countersOf] of Object.entries(COUNTERS))
    bench.describe(name, () => {
      conformance(bench, (sentence, body) =>
        bench.on(sentence, async (db) => {
          const counters = countersOf(db);
          if (counters) await body(counters);
        }),
      );
    });
}

type On = (sentence: string, body: (counters: CounterStore) => Promise<void>) => void;

function conformance({ expect }: Bench, on: On): void {
  on('a counter begins with what is added first, and ends when that says', async (counters) => {
    expect(await counters.find('a')).toBe(null);
    expect(await counters.add(aCounter('a', { points: 3 }), NOW)).toEqual(aCounter('a', { points: 3 }));
    expect(await counters.find('a')).toEqual(aCounter('a', { points: 3 }));
    expect(await counters.find('A')).toBe(null);
  });

  on('what is added later, or taken away, counts, and the end stays', async (counters) => {
    await counters.add(aCounter('a'), NOW);
    const later = { expiresAt: NOW + 2 * HOUR };
    expect(await counters.add(aCounter('a', { points: 2, ...later }), NOW + 1)).toEqual(
      aCounter('a', { points: 3 }),
    );
    expect(await counters.add(aCounter('a', { points: -5, ...later }), NOW + 2)).toEqual(
      aCounter('a', { points: -2 }),
    );
    expect(await counters.find('a')).toEqual(aCounter('a', { points: -2 }));
    // Last: a store whose records end by themselves forgets it a moment later.
    expect(await counters.add(aCounter('a', { points: 9, ...later }), NOW + HOUR - 1)).toEqual(
      aCounter('a', { points: 7 }),
    );
  });

  on('one that has ended by now is begun anew', async (counters) => {
    await counters.add(aCounter('a', { points: 9 }), NOW);
    const anew = aCounter('a', { points: 2, expiresAt: NOW + 3 * HOUR });
    expect(await counters.add(anew, NOW + HOUR)).toEqual(anew);
    expect(await counters.find('a')).toEqual(anew);
    expect(await counters.add(aCounter('a'), NOW + HOUR)).toEqual({ ...anew, points: 3 });
  });

  on('one that was put is what was put, whatever it was before', async (counters) => {
    for (const points of [7, 0, -1]) {
      const put = aCounter('a', { points, expiresAt: NOW + (2 + points) * HOUR });
      await counters.put(put);
      expect(await counters.find('a')).toEqual(put);
      await counters.add(aCounter('a', { points: 5 }), NOW);
    }
  });

  on('a sum is exact up to the largest safe integer', async (counters) => {
    const most = Number.MAX_SAFE_INTEGER;
    await counters.put(aCounter('a', { points: most - 1 }));
    expect((await counters.add(aCounter('a'), NOW)).points).toBe(most);
    expect((await counters.find('a'))?.points).toBe(most);
  });

  on('a removed one is gone, its neighbour is not, and the next begins anew', async (counters) => {
    await counters.add(aCounter('a', { points: 9 }), NOW);
    await counters.add(aCounter('b', { points: 9 }), NOW);
    await counters.remove('a');
    await counters.remove('c');
    expect(await counters.find('a')).toBe(null);
    expect(await counters.find('b')).toEqual(aCounter('b', { points: 9 }));
    expect(await counters.add(aCounter('a'), NOW)).toEqual(aCounter('a'));
  });

  // What has ended may be gone before it is removed: a store may do that by itself.
  const stored = async (counters: CounterStore, keys: readonly string[]): Promise<string[]> =>
    (await Promise.all(keys.map((key) => counters.find(key)))).flatMap((found) => (found ? [found.key] : []));

  on('more than a thousand that have ended are removed and counted', async (counters) => {
    const keys = Array.from({ length: 1_100 }, (_, n) => `counter ${n}`);
    await Promise.all(keys.map((key) => counters.put(aCounter(key, { expiresAt: NOW - 1 }))));
    await counters.put(aCounter('alive'));
    const before = await stored(counters, keys);
    expect(await counters.removeExpired(NOW)).toBe(before.length);
    expect(await counters.removeExpired(NOW)).toBe(0);
    expect(await stored(counters, [...keys, 'alive'])).toEqual(['alive']);
  });

  on('one that ends now has not ended before now', async (counters) => {
    await counters.put(aCounter('a'));
    expect(await counters.removeExpired(NOW + HOUR)).toBe(0);
    expect(await stored(counters, ['a'])).toEqual(['a']);
  });

  const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);
  const addAtOnce = async (counters: CounterStore, now: number): Promise<number[]> => {
    const added = await Promise.all(
      upTo(100).map((n) => counters.add(aCounter('a', { expiresAt: now + n * HOUR }), now)),
    );
    // All of them count towards the end of the one that has begun it.
    const ends = new Set(added.map(({ expiresAt }) => expiresAt));
    expect(ends.size).toBe(1);
    expect([...ends].every((end) => end > now)).toBe(true);
    return added.map(({ points }) => points).sort((a, b) => a - b);
  };

  on('S10 of 100 who add at once each counts, and sees another sum', async (counters) => {
    expect(await addAtOnce(counters, NOW)).toEqual(upTo(100));
    expect((await counters.find('a'))?.points).toBe(100);
  });

  on('S10 of 100 who find one that has ended at once, one begins it anew', async (counters) => {
    await counters.put(aCounter('a', { points: 50 }));
    expect(await addAtOnce(counters, NOW + HOUR)).toEqual(upTo(100));
    expect((await counters.find('a'))?.points).toBe(100);
  });

  on('what the caller does to its records changes nothing that is stored', async (counters) => {
    const counter = aCounter('a');
    const added = await counters.add(counter, NOW);
    const found = await counters.find('a');
    for (const record of [counter, added, found]) if (record) record.points = 99;
    expect(await counters.find('a')).toEqual(aCounter('a'));
    const put = aCounter('a');
    await counters.put(put);
    put.points = 99;
    expect(await counters.find('a')).toEqual(aCounter('a'));
  });
}
