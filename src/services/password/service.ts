import type { Attempt, Authentication } from '../../core/authentication.ts';
import { type Connection, parseConnection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import type { UserReference } from '../../core/users.ts';
import type { UserRecord } from '../../database/ports.ts';
import type { PasswordChanger } from './change-password.ts';
import { passwordMails } from './mail.ts';
import type { NewUserInput, ResolvedPasswordOptions } from './options.ts';
import { createParts, type PasswordParts } from './parts.ts';
import type { CreateUserResult } from './registration.ts';
import { passwordOperations } from './resolvers.ts';

/**
 * Accounts with a password. Every method checks what it is given and throws an `AccountsError`; those that take a
 * user's id trust the caller to have checked who is asking.
 */
export class PasswordService<U extends User = User> implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #parts: PasswordParts;
  readonly #run: Runner<typeof import('./actions.ts')>;

  constructor(context: ServiceContext, options: ResolvedPasswordOptions) {
    this.#parts = createParts(context, options);
    this.#run = runnerOf(context.report, import('./actions.ts'));
    context.mailer.define(passwordMails);
    this.operations = passwordOperations(this, context.limits);
  }

  /** Recognises a user by `{ user, password }`. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    _connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication> {
    return this.#run(({ authenticate }) => authenticate(this.#parts, params, attempt));
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
    const created = this.#run(({ createUser }) => createUser(this.#parts, user, parseConnection(connection)));
    return created as Promise<CreateUserResult<U>>;
  }

  findUserByEmail(email: string): Promise<U | null> {
    return this.#find(() => ({ email: parseString(email, 'INVALID_EMAIL') }));
  }

  findUserByUsername(username: string): Promise<U | null> {
    return this.#find(() => ({ username: parseString(username, 'INVALID_USERNAME') }));
  }

  /** Uses a verification link up. Throws INVALID_TOKEN, and EMAIL_TAKEN when another user proved the address first. */
  verifyEmail(token: string): Promise<void> {
    return this.#run(({ verifyEmail }) => verifyEmail(this.#parts, token));
  }

  /**
   * Says, by a verification link, that the account is not that of the address's owner: the address is free, and the
   * account's sessions end. Throws INVALID_TOKEN.
   */
  rejectEmail(token: string): Promise<void> {
    return this.#run(({ rejectEmail }) => rejectEmail(this.#parts, token));
  }

  /**
   * Mails a verification link. Throws USER_NOT_FOUND unless errors are ambiguous. `requester` finds the user who has
   * added the address, if nobody holds it.
   */
  sendVerificationEmail(email: string, requester?: () => Promise<UserRecord | null>): Promise<void> {
    return this.#run(({ sendVerificationEmail }) => sendVerificationEmail(this.#parts, email, requester));
  }

  /** Mails a reset link. Throws USER_NOT_FOUND unless errors are ambiguous. */
  sendResetPasswordEmail(email: string): Promise<void> {
    return this.#run(({ sendResetPasswordEmail }) => sendResetPasswordEmail(this.#parts, email));
  }

  /** Mails the link for a first password. Throws USER_NOT_FOUND: this is for administrators. */
  sendEnrollmentEmail(email: string): Promise<void> {
    return this.#run(({ sendEnrollmentEmail }) => sendEnrollmentEmail(this.#parts, email));
  }

  /** Uses a reset or enrolment link up. Answers null unless `returnTokensAfterResetPassword`. Throws INVALID_TOKEN. */
  resetPassword(token: string, newPassword: string, connection?: unknown): Promise<LoginResult<U> | null> {
    const reset = this.#run(({ resetPassword }) =>
      resetPassword(this.#parts, token, newPassword, parseConnection(connection)),
    );
    return reset as Promise<LoginResult<U> | null>;
  }

  /** Throws INVALID_CREDENTIALS for a wrong old password. `session` is the one that stays. */
  changePassword(
    userId: string,
    oldPassword: string,
    newPassword: string,
    from?: { session?: PasswordChanger['session'] | undefined; connection?: unknown } | null,
  ): Promise<void> {
    const caller = { session: from?.session ?? null, connection: parseConnection(from?.connection) };
    return this.#run(({ changePassword }) =>
      changePassword(this.#parts, parseString(userId), oldPassword, newPassword, caller),
    );
  }

  /** Sets a password without the old one, and ends every session. */
  setPassword(userId: string, newPassword: string): Promise<void> {
    return this.#run(({ setPassword }) => setPassword(this.#parts, parseString(userId), newPassword));
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
    return this.#run(({ addEmail, addVerifiedEmail }) =>
      verified
        ? addVerifiedEmail(this.#parts, parseString(userId), newEmail)
        : addEmail(this.#parts, parseString(userId), newEmail, stillThere),
    );
  }

  /** Throws EMAIL_NOT_FOUND, LAST_IDENTITY and LAST_WAY_IN. */
  removeEmail(userId: string, email: string, stillThere?: () => Promise<unknown>): Promise<void> {
    return this.#run(({ removeEmail }) => removeEmail(this.#parts, parseString(userId), email, stillThere));
  }

  /** Throws USERNAME_TAKEN. */
  setUsername(userId: string, newUsername: string): Promise<void> {
    return this.#run(({ setUsername }) => setUsername(this.#parts, parseString(userId), newUsername));
  }

  #find(parse: () => UserReference): Promise<U | null> {
    return this.#run(async () => {
      const user = await this.#parts.users.findByReference(parse());
      return user && (this.#parts.toUser(user) as U);
    });
  }
}
