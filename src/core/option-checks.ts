import { parseDuration } from './time.ts';

/** setTimeout takes what is longer for no time at all. */
export const TIMER_LIMIT = 2 ** 31 - 1;

/** A number of milliseconds. */
export function duration(value: unknown, fallback: number, option: string, limit?: number): number {
  return value === undefined ? fallback : parseDuration(value, option, limit);
}

export function flag(value: unknown, fallback: boolean, option: string): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new TypeError(`${option} must be true or false`);
  return value;
}

export function callback<T>(value: T | undefined, option: string): T | undefined {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${option} must be a function`);
  return value;
}
