import { refuseUnknown } from '../../core/known-options.ts';
import { callback, flag } from '../../core/option-checks.ts';
import { DAY, HOUR, parseDuration } from '../../core/time.ts';
import type { Json } from '../../database/ports.ts';
import type { BreachCheck } from './breach.ts';
import type { HasherOptions } from './hasher.ts';
import { checkMinLength } from './policy.ts';

/** What a sign-up brings. The password is not among what `validateNewUser` sees. */
export interface NewUserInput {
  username?: string | null | undefined;
  email?: string | null | undefined;
  [field: string]: unknown;
}

/** What of a sign-up is stored: nothing else of the input ever is. */
export interface ValidatedUser {
  username?: string | null | undefined;
  email?: string | null | undefined;
  profile?: { [key: string]: Json } | undefined;
}

/**
 * The options of `password()`. Durations are milliseconds. An unknown option throws a `TypeError`, and so does each
 * option of accounts-js that is refused; docs/options.md gives the reasons.
 */
export interface PasswordOptions {
  /** Refuse a login until the address is verified. Off by default. */
  requireEmailVerification?: boolean | undefined;
  /** Mail the link at sign-up. By default as `requireEmailVerification`. */
  sendVerificationEmailAfterSignup?: boolean | undefined;
  /** 3 days by default, and at most. */
  verifyEmailTokenExpiration?: number | undefined;
  /** 1 hour by default, and at most. */
  passwordResetTokenExpiration?: number | undefined;
  /** 7 days by default, and at most. */
  passwordEnrollTokenExpiration?: number | undefined;
  /** Mail the owner when the password was reset or changed. On by default. */
  notifyUserAfterPasswordChanged?: boolean | undefined;
  /** A reset logs in, through the same steps as any login. Off by default. */
  returnTokensAfterResetPassword?: boolean | undefined;
  /** A reset ends every session. On by default. */
  invalidateAllSessionsAfterPasswordReset?: boolean | undefined;
  /** A change ends every other session. On by default. */
  invalidateAllSessionsAfterPasswordChanged?: boolean | undefined;
  /** A change voids reset links. On by default. */
  removeAllResetPasswordTokensAfterPasswordChanged?: boolean | undefined;
  /** What of a sign-up is stored; throw an `AccountsError` to refuse it. By default `username` and `email` are. */
  validateNewUser?: ((user: NewUserInput) => ValidatedUser | Promise<ValidatedUser>) | undefined;
  /** Narrows which addresses may be used; what is not a valid address is refused in any case. */
  validateEmail?: ((email: string) => boolean) | undefined;
  /** Narrows which passwords may be set; S3 and the block list hold in any case. */
  validatePassword?: ((password: string) => boolean) | undefined;
  /** Narrows which usernames may be used. */
  validateUsername?: ((username: string) => boolean) | undefined;
  /** The fewest characters of a new password: 8 by default, and at least. */
  minLength?: number | undefined;
  /** Asks a breach service; one that fails lets the password pass. */
  breachCheck?: BreachCheck | undefined;
  /** How many passwords are hashed at once. By default as many as there are processors, 3 at most. */
  hashConcurrency?: number | undefined;
  /** How many more may wait before `BUSY` is the answer. */
  hashQueueLimit?: number | undefined;
  /** The cost of argon2id: 19 MiB, t=2, p=1 by default, and at least. */
  argon2?: HasherOptions['argon2'];
  /** Takes the place of argon2id, together with `verifyPassword`. */
  hashPassword?: HasherOptions['hashPassword'];
  verifyPassword?: HasherOptions['verifyPassword'];
  /** How many addresses a user may list. 20 by default. */
  maxEmails?: number | undefined;
}

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['twoFactor', 'the second factor is a service of its own and guards every way in'],
  ['errors', 'codes are stable and messages are English; translate by code'],
]);

export type ResolvedPasswordOptions = ReturnType<typeof resolvePasswordOptions>;

