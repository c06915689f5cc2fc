import type { ServiceFactory, UserOf } from '../../core/service.ts';
import { type PasswordOptions, resolvePasswordOptions } from './options.ts';
import { PasswordService } from './service.ts';

export { LINK_PATHS } from './links.ts';
export type { NewUserInput, PasswordOptions, ValidatedUser } from './options.ts';
export type { CreateUserResult } from './registration.ts';
export type { PasswordService } from './service.ts';

export interface PasswordServiceFactory extends ServiceFactory<PasswordService> {
  readonly service?: PasswordService<UserOf<this>>;
}

/**
 * Sign-up and login with a password, e-mail verification, reset, enrolment, several addresses per user.
 *
 * ```ts
 * new AccountsServer(
 *   { db, tokenSecret: process.env.TOKEN_SECRET },
 *   { password: password({ requireEmailVerification: true, minLength: 12 }) },
 * );
 * ```
 *
 * Throws a TypeError for an unknown or unsafe option.
 */
export function password(options: PasswordOptions = {}): PasswordServiceFactory {
  const resolved = resolvePasswordOptions(options);
  return {
    create(context) {
      if (resolved.requireEmailVerification && context.enableAutologin) {
        throw new TypeError(
          'enableAutologin would log in users whose address is not verified: drop one of the two',
        );
      }
      return new PasswordService(context, resolved);
    },
  };
}
