import { refuseUnknown } from '../../core/known-options.ts';
import { duration } from '../../core/option-checks.ts';
import { MINUTE } from '../../core/time.ts';

/** The options of `code()`. Durations are milliseconds. An unknown option throws a `TypeError`. */
export interface CodeOptions {
  /** How long a code works: 10 minutes by default, and at most. */
  expiration?: number | undefined;
}

/** The compiler keeps this list whole. */
const KNOWN: { readonly [K in keyof Required<CodeOptions>]: true } = { expiration: true };

const LIMIT = 10 * MINUTE;

export type ResolvedCodeOptions = ReturnType<typeof resolveCodeOptions>;

/** Checks the options and fills in the defaults. Throws a TypeError. */
export function resolveCodeOptions(options: CodeOptions) {
  refuseUnknown(options, KNOWN, 'code');
  return { expiration: duration(options.expiration, LIMIT, 'expiration', LIMIT) };
}
