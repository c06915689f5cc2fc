/// <reference path="./rate-limiter-flexible.d.ts" />
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { CounterRecord, CounterStore } from '../../database/ports.ts';
import { hashOf } from '../hash.ts';
import { type Clock, SECOND } from '../time.ts';
import { type Limiter, type LimiterOptions, rateLimited } from './limiter.ts';

/** The limiter of `createLimiter`, now that the package is there. */
export function createStoredLimiter(store: CounterStore, now: Clock, options: LimiterOptions): Limiter {
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
