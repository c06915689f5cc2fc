import ms, { type StringValue } from 'ms';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Milliseconds since 1970-01-01 UTC. Tests give their own. */
export type Clock = () => number;

/** A number of seconds or a string such as `15m`, as jsonwebtoken reads `expiresIn`. In milliseconds. */
export function parseExpiresIn(value: unknown, option: string): number {
  const duration =
    typeof value === 'number'
      ? value * SECOND
      : typeof value === 'string'
        ? ms(value as StringValue)
        : Number.NaN;
  return positive(duration, option);
}

/** A positive, finite number of milliseconds. */
export function parseDuration(value: unknown, option: string): number {
  return positive(typeof value === 'number' ? value : Number.NaN, option);
}

function positive(duration: number, option: string): number {
  if (Number.isFinite(duration) && duration > 0) return Math.floor(duration);
  throw new TypeError(`${option} must be a positive duration`);
}
