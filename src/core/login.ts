import type { SessionRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { type Asker, type Attempt, type Authentication, NO_ASKER } from './authentication.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import { parseObject } from './input.ts';
import type { Issuer } from './issuer.ts';
import { Guesses } from './limits/guesses.ts';
import type { SecondFactors } from './second-factors.ts';
import type { LiveSession, Sessions } from './sessions.ts';
import type { Trace } from './tracing.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';

export interface LoginResult<U extends User = User> {
  sessionId: string;
  tokens: { accessToken: string; refreshToken: string };
  user: U;
}

export interface LoginAttempt {
  service: string;
  /** No service has that name: it is whatever the client has sent. */
  isUnknownService?: boolean | undefined;
  /** As the caller gave them. */
  params: unknown;
  connection: Connection;
  /** Where guesses are counted; missing where there is nothing to guess. */
  guesses?: Guesses | undefined;
  /** The session whose owner proves it once more. */
  current?: LiveSession | null | undefined;
  asker?: Asker | undefined;
  /** Recognises the user, or throws. */
  authenticate: (params: Readonly<Record<string, unknown>>, attempt: Attempt) => Promise<Authentication>;
}

/** A user who was recognised, and what has to hold until there is a session. */
interface Recognised {
  user: UserRecord;
  amr: readonly string[];
  conditions: (() => Promise<boolean>)[];
}

interface LoginPipelineParts {
  users: Users;
  sessions: Sessions;
  events: Events;
  secondFactors: SecondFactors;
  issuer: Issuer;
  trace: Trace;
  toUser(record: UserRecord): User;
}

/** By what each of the two is seen from outside. */
const LOGIN = { span: 'accounts.login', failure: 'LoginError' } as const;
const AUTHENTICATION = { span: 'accounts.authenticate', failure: 'AuthenticateError' } as const;

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
    return this.#observed(attempt, LOGIN, async (recognised, guesses) => {
      const { user, amr, conditions } = await this.#recognise(attempt, guesses, recognised);
      await this.#validateLogin(attempt, user);
      const { connection } = attempt;
      const result = await this.#parts.sessions.begin({ userId: user.id, connection, amr }, (session) =>
        this.#admit(session, conditions),
      );
      events.emit('LoginSuccess', { ...summary(attempt), user: result.user, sessionId: result.sessionId });
      return result;
    });
  }

  /** Recognises a user and starts nothing. The session that it was asked for, if any, counts as fresh again. */
  async authenticate(attempt: LoginAttempt): Promise<User> {
    return this.#observed(attempt, AUTHENTICATION, async (recognised, guesses) => {
      const { user, amr, conditions } = await this.#recognise(attempt, guesses, recognised);
      if (attempt.current) await this.#renew(attempt.current, user, amr, conditions);
      const seen = this.#parts.toUser(user);
      this.#parts.events.emit('AuthenticateSuccess', { ...summary(attempt), user: seen });
      return seen;
    });
  }

  async #recognise(
    { params: given, authenticate, connection, current = null, asker = NO_ASKER }: LoginAttempt,
    guesses: Guesses,
    recognised: (user: UserRecord) => void,
  ): Promise<Recognised> {
    const params = parseObject(given);
    const attempt: Attempt = { guesses, current, asker };
    const first = await authenticate(params, attempt);
    const { user, stillHolds, amr = [] } = first;
    recognised(user);
    // The same refusal as for a wrong password: whether an account is deactivated is told to nobody (S7).
    if (user.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
    const conditions = stillHolds ? [stillHolds] : [];
    if (first.secondFactor === true) return { user, amr, conditions };
    const code = first.codeIsProof === true ? null : params.code;
    const factor = await this.#requireFactor({ ...first, amr, connection }, code, attempt);
    return {
      user,
      amr: [...amr, ...(factor?.amr ?? [])],
      conditions: [...conditions, factor?.stillHolds ?? (() => this.#hasNoFactor(user))],
    };
  }

  async #requireFactor(
    first: Authentication & { amr: readonly string[]; connection: Connection },
    code: unknown,
    attempt: Attempt,
  ): ReturnType<SecondFactors['require']> {
    try {
      return await this.#parts.secondFactors.require(first, code, attempt);
    } catch (error) {
      // A challenge stands for the first factor from now on: one that was replaced meanwhile must not live on in it.
      if (first.stillHolds && !(await first.stillHolds())) throw new AccountsError('INVALID_CREDENTIALS');
      throw error;
    }
  }

  /** The user may turn a factor on while this login is under way. */
  async #hasNoFactor(user: UserRecord): Promise<boolean> {
    return !(await this.#parts.secondFactors.isEnrolled(user.id));
  }

  async #renew(
    { session }: LiveSession,
    user: UserRecord,
    amr: readonly string[],
    conditions: Recognised['conditions'],
  ): Promise<void> {
    const holds = await Promise.all(conditions.map((condition) => condition()));
    // Whoever proves to be somebody else proves nothing for this session.
    if (user.id !== session.userId || !holds.every((held) => held === true)) {
      throw new AccountsError('INVALID_CREDENTIALS');
    }
    await this.#parts.sessions.reauthenticate(session.id, amr);
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
    { span, failure }: typeof LOGIN | typeof AUTHENTICATION,
    work: (recognised: (user: UserRecord) => void, guesses: Guesses) => Promise<T>,
  ): Promise<T> {
    let user: UserRecord | null = null;
    const recognised = (found: UserRecord): void => {
      user = found;
    };
    const { events, trace } = this.#parts;
    const guesses = attempt.guesses ?? new Guesses(null, {});
    const traced = attempt.isUnknownService ? {} : { 'accounts.service': attempt.service };
    return events.observe(
      () => trace(span, traced, () => guesses.during(() => work(recognised, guesses), { completed: true })),
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

function summary({ service, connection }: LoginAttempt): { service: string; connection: Connection } {
  return { service, connection };
}
