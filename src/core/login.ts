import type { SessionRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { type Events, refusal } from './events.ts';
import type { Authentication } from './service.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';
import type { User, Users } from './users.ts';

export interface LoginResult<U extends User = User> {
  sessionId: string;
  tokens: { accessToken: string; refreshToken: string };
  user: U;
}

/** Refuses a user whose second factor is outstanding; resolves for everybody else. */
export type SecondFactor = (user: UserRecord, params: Readonly<Record<string, unknown>>) => Promise<void>;

export interface LoginAttempt {
  service: string;
  params: Readonly<Record<string, unknown>>;
  connection: Connection;
  /** What recognises the user. */
  authenticate: () => Promise<Authentication>;
}

export interface LoginPipelineParts {
  users: Users;
  sessions: Sessions;
  events: Events;
  secondFactor: SecondFactor;
  toUser(record: UserRecord): User;
  createTokens(session: SessionRecord, user: UserRecord): Promise<ReturnType<Tokens['sign']>>;
}

/**
 * The one way in. Whatever recognised the user, the steps are the same: account checks, second factor, the
 * application's own check, session, tokens. No service can skip one.
 */
export class LoginPipeline {
  readonly #parts: LoginPipelineParts;

  constructor(parts: LoginPipelineParts) {
    this.#parts = parts;
  }

  /** Recognises a user and starts a session. */
  async login(attempt: LoginAttempt): Promise<LoginResult> {
    const { events } = this.#parts;
    return this.#observed(attempt, 'LoginError', async (recognised) => {
      const { user, stillHolds } = await this.#recognise(attempt, recognised);
      await this.#validateLogin(attempt, user);
      const result = await this.#startSession(user, attempt.connection, stillHolds);
      events.emit('LoginSuccess', { ...summary(attempt), user: result.user, sessionId: result.sessionId });
      return result;
    });
  }

  /** Recognises a user and starts nothing. */
  async authenticate(attempt: LoginAttempt): Promise<User> {
    return this.#observed(attempt, 'AuthenticateError', async (recognised) => {
      const { user } = await this.#recognise(attempt, recognised);
      const seen = this.#parts.toUser(user);
      this.#parts.events.emit('AuthenticateSuccess', { ...summary(attempt), user: seen });
      return seen;
    });
  }

  async #recognise(attempt: LoginAttempt, recognised: (user: UserRecord) => void): Promise<Authentication> {
    const authentication = await attempt.authenticate();
    recognised(authentication.user);
    // The same refusal as for a wrong password: whether an account is deactivated is told to nobody (S7).
    if (authentication.user.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
    await this.#parts.secondFactor(authentication.user, attempt.params);
    return authentication;
  }

  async #validateLogin(attempt: LoginAttempt, user: UserRecord): Promise<void> {
    try {
      await this.#parts.events.ask('ValidateLogin', { ...summary(attempt), user: this.#parts.toUser(user) });
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      throw new AccountsError('LOGIN_REFUSED', undefined, { cause: error });
    }
  }

  async #startSession(
    user: UserRecord,
    connection: Connection,
    stillHolds: Authentication['stillHolds'],
  ): Promise<LoginResult> {
    const { sessions, users, toUser, createTokens } = this.#parts;
    const session = await sessions.create(user.id, connection);
    const [current, holds] = await Promise.all([users.find(user.id), stillHolds?.() ?? true]);
    if (!current || current.deactivated || !holds) {
      await sessions.revoke(session.id);
      throw new AccountsError('INVALID_CREDENTIALS');
    }
    return { sessionId: session.id, tokens: await createTokens(session, current), user: toUser(current) };
  }

  async #observed<T>(
    attempt: LoginAttempt,
    failure: 'LoginError' | 'AuthenticateError',
    work: (recognised: (user: UserRecord) => void) => Promise<T>,
  ): Promise<T> {
    let user: UserRecord | null = null;
    try {
      return await work((found) => {
        user = found;
      });
    } catch (error) {
      const { events, toUser } = this.#parts;
      events.emit(failure, { ...summary(attempt), user: user && toUser(user), error: refusal(error) });
      throw error;
    }
  }
}

/**
 * The step for users with a second factor. A user who has one gets no session without it, also where the service that
 * would check it is not registered: an unfinished set-up must fail closed.
 */
export function refuseSecondFactor(users: Users): SecondFactor {
  return async ({ id }) => {
    if (await users.findIdentity('totp', id)) throw new AccountsError('TWO_FACTOR_REQUIRED');
  };
}

function summary({ service, connection }: LoginAttempt): { service: string; connection: Connection } {
  return { service, connection };
}
