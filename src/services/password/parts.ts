import type { CanonicalEmail, CanonicalUsername } from '../../core/canonical.ts';
import { parseEmail, parseUsername } from '../../core/canonical.ts';
import type { UserRecord } from '../../core/records.ts';
import type { ServiceContext } from '../../core/service.ts';
import { SECOND } from '../../core/time.ts';
import { AccountsError } from '../../errors.ts';
import { failOpen } from './breach.ts';
import { isCommonPassword } from './common-passwords.ts';
import { Credentials } from './credentials.ts';
import { createHasher, type PasswordHasher } from './hasher.ts';
import type { ResolvedPasswordOptions } from './options.ts';
import { validatePassword } from './policy.ts';

/** What the operations of the service share. */
export interface PasswordParts extends ServiceContext {
  options: ResolvedPasswordOptions;
  hasher: PasswordHasher;
  credentials: Credentials;
  parseNewEmail(input: unknown): CanonicalEmail;
  parseNewUsername(input: unknown): CanonicalUsername;
  /** Checks the form of a new password, before any look-up. */
  parseNewPassword(input: unknown): string;
  /** Refuses a new password that would be guessed: common, breached, or a name of its user. */
  refuseWeak(password: string, names: readonly string[]): Promise<void>;
  /** Costs what storing something costs, where there is nothing to store (S8). */
  writeNothing(): Promise<void>;
}

export function createParts(context: ServiceContext, options: ResolvedPasswordOptions): PasswordParts {
  const { report } = context;
  const hasher = createHasher({
    ...options.hasher,
    report: (problem) => report(new Error(problem), 'a stored password hash'),
  });
  const breached =
    options.breachCheck &&
    failOpen(options.breachCheck, { onFailure: (error) => report(error, 'the breach check') });
  return {
    ...context,
    ...{ options, hasher, credentials: new Credentials(context.users, hasher, context.now, report) },
    parseNewEmail(input) {
      const email = parseEmail(input);
      if (!options.validateEmail(email.address)) throw new AccountsError('INVALID_EMAIL');
      return email;
    },
    parseNewUsername(input) {
      const username = parseUsername(input);
      if (!options.validateUsername(username.username)) throw new AccountsError('INVALID_USERNAME');
      return username;
    },
    parseNewPassword(input) {
      const password = validatePassword(input, options.minLength);
      if (!options.validatePassword(password)) {
        throw new AccountsError('INVALID_PASSWORD', 'This password is not allowed here.');
      }
      return password;
    },
    async refuseWeak(password, names) {
      if (await isCommonPassword(password, names)) throw new AccountsError('PASSWORD_TOO_COMMON');
      if (await breached?.(password)) throw new AccountsError('PASSWORD_BREACHED');
    },
    async writeNothing() {
      const nothing = { purpose: 'none', userId: 'nobody', boundTo: '' };
      await context.oneTimeTokens.create({ ...nothing, lifetime: SECOND });
    },
  };
}

/** What a password of this user must not be. */
export function namesOf({ username, emails }: Pick<UserRecord, 'username' | 'emails'>): string[] {
  return [...(username === null ? [] : [username]), ...emails.map(({ address }) => address)];
}
