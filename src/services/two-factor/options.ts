import { refuseUnknown } from '../../core/known-options.ts';

/**
 * The options of `twoFactor()`. An unknown option throws a `TypeError`, and so does each option of accounts-js that is
 * refused; docs/options.md gives the reasons.
 */
export interface TwoFactorOptions {
  /** What authenticators show beside the user's name. By default the host of `siteUrl`. */
  appName?: string | undefined;
}

export interface ResolvedTwoFactorOptions {
  appName: string | null;
}

/** The options at run time; the type makes the list whole. */
const KNOWN: { readonly [O in keyof Required<TwoFactorOptions>]: true } = { appName: true };

/** Those of accounts-js that have no place here. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['secretLength', 'the secret always has 160 bits'],
  ['window', 'a code is good in its own half minute and in the one before and after, no longer'],
  ['errors', 'the codes are stable and the messages are English; translate by code'],
]);

/** The colon ends the name in an `otpauth:` address. */
const APP_NAME = /^[^\p{C}:]{1,64}$/u;

/** Throws a TypeError for what is unknown or cannot be. */
export function resolveTwoFactorOptions(options: TwoFactorOptions): ResolvedTwoFactorOptions {
  refuseUnknown(options, KNOWN, 'twoFactor', REFUSED);
  const { appName = null } = options;
  const isName = typeof appName === 'string' && APP_NAME.test(appName) && appName.trim() !== '';
  if (appName === null || isName) return { appName };
  throw new TypeError('appName must be 1 to 64 characters on one line, without a colon');
}
