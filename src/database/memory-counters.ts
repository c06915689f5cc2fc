import type { CounterRecord, CounterStore } from './ports.ts';

const MAX_COUNTERS = 100_000;
/** How many are looked at to make room for one. */
const SAMPLE = 8;

/**
 * Counters of one process, for databases that have none. Their number is bounded: a flood of new keys drives out those
 * on which least was spent, so that an account that is being guessed at stays guarded.
 */
export function memoryCounters(limit = MAX_COUNTERS): CounterStore & { readonly size: number } {
  const places = new Map<string, number>();
  // Beside the map, which gives none of its entries at random.
  const counters: CounterRecord[] = [];

  const find = (key: string): CounterRecord | null => counters[places.get(key) ?? -1] ?? null;

  const remove = (key: string): void => {
    const place = places.get(key);
    const last = counters.at(-1);
    if (place === undefined || !last) return;
    counters[place] = last;
    places.set(last.key, place);
    counters.pop();
    places.delete(key);
  };

  const makeRoom = (now: number): void => {
    const looksAtAll = counters.length <= SAMPLE;
    let least: CounterRecord | undefined;
    for (let looked = 0; looked < Math.min(SAMPLE, counters.length); looked++) {
      const place = looksAtAll ? looked : Math.floor(Math.random() * counters.length);
      const counter = counters[place];
      if (counter && (!least || worth(counter, now) < worth(least, now))) least = counter;
    }
    if (least) remove(least.key);
  };

  const set = (counter: CounterRecord, now: number): void => {
    const known = places.get(counter.key);
    if (known === undefined && counters.length >= limit) makeRoom(now);
    const place = known ?? counters.length;
    counters[place] = counter;
    places.set(counter.key, place);
  };

  return {
    get size() {
      return counters.length;
    },
    async add({ key, points, expiresAt }, now) {
      const current = find(key);
      const isLive = current !== null && current.expiresAt > now;
      const counter = isLive ? { ...current, points: current.points + points } : { key, points, expiresAt };
      set(counter, now);
      return { ...counter };
    },
    put: async (counter) => set({ ...counter }, Number.NEGATIVE_INFINITY),
    find: async (key) => {
      const counter = find(key);
      return counter && { ...counter };
    },
    remove: async (key) => remove(key),
    async removeExpired(now) {
      const ended = counters.filter(({ expiresAt }) => expiresAt < now);
      for (const { key } of ended) remove(key);
      return ended.length;
    },
  };
}

/** What would be lost with it: nothing with one that has ended. */
function worth({ points, expiresAt }: CounterRecord, now: number): number {
  return expiresAt <= now ? Number.NEGATIVE_INFINITY : points;
}
