import ms, { type StringValue } from 'ms';
import { DAY, SECOND } from './units.ts';

export { DAY, HOUR, MINUTE, SECOND } from './units.ts';

/** Milliseconds since 1970-01-01 UTC. Tests give their own. */
export type Clock = () => number;

/** What is longer was meant to be something else, and would be no date any more when it is added to one. */
const LONGEST = 36_500 * DAY;

/**
 * A number of seconds or a string such as `15m`, as jsonwebtoken reads `expiresIn`. In milliseconds, and at least a
 * second: that is what tokens count in. A string without a unit is milliseconds there, and mostly a mistake.
 */
export function parseExpiresIn(value: unknown, option: string): number {
  const duration = typeof value === 'number' ? value * SECOND : fromText(value);
  if (duration >= SECOND && duration <= LONGEST) return Math.floor(duration);
  throw new TypeError(`${option} must be a number of seconds or a string such as '15m'`);
}

/** A number of milliseconds, from 1 to a hundred years or the limit. */
export function parseDuration(value: unknown, option: string, limit: number = LONGEST): number {
  if (typeof value === 'number' && value >= 1 && value <= limit) return Math.floor(value);
  throw new TypeError(`${option} must be a number of milliseconds from 1 to ${limit}`);
}

function fromText(value: unknown): number {
  // `ms` throws for an empty or very long text, and has no answer for what it does not understand.
  const isReadable = typeof value === 'string' && value !== '' && value.length <= 100;
  return isReadable ? (ms(value as StringValue) ?? Number.NaN) : Number.NaN;
}
