import type { ServiceFactory } from '../../core/service.ts';
import { needPackage } from '../../need-package.ts';
import { type PasskeyOptions, resolvePasskeyOptions } from './options.ts';
import { relyingPartyOf } from './relying-party.ts';
import { PasskeyService } from './service.ts';

export type { PasskeyOptions } from './options.ts';
export type { Passkey } from './passkeys.ts';
export type { PasskeyLoginOptions, PasskeyService } from './service.ts';

/**
 * Login with passkeys (WebAuthn Level 3): discoverable credentials, so that nobody types a name. A passkey that checks
 * who holds it, by a fingerprint, a face or a PIN, counts as two factors.
 *
 * ```ts
 * new AccountsServer(
 *   { db, tokenSecret: process.env.TOKEN_SECRET, siteUrl: 'https://diary.example.com' },
 *   { password: password(), passkey: passkey({ rpId: 'example.com', rpName: 'Diary' }) },
 * );
 * ```
 *
 * Throws a TypeError for an unknown or unsafe option, and `new AccountsServer` does so where the site is one on which
 * no browser allows passkeys. Throws an error that names the package when `@simplewebauthn/server` is not installed.
 */
export function passkey(options: PasskeyOptions = {}): ServiceFactory<PasskeyService> {
  const resolved = resolvePasskeyOptions(options);
  needPackage('@simplewebauthn/server', 'passkey()');
  return {
    create: (context) =>
      new PasskeyService(context, { ...resolved, rp: relyingPartyOf(options, context.siteUrl) }),
  };
}
