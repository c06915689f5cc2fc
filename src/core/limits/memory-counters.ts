import { memoryCounters } from '../../database/memory-counters.ts';
import type { CounterStore } from '../../database/ports.ts';

const ofDatabases = new WeakMap<object, CounterStore>();

/** The counters of a database that has none of its own: those of this process, for all servers on it. */
export function countersBeside(db: object): CounterStore {
  const counters = ofDatabases.get(db) ?? memoryCounters();
  ofDatabases.set(db, counters);
  return counters;
}
