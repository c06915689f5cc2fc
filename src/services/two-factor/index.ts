import type { ServiceFactory } from '../../core/service.ts';
import { resolveTwoFactorOptions, type TwoFactorOptions } from './options.ts';
import { TwoFactorService } from './service.ts';

export type { TwoFactorOptions } from './options.ts';
export type { FactorChangerInput, TwoFactorService } from './service.ts';

export type TwoFactorServiceFactory = ServiceFactory<TwoFactorService>;

/**
 * A second factor: codes of an authenticator (TOTP, RFC 6238) and recovery codes. Once it is registered, every way in
 * asks for it where the user has turned it on. Secrets are encrypted under `encryptionKey`.
 *
 * ```ts
 * new AccountsServer(
 *   { db, tokenSecret: process.env.TOKEN_SECRET },
 *   { password: password(), twoFactor: twoFactor({ appName: 'Diary' }) },
 * );
 * ```
 *
 * Throws a TypeError for an unknown option, and when the server is made where there is no key.
 */
export function twoFactor(options: TwoFactorOptions = {}): TwoFactorServiceFactory {
  const resolved = resolveTwoFactorOptions(options);
  return { create: (context) => new TwoFactorService(context, resolved) };
}
