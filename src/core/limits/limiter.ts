/// <reference path="./rate-limiter-flexible.d.ts" />
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { CounterRecord, CounterStore } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { hashOf } from '../hash.ts';
import { type Clock, SECOND } from '../time.ts';

interface LimiterOptions {
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

/** A limiter that counts in a store of ours, by a clock of ours. */
export function createLimiter(store: CounterStore, now: Clock, options: LimiterOptions): Limiter {
  const { weight = 1 } = options;
  const counting = new StoredLimiter(store, now, { ...options, points: options.points * weight });
  const during = (duration = options.duration) => ({ customDuration: duration / SECOND });
  const refund = async (key: string): Promise<void> => {
    const { consumedPoints } = await counting.reward(key, weight);
    // It was reset meanwhile, or has ended: that would be a point more for whoever comes next.
    if (consumedPoints < 0) await counting.delete(key);
  };
  return {
    spend: async (key, duration) => {
      try {
        await counting.consume(key, weight, during(duration));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        await refund(key);
        throw rateLimited(error.msBeforeNext);
      }
    },
    penalize: async (key, duration) =>
      (await counting.penalty(key, weight, during(duration))).consumedPoints / weight,
    refund,
    look: async (key) => {
      const found = await counting.get(key);
      return { spent: (found?.consumedPoints ?? 0) / weight, remaining: found?.msBeforeNext ?? 0 };
    },
    reset: async (key) => void (await counting.delete(key)),
  };
}

/** The refusal, with the time to wait in whole seconds. */
export function rateLimited(milliseconds: number): AccountsError {
  const retryAfter = Math.max(1, Math.ceil(milliseconds / SECOND));
  return new AccountsError('RATE_LIMITED', undefined, { extensions: { retryAfter } });
}

class StoredLimiter extends RateLimiterStoreAbstract {
  readonly #store: CounterStore;
  readonly #now: Clock;

  constructor(store: CounterStore, now: Clock, { name, points, duration }: LimiterOptions) {
    super({ points, duration: duration / SECOND, keyPrefix: name });
    this.#store = store;
    this.#now = now;
  }

  async _upsert(key: string, points: number, duration: number, force: boolean): Promise<CounterRecord> {
    const now = this.#now();
    // The key is somebody's address or name. The package counts in seconds, and comes back from them with fractions.
    const counter = { key: hashOf(key), points, expiresAt: now + Math.round(duration) };
    if (!force) return this.#store.add(counter, now);
    await this.#store.put(counter);
    return counter;
  }

  async _get(key: string): Promise<CounterRecord | null> {
    const counter = await this.#store.find(hashOf(key));
    return counter && counter.expiresAt > this.#now() ? counter : null;
  }

  async _delete(key: string): Promise<boolean> {
    await this.#store.remove(hashOf(key));
    return true;
  }

  _getRateLimiterRes(_key: string, changed: number, { points, expiresAt }: CounterRecord): RateLimiterRes {
    const remaining = Math.max(0, this.points - points);
    return new RateLimiterRes(remaining, Math.max(0, expiresAt - this.#now()), points, points === changed);
  }
}
