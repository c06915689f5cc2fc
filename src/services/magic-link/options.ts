import { refuseUnknown } from '../../core/known-options.ts';
import { callback, duration, flag } from '../../core/option-checks.ts';
import { MINUTE } from '../../core/time.ts';

/** The options of `magicLink()`. Durations are milliseconds. An unknown option throws a `TypeError`. */
export interface MagicLinkOptions {
  /** How long a link works: 15 minutes by default, and at most. */
  expiration?: number | undefined;
  /** Mail an address that nobody has a link that makes a user of it. Off by default. */
  signUp?: boolean | undefined;
  /** Narrows which addresses may sign up by a link. */
  validateEmail?: ((email: string) => boolean) | undefined;
}

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['loginTokenExpiration', 'it is called expiration here'],
  ['errors', 'codes are stable and messages are English; translate by code'],
]);

/** The compiler keeps this list whole. */
const KNOWN: { readonly [K in keyof Required<MagicLinkOptions>]: true } = {
  expiration: true,
  signUp: true,
  validateEmail: true,
};

/** A link that lives for long is a password that lies in a mailbox (S29). */
const LIMIT = 15 * MINUTE;

export type ResolvedMagicLinkOptions = ReturnType<typeof resolveMagicLinkOptions>;

/** Checks the options and fills in the defaults. Throws a TypeError. */
export function resolveMagicLinkOptions(options: MagicLinkOptions) {
  refuseUnknown(options, KNOWN, 'magicLink', REFUSED);
  return {
    expiration: duration(options.expiration, LIMIT, 'expiration', LIMIT),
    signUp: flag(options.signUp, false, 'signUp'),
    validateEmail: callback(options.validateEmail, 'validateEmail') ?? (() => true),
  };
}
