import { afterEach, beforeEach, vi } from 'vitest';
import type { AccountsDatabase } from '../src/database/ports.ts';
import { turns } from './core/unhandled.ts';

/** Timers stand still in the tests of this file, but for `outcomeAfter`. */
export function useSteppedTimers(): void {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());
}

/** A database whose every look-up of sessions and users takes `state.delay` milliseconds. */
export function slow(db: AccountsDatabase) {
  const state = { delay: 0 };
  const delayed = <T extends { findMany(ids: readonly string[]): Promise<unknown> }>(port: T): T => ({
    ...port,
    findMany: async (ids: readonly string[]) => {
      if (state.delay > 0) await new Promise((resolve) => setTimeout(resolve, state.delay));
      return port.findMany(ids);
    },
  });
  return { state, database: { ...db, users: delayed(db.users), sessions: delayed(db.sessions) } };
}

/** What a call has come to after so many milliseconds, `pending` before it has. */
export async function outcomeAfter<T>(milliseconds: number, call: Promise<T>): Promise<T | 'pending'> {
  let outcome: T | 'pending' = 'pending';
  void call.then((found) => {
    outcome = found;
  });
  for (let passed = 0; passed < milliseconds; passed += 10) {
    await turns(3);
    vi.advanceTimersByTime(10);
  }
  await turns();
  return outcome;
}
