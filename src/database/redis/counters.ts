import type { CounterRecord, CounterStore } from '../ports.ts';
import type { RedisClient } from './client.ts';
import { keysWith } from './keys.ts';
import { millisecondsUntil } from './left.ts';
import { run } from './run.ts';
import { ADD } from './scripts.ts';

/**
 * Each is one key, `points|end`, that lives for what is left of it. No replica is waited for: what a fail-over forgets
 * are the guesses of its last moments.
 */
export function createCounters(
  client: RedisClient,
  { prefix, now }: { prefix: string; now: () => number },
): CounterStore {
  const { counter: nameOf } = keysWith(prefix);
  return {
    add: async ({ key, points, expiresAt }, at) =>
      fromValue(key, String(await run(client, ADD, nameOf(key), [points, expiresAt, at]))),
    put: async ({ key, points, expiresAt }) => {
      const left = millisecondsUntil(expiresAt, now());
      if (left === 0) await client.del(nameOf(key));
      else await client.set(nameOf(key), `${points}|${expiresAt}`, 'PX', left);
    },
    find: async (key) => {
      const value = await client.get(nameOf(key));
      return value === null ? null : fromValue(key, value);
    },
    remove: async (key) => {
      await client.del(nameOf(key));
    },
    // Redis does it, by the TTL of every key.
    removeExpired: async () => 0,
  };
}

/** Throws, without the value, what is no value of ours. */
function fromValue(key: string, value: string): CounterRecord {
  const [, points, expiresAt] = /^(-?\d+)\|([^|]+)$/.exec(value) ?? [];
  if (points === undefined || expiresAt === undefined)
    throw new Error('a counter in Redis cannot be read: its key was changed by another program');
  return { key, points: Number(points), expiresAt: Number(expiresAt) };
}
