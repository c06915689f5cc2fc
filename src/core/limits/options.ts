import { refuseUnknown } from '../known-options.ts';
import { duration } from '../option-checks.ts';
import { HOUR, MINUTE } from '../time.ts';

/**
 * How much may be guessed, signed up and mailed. Durations are milliseconds. An address is that of the client: an
 * IPv4 address, or the /64 network of an IPv6 address.
 */
export interface RateLimits {
  /** Wrong guesses in a row at one account that are looked at before it is delayed. 9 by default, and at most. */
  accountGuesses?: number | undefined;
  /** The first delay; each further wrong guess doubles it. 1 minute by default. */
  accountDelay?: number | undefined;
  /** The longest delay. 15 minutes by default. */
  accountMaxDelay?: number | undefined;
  /** Wrong guesses from one address, at whatever account. 100 by default. */
  addressGuesses?: number | undefined;
  /** The time in which they count. 15 minutes by default. */
  addressGuessWindow?: number | undefined;
  /** Sign-ups from one address within an hour. 30 by default. */
  addressSignUps?: number | undefined;
  /** Mails that one address asks for within an hour. 30 by default. */
  addressMails?: number | undefined;
  /** Mails that go to one recipient on request within an hour. 5 by default. */
  recipientMails?: number | undefined;
}

export type ResolvedRateLimits = { readonly [L in keyof Required<RateLimits>]: number };

/** The limits at run time; the type makes the list whole. */
const KNOWN: { readonly [L in keyof Required<RateLimits>]: true } = {
  accountGuesses: true,
  accountDelay: true,
  accountMaxDelay: true,
  addressGuesses: true,
  addressGuessWindow: true,
  addressSignUps: true,
  addressMails: true,
  recipientMails: true,
};

/** OWASP ASVS 5.0, 6.1.1: fewer than ten guesses in a row delay an account. */
const MAX_GUESSES = 9;

/** Null: nothing is limited. Throws a TypeError. */
export function resolveRateLimits(limits: RateLimits | false = {}): ResolvedRateLimits | null {
  if (limits === false) return null;
  refuseUnknown(limits, KNOWN, 'rateLimits');
  return {
    accountGuesses: count(limits, 'accountGuesses', 9, MAX_GUESSES),
    accountDelay: duration(limits.accountDelay, MINUTE, 'rateLimits.accountDelay', HOUR),
    accountMaxDelay: duration(limits.accountMaxDelay, 15 * MINUTE, 'rateLimits.accountMaxDelay', 24 * HOUR),
    addressGuesses: count(limits, 'addressGuesses', 100),
    addressGuessWindow: duration(
      limits.addressGuessWindow,
      15 * MINUTE,
      'rateLimits.addressGuessWindow',
      24 * HOUR,
    ),
    addressSignUps: count(limits, 'addressSignUps', 30),
    addressMails: count(limits, 'addressMails', 30),
    recipientMails: count(limits, 'recipientMails', 5),
  };
}

function count(limits: RateLimits, name: keyof RateLimits, fallback: number, most = 1_000_000): number {
  const value = limits[name] ?? fallback;
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new TypeError(`rateLimits.${name} must be a whole number from 1 to ${most}`);
}
