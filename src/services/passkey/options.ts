import { refuseUnknown } from '../../core/known-options.ts';
import { flag } from '../../core/option-checks.ts';
import { checkOrigin, checkRpId, type RelyingParty } from './relying-party.ts';

/** The options of `passkey()`. An unknown option throws a `TypeError`. */
export interface PasskeyOptions {
  /**
   * The domain that passkeys are made for: that of the site or one above it. The host of `siteUrl` by default. Whoever
   * changes it later makes every passkey useless.
   */
  rpId?: string | undefined;
  /** What browsers call the site when they ask. By default `rpId`. */
  rpName?: string | undefined;
  /**
   * The origins of the pages that use passkeys, such as `https://app.example.com`; `http:` only of localhost. Apps for
   * Android have `android:apk-key-hash:…`. By default that of `siteUrl`.
   */
  origins?: readonly string[] | undefined;
  /** How many passkeys a user may have. 25 by default, and 100 at most. */
  maxPasskeys?: number | undefined;
  /** Mail the owner when a passkey was added or removed. On by default. */
  notifyUserAfterPasskeysChanged?: boolean | undefined;
}

export interface ResolvedPasskeyOptions {
  rp: RelyingParty;
  maxPasskeys: number;
  notifiesUser: boolean;
}

/** The compiler keeps this list whole. */
const KNOWN: { readonly [K in keyof Required<PasskeyOptions>]: true } = {
  rpId: true,
  rpName: true,
  origins: true,
  maxPasskeys: true,
  notifyUserAfterPasskeysChanged: true,
};

/** Each request to register names them all. */
const MOST_PASSKEYS = 100;

/** Checks what can be checked without the site. Throws a TypeError. */
export function resolvePasskeyOptions(options: PasskeyOptions): Omit<ResolvedPasskeyOptions, 'rp'> {
  refuseUnknown(options, KNOWN, 'passkey');
  const { rpId, rpName, origins, maxPasskeys = 25, notifyUserAfterPasskeysChanged } = options;
  if (rpId !== undefined) checkRpId(rpId);
  if (rpName !== undefined && (typeof rpName !== 'string' || rpName === '')) {
    throw new TypeError('rpName must be the name of the site');
  }
  if (origins !== undefined) {
    if (!Array.isArray(origins) || origins.length === 0)
      throw new TypeError('origins must be a list of origins');
    for (const origin of origins) checkOrigin(origin);
  }
  if (!Number.isSafeInteger(maxPasskeys) || maxPasskeys < 1 || maxPasskeys > MOST_PASSKEYS) {
    throw new TypeError(`maxPasskeys must be a whole number from 1 to ${MOST_PASSKEYS}`);
  }
  return {
    maxPasskeys,
    notifiesUser: flag(notifyUserAfterPasskeysChanged, true, 'notifyUserAfterPasskeysChanged'),
  };
}
