import type { Attempt, Authentication } from '../../core/authentication.ts';
import { type Connection, parseConnection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import { masked } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import type { UserReference } from '../../core/users.ts';
import type { UserRecord } from '../../database/ports.ts';
import { addEmail, addVerifiedEmail, removeEmail } from './addresses.ts';
import { authenticate } from './authentication.ts';
import { changePassword, type PasswordChanger, setPassword } from './change-password.ts';
import { passwordMails } from './mail.ts';
import type { NewUserInput, ResolvedPasswordOptions } from './options.ts';
import { createParts, type PasswordParts } from './parts.ts';
import { type CreateUserResult, createUser } from './registration.ts';
import { rejectEmail } from './reject-email.ts';
import { resetPassword, sendEnrollmentEmail, sendResetPasswordEmail } from './reset-password.ts';
import { passwordOperations } from './resolvers.ts';
import { setUsername } from './username.ts';
import { sendVerificationEmail, verifyEmail } from './verify-email.ts';

/**
 * Accounts with a password. Every method checks what it is given and throws an `AccountsError`; those that take a
 * user's id trust the caller to have checked who is asking.
 */
export class PasswordService<U extends User = User> implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #parts: PasswordParts;

  constructor(context: ServiceContext, options: ResolvedPasswordOptions) {
    this.#parts = createParts(context, options);
    context.mailer.define(passwordMails);
    this.operations = passwordOperations(this, context.limits);
  }

  /** Recognises a user by `{ user, password }`. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    _connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication> {
    return this.#masked(() => authenticate(this.#parts, params, attempt));
  }

  /** A password, where there is a name to give with it. */
  async countWays({ id, username, emails }: UserRecord): Promise<number> {
    const hasName = username !== null || emails.some(({ claimed }) => claimed);
    return hasName && (await this.#parts.credentials.find(id)).record ? 1 : 0;
  }

  /** Signs a user up, with a username, an e-mail address or both. Both fields are null while errors are ambiguous. */
  createUser(
    user: NewUserInput & { password?: string | null | undefined },
    connection?: unknown,
  ): Promise<CreateUserResult<U>> {
    const work = () => createUser(this.#parts, user, parseConnection(connection));
    return this.#masked(work) as Promise<CreateUserResult<U>>;
  }

  findUserByEmail(email: string): Promise<U | null> {
    return this.#find(() => ({ email: parseString(email, 'INVALID_EMAIL') }));
  }

  findUserByUsername(username: string): Promise<U | null> {
    return this.#find(() => ({ username: parseString(username, 'INVALID_USERNAME') }));
  }

  /** Uses a verification link up. Throws INVALID_TOKEN, and EMAIL_TAKEN when another user proved the address first. */
  verifyEmail(token: string): Promise<void> {
    return this.#masked(() => verifyEmail(this.#parts, token));
  }

  /**
   * Says, by a verification link, that the account is not that of the address's owner: the address is free, and the
   * account's sessions end. Throws INVALID_TOKEN.
   */
  rejectEmail(token: string): Promise<void> {
    return this.#masked(() => rejectEmail(this.#parts, token));
  }

  /**
   * Mails a verification link. Throws USER_NOT_FOUND unless errors are ambiguous. `requester` finds the user who has
   * added the address, if nobody holds it.
   */
  sendVerificationEmail(email: string, requester?: () => Promise<UserRecord | null>): Promise<void> {
    return this.#masked(() => sendVerificationEmail(this.#parts, email, requester));
  }

  /** Mails a reset link. Throws USER_NOT_FOUND unless errors are ambiguous. */
  sendResetPasswordEmail(email: string): Promise<void> {
    return this.#masked(() => sendResetPasswordEmail(this.#parts, email));
  }

  /** Mails the link for a first password. Throws USER_NOT_FOUND: this is for administrators. */
  sendEnrollmentEmail(email: string): Promise<void> {
    return this.#masked(() => sendEnrollmentEmail(this.#parts, email));
  }

  /** Uses a reset or enrolment link up. Answers null unless `returnTokensAfterResetPassword`. Throws INVALID_TOKEN. */
  resetPassword(token: string, newPassword: string, connection?: unknown): Promise<LoginResult<U> | null> {
    const work = () => resetPassword(this.#parts, token, newPassword, parseConnection(connection));
    return this.#masked(work) as Promise<LoginResult<U> | null>;
  }

  /** Throws INVALID_CREDENTIALS for a wrong old password. `session` is the one that stays. */
  changePassword(
    userId: string,
    oldPassword: string,
    newPassword: string,
    from?: { session?: PasswordChanger['session'] | undefined; connection?: unknown } | null,
  ): Promise<void> {
    const caller = { session: from?.session ?? null, connection: parseConnection(from?.connection) };
    return this.#masked(() =>
      changePassword(this.#parts, parseString(userId), oldPassword, newPassword, caller),
    );
  }

  /** Sets a password without the old one, and ends every session. */
  setPassword(userId: string, newPassword: string): Promise<void> {
    return this.#masked(() => setPassword(this.#parts, parseString(userId), newPassword));
  }

  /**
   * Lists one more address; with `verified` it counts at once, and EMAIL_TAKEN may be thrown. `stillThere` rejects when
   * the session that asks has ended; it is asked once the address is listed, and takes it off again.
   */
  addEmail(
    userId: string,
    newEmail: string,
    verified = false,
    stillThere?: () => Promise<unknown>,
  ): Promise<void> {
    return this.#masked(() =>
      verified
        ? addVerifiedEmail(this.#parts, parseString(userId), newEmail)
        : addEmail(this.#parts, parseString(userId), newEmail, stillThere),
    );
  }

  /** Throws EMAIL_NOT_FOUND, LAST_IDENTITY and LAST_WAY_IN. */
  removeEmail(userId: string, email: string, stillThere?: () => Promise<unknown>): Promise<void> {
    return this.#masked(() => removeEmail(this.#parts, parseString(userId), email, stillThere));
  }

  /** Throws USERNAME_TAKEN. */
  setUsername(userId: string, newUsername: string): Promise<void> {
    return this.#masked(() => setUsername(this.#parts, parseString(userId), newUsername));
  }

  #find(parse: () => UserReference): Promise<U | null> {
    return this.#masked(async () => {
      const user = await this.#parts.users.findByReference(parse());
      return user && (this.#parts.toUser(user) as U);
    });
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#parts.report, work);
  }
}