/** Checks the options and fills in the defaults. Throws a TypeError. */
export function resolvePasswordOptions(options: PasswordOptions) {
  refuseUnknown(options, KNOWN, 'password', REFUSED);
  const requireEmailVerification = flag(options.requireEmailVerification, false, 'requireEmailVerification');
  return {
    requireEmailVerification,
    sendVerificationEmailAfterSignup: flag(
      options.sendVerificationEmailAfterSignup,
      requireEmailVerification,
      'sendVerificationEmailAfterSignup',
    ),
    verifyEmailTokenExpiration: lifetime(options, 'verifyEmailTokenExpiration', 3 * DAY),
    passwordResetTokenExpiration: lifetime(options, 'passwordResetTokenExpiration', HOUR),
    passwordEnrollTokenExpiration: lifetime(options, 'passwordEnrollTokenExpiration', 7 * DAY),
    notifyUserAfterPasswordChanged: on(options, 'notifyUserAfterPasswordChanged'),
    returnTokensAfterResetPassword: flag(
      options.returnTokensAfterResetPassword,
      false,
      'returnTokensAfterResetPassword',
    ),
    invalidateAllSessionsAfterPasswordReset: on(options, 'invalidateAllSessionsAfterPasswordReset'),
    invalidateAllSessionsAfterPasswordChanged: on(options, 'invalidateAllSessionsAfterPasswordChanged'),
    removeAllResetPasswordTokensAfterPasswordChanged: on(
      options,
      'removeAllResetPasswordTokensAfterPasswordChanged',
    ),
    validateNewUser: callback(options.validateNewUser, 'validateNewUser'),
    validateEmail: callback(options.validateEmail, 'validateEmail') ?? always,
    validatePassword: callback(options.validatePassword, 'validatePassword') ?? always,
    validateUsername: callback(options.validateUsername, 'validateUsername') ?? always,
    minLength: checkMinLength(options.minLength),
    breachCheck: callback(options.breachCheck, 'breachCheck'),
    maxEmails: parseMaxEmails(options.maxEmails),
    hasher: {
      concurrency: options.hashConcurrency,
      queueLimit: options.hashQueueLimit,
      argon2: options.argon2,
      hashPassword: callback(options.hashPassword, 'hashPassword'),
      verifyPassword: callback(options.verifyPassword, 'verifyPassword'),
    } satisfies HasherOptions,
  };
}

/** The compiler keeps this list whole. */
const KNOWN: { readonly [K in keyof Required<PasswordOptions>]: true } = {
  requireEmailVerification: true,
  sendVerificationEmailAfterSignup: true,
  verifyEmailTokenExpiration: true,
  passwordResetTokenExpiration: true,
  passwordEnrollTokenExpiration: true,
  notifyUserAfterPasswordChanged: true,
  returnTokensAfterResetPassword: true,
  invalidateAllSessionsAfterPasswordReset: true,
  invalidateAllSessionsAfterPasswordChanged: true,
  removeAllResetPasswordTokensAfterPasswordChanged: true,
  validateNewUser: true,
  validateEmail: true,
  validatePassword: true,
  validateUsername: true,
  minLength: true,
  breachCheck: true,
  hashConcurrency: true,
  hashQueueLimit: true,
  argon2: true,
  hashPassword: true,
  verifyPassword: true,
  maxEmails: true,
};

type LifetimeOption =
  | 'verifyEmailTokenExpiration'
  | 'passwordResetTokenExpiration'
  | 'passwordEnrollTokenExpiration';

/** A link that lives for long is a password that lies in a mailbox: the defaults are also the limits (S29). */
function lifetime(options: PasswordOptions, name: LifetimeOption, limit: number): number {
  const value = options[name];
  if (value === undefined) return limit;
  if (parseDuration(value, name) > limit)
    throw new TypeError(`${name} must be at most ${limit} milliseconds`);
  return value;
}

function parseMaxEmails(value = 20): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError('maxEmails must be a whole number from 1');
  return value;
}

type DefaultOnOption =
  | 'notifyUserAfterPasswordChanged'
  | 'invalidateAllSessionsAfterPasswordReset'
  | 'invalidateAllSessionsAfterPasswordChanged'
  | 'removeAllResetPasswordTokensAfterPasswordChanged';

function on(options: PasswordOptions, name: DefaultOnOption): boolean {
  return flag(options[name], true, name);
}

function always(): boolean {
  return true;
}
