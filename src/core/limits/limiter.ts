import type { CounterStore } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { type Clock, SECOND } from '../time.ts';

export interface LimiterOptions {
  /** Two limiters never count together. */
  name: string;
  points: number;
  /** Milliseconds, from the first point that is spent. */
  duration: number;
  /** What each point counts to a store that forgets where least was spent. 1 by default. */
  weight?: number;
}

/** Points that were spent under a key within a time. */
export interface Limiter {
  /** Spends a point, or none and throws RATE_LIMITED. Atomic in all processes. */
  spend(key: string, duration?: number): Promise<void>;
  /** Spends a point whatever the limit; how many are spent then. */
  penalize(key: string, duration?: number): Promise<number>;
  /** Gives a spent point back. */
  refund(key: string): Promise<void>;
  /** What is spent, and for how many milliseconds that counts. */
  look(key: string): Promise<{ spent: number; remaining: number }>;
  reset(key: string): Promise<void>;
}

/**
 * A limiter that counts in a store of ours, by a clock of ours. Its package is loaded beside the start of a server, and
 * not with this one: what cannot be counted until then waits.
 */
export function createLimiter(store: CounterStore, now: Clock, options: LimiterOptions): Limiter {
  const loading = import('./stored-limiter.ts').then(({ createStoredLimiter }) =>
    createStoredLimiter(store, now, options),
  );
  // Told to each who needs it.
  loading.catch(() => {});
  return {
    spend: async (key, duration) => (await loading).spend(key, duration),
    penalize: async (key, duration) => (await loading).penalize(key, duration),
    refund: async (key) => (await loading).refund(key),
    look: async (key) => (await loading).look(key),
    reset: async (key) => (await loading).reset(key),
  };
}

/** The refusal, with the time to wait in whole seconds. */
export function rateLimited(milliseconds: number): AccountsError {
  const retryAfter = Math.max(1, Math.ceil(milliseconds / SECOND));
  return new AccountsError('RATE_LIMITED', undefined, { extensions: { retryAfter } });
}
