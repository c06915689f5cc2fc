import type { SessionRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Authentication } from './authentication.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import { parseObject } from './input.ts';
import type { Issuer } from './issuer.ts';
import type { Sessions } from './sessions.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';

export interface LoginResult<U extends User = User> {
  sessionId: string;
  tokens: { accessToken: string; refreshToken: string };
  user: U;
}

/**
 * Refuses a user whose second factor is missing from the parameters. For everybody else it returns a function that
 * checks again, as `Authentication.stillHolds` does: the user may turn a factor on while this login is under way.
 */
type SecondFactor = (
  user: UserRecord,
  params: Readonly<Record<string, unknown>>,
) => Promise<() => Promise<boolean>>;

export interface LoginAttempt {
  service: string;
  /** As the caller gave them. */
  params: unknown;
  connection: Connection;
  /** Recognises the user, or throws. */
  authenticate: (params: Readonly<Record<string, unknown>>) => Promise<Authentication>;
}

/** A user who was recognised, and what has to hold until there is a session. */
interface Recognised {
  user: UserRecord;
  conditions: (() => Promise<boolean>)[];
}

interface LoginPipelineParts {
  users: Users;
  sessions: Sessions;
  events: Events;
  secondFactor: SecondFactor;
  issuer: Issuer;
  toUser(record: UserRecord): User;
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
      const { user, conditions } = await this.#recognise(attempt, recognised);
      await this.#validateLogin(attempt, user);
      const { connection } = attempt;
      const result = await this.#parts.sessions.begin({ userId: user.id, connection }, (session) =>
        this.#admit(session, conditions),
      );
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

  async #recognise(attempt: LoginAttempt, recognised: (user: UserRecord) => void): Promise<Recognised> {
    const params = parseObject(attempt.params);
    const { user, stillHolds } = await attempt.authenticate(params);
    recognised(user);
    // The same refusal as for a wrong password: whether an account is deactivated is told to nobody (S7).
    if (user.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
    const factorHolds = await this.#parts.secondFactor(user, params);
    return { user, conditions: stillHolds ? [stillHolds, factorHolds] : [factorHolds] };
  }

  async #validateLogin(attempt: LoginAttempt, user: UserRecord): Promise<void> {
    const seen = this.#parts.toUser(user);
    try {
      await this.#parts.events.ask('ValidateLogin', { ...summary(attempt), user: seen });
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      throw new AccountsError('LOGIN_REFUSED', undefined, { cause: error });
    }
  }

  /**
   * Makes the tokens of a session that is in the store already, and asks once more whether the user may log in. A
   * password reset, say, ends all sessions: a later one ends this session too, and an earlier one is noticed here.
   */
  async #admit(session: SessionRecord, conditions: Recognised['conditions']): Promise<LoginResult> {
    const { users, issuer, toUser } = this.#parts;
    const [user, ...holds] = await Promise.all([
      users.find(session.userId),
      ...conditions.map((condition) => condition()),
    ]);
    if (!user || user.deactivated || !holds.every((held) => held === true)) {
      throw new AccountsError('INVALID_CREDENTIALS');
    }
    const tokens = issuer.issue(session, await issuer.claims(session, user));
    return { sessionId: session.id, tokens, user: toUser(user) };
  }

  async #observed<T>(
    attempt: LoginAttempt,
    failure: 'LoginError' | 'AuthenticateError',
    work: (recognised: (user: UserRecord) => void) => Promise<T>,
  ): Promise<T> {
    let user: UserRecord | null = null;
    const recognised = (found: UserRecord): void => {
      user = found;
    };
    const { events } = this.#parts;
    return events.observe(
      () => work(recognised),
      (error) => events.emit(failure, { ...summary(attempt), user: user && this.#seen(user), error }),
    );
  }

  /** Null where the application's sanitizer is what failed. */
  #seen(user: UserRecord): User | null {
    try {
      return this.#parts.toUser(user);
    } catch {
      return null;
    }
  }
}

/**
 * The step for users with a second factor. A user who has one gets no session without it, also where the service that
 * would check it is not registered: an unfinished set-up must fail closed.
 */
export function refuseSecondFactor(users: Users): SecondFactor {
  return async ({ id }) => {
    const isEnrolled = async (): Promise<boolean> => (await users.findIdentity('totp', id)) !== null;
    if (await isEnrolled()) throw new AccountsError('TWO_FACTOR_REQUIRED');
    return async () => !(await isEnrolled());
  };
}

function summary({ service, connection }: LoginAttempt): { service: string; connection: Connection } {
  return { service, connection };
}
