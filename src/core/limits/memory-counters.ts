import type { CounterRecord, CounterStore } from '../../database/ports.ts';

const MAX_COUNTERS = 100_000;
/** How many are looked at to make room for one. */
const SAMPLE = 16;

/**
 * Counters of one process, for databases that have none. Their number is bounded: a flood of new keys drives out those
 * on which least was spent, so that an account that is being guessed at stays guarded.
 */
export function memoryCounters(limit = MAX_COUNTERS): CounterStore & { readonly size: number } {
  const counters = new Map<string, CounterRecord>();
  const makeRoom = (now: number): void => {
    if (counters.size < limit) return;
    const looked: CounterRecord[] = [];
    for (const counter of counters.values()) if (looked.push(counter) === SAMPLE) break;
    const least = looked.reduce((victim, counter) =>
      worth(counter, now) < worth(victim, now) ? counter : victim,
    );
    counters.delete(least.key);
    // To the end with those that stay: the next look sees others.
    for (const counter of looked) {
      if (counters.delete(counter.key)) counters.set(counter.key, counter);
    }
  };
  return {
    get size() {
      return counters.size;
    },
    async add({ key, points, expiresAt }, now) {
      const current = counters.get(key);
      const isLive = current !== undefined && current.expiresAt > now;
      if (!current) makeRoom(now);
      const counter = isLive ? { ...current, points: current.points + points } : { key, points, expiresAt };
      counters.set(key, counter);
      return counter;
    },
    async put(counter) {
      if (!counters.has(counter.key)) makeRoom(Number.NEGATIVE_INFINITY);
      counters.set(counter.key, counter);
    },
    find: async (key) => counters.get(key) ?? null,
    remove: async (key) => void counters.delete(key),
    async removeExpired(now) {
      const before = counters.size;
      for (const { key, expiresAt } of counters.values()) if (expiresAt < now) counters.delete(key);
      return before - counters.size;
    },
  };
}

/** What would be lost with it: nothing with one that has ended. */
function worth({ points, expiresAt }: CounterRecord, now: number): number {
  return expiresAt <= now ? Number.NEGATIVE_INFINITY : points;
}
