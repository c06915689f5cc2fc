import type { CanonicalEmail, CanonicalUsername } from '../../core/canonical.ts';
import { parseEmail, parseUsername } from '../../core/canonical.ts';
import type { ServiceContext } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { failOpen } from './breach.ts';
import { isCommonPassword } from './common-passwords.ts';
import { type Credential, Credentials } from './credentials.ts';
import { createHasher, type PasswordHash, type PasswordHasher } from './hasher.ts';
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
  /**
   * Replaces the password that `credential` is, and ends the user's sessions but the kept ones; null keeps them all.
   * The generation of the new one, or null when somebody else has replaced it.
   */
  replacePassword(
    userId: string,
    credential: Credential,
    hash: PasswordHash,
    keptSessions: readonly string[] | null,
  ): Promise<number | null>;
}

export function createParts(context: ServiceContext, options: ResolvedPasswordOptions): PasswordParts {
  const { report } = context;
  const hasher = createHasher({
    ...options.hasher,
    trace: context.trace,
    report: (problem) => report(new Error(problem), 'a stored password hash'),
  });
  const breached =
    options.breachCheck &&
    failOpen(options.breachCheck, { onFailure: (error) => report(error, 'the breach check') });
  const credentials = new Credentials(context.users, hasher, context.now, report);
  return {
    ...context,
    options,
    hasher,
    credentials,
    parseNewEmail(input) {
      const email = parseEmail(input);
      if (options.validateEmail(email.address) !== true) throw new AccountsError('INVALID_EMAIL');
      return email;
    },
    parseNewUsername(input) {
      const username = parseUsername(input);
      if (options.validateUsername(username.username) !== true) throw new AccountsError('INVALID_USERNAME');
      return username;
    },
    parseNewPassword(input) {
      const password = validatePassword(input, options.minLength);
      if (options.validatePassword(password) !== true) {
        throw new AccountsError('INVALID_PASSWORD', 'This password is not allowed here.');
      }
      return password;
    },
    async refuseWeak(password, names) {
      if (await isCommonPassword(password, names)) throw new AccountsError('PASSWORD_TOO_COMMON');
      if (await breached?.(password)) throw new AccountsError('PASSWORD_BREACHED');
    },
    async replacePassword(userId, credential, hash, keptSessions) {
      const { sessions, users, background } = context;
      const endSessions = async (): Promise<void> => {
        if (keptSessions) await sessions.revokeAll(userId, keptSessions);
      };
      // Before, so that a process that is killed here leaves no session that outlives its password; and after, for
      // those that were begun in between. A login under way finds out by itself once its session is made.
      await endSessions();
      // In the user's turn: an address is not confirmed on the strength of the former password at the same time.
      const replace = () => credentials.replace(userId, credential, hash);
      const replaced = await users.inTurn(userId, replace, 'urgent').catch(async (error: unknown) => {
        // It may be replaced all the same: the answer alone may have been lost.
        await background.insist(`sessions ${userId}`, endSessions);
        throw error;
      });
      if (replaced !== null) await background.insist(`sessions ${userId}`, endSessions);
      return replaced;
    },
  };
}

/** What a password of this user must not be. */
export function namesOf({ username, emails }: Pick<UserRecord, 'username' | 'emails'>): string[] {
  return [...(username === null ? [] : [username]), ...emails.map(({ address }) => address)];
}
