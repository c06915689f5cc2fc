import type { CounterStore, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { Attempts, type CallerProof } from './attempts.ts';
import { Background } from './background.ts';
import { type ConnectionInput, parseConnection } from './connection.ts';
import { Discretion } from './discretion.ts';
import { type AccountsEventName, type AccountsEvents, Events, type Refusal } from './events.ts';
import { type Impersonated, type ImpersonationResult, impersonate } from './impersonation.ts';
import { parseObject, parseString } from './input.ts';
import { Issuer } from './issuer.ts';
import { type Jwks, publicKeys } from './jwks.ts';
import { Limits } from './limits/limits.ts';
import { countersBeside } from './limits/memory-counters.ts';
import { LiveSessions } from './live-sessions.ts';
import { type LoginAttempt, LoginPipeline, type LoginResult } from './login.ts';
import { Mailer } from './mailer.ts';
import { NO_STORE } from './micro.ts';
import { OneTimeTokens } from './one-time-tokens.ts';
import { type AccountsServerOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { Ownership } from './ownership.ts';
import { refreshTokens } from './refresh.ts';
import { masked } from './report.ts';
import { type Requester, Requesters } from './requester.ts';
import { SecondFactors } from './second-factors.ts';
import type { ServiceContext, Services, ServicesOf } from './service.ts';
import { RegisteredServices } from './services.ts';
import { type LiveSession, type RequiredProof, type SessionInfo, Sessions } from './sessions.ts';
import { createStore, type Store } from './store.ts';
import { Tokens } from './tokens.ts';
import { createTrace, type Trace } from './tracing.ts';
import { toUser, type User } from './user.ts';
import { Users } from './users.ts';
import { WaysIn } from './ways-in.ts';

/** One of the registered services, completed by editors; any other string is refused at run time. */
type ServiceName<F extends Services> = (keyof F & string) | (string & {});

/** What most of the work is done with. */
interface Rooms {
  users: Users;
  sessions: Sessions;
  live: LiveSessions;
  tokens: Tokens;
  issuer: Issuer;
  events: Events;
  oneTimeTokens: OneTimeTokens;
  limits: Limits;
  secondFactors: SecondFactors;
  trace: Trace;
  toUser(record: UserRecord): User;
}

/**
 * Accounts on a database, with the services that are handed in. Every error that a method throws is an
 * `AccountsError`; a wrong option is a `TypeError` of the constructor.
 *
 * ```ts
 * import { AccountsServer, password } from 'graphql-accounts';
 * import { sqliteDatabase } from 'graphql-accounts/database/sqlite';
 *
 * const accountsServer = new AccountsServer(
 *   { db: sqliteDatabase('./accounts.db'), tokenSecret: process.env.TOKEN_SECRET },
 *   { password: password() },
 * );
 * accountsServer.on('LoginSuccess', ({ user }) => console.log(`${user.id} is in`));
 * ```
 *
 * The type of user is taken from the options, so write neither type argument: `new AccountsServer<MyUser>(…)` would
 * lose the types of the services, because TypeScript infers all type arguments or none.
 *
 * ```ts
 * const options: AccountsServerOptions<MyUser> = { db, tokenSecret };
 * const accountsServer = new AccountsServer(options, { password: password() });
 * await accountsServer.services.password.findUserByEmail(email); // MyUser | null
 * ```
 */
export class AccountsServer<U extends User = User, F extends Services = Services> {
  /** The services by name, such as `accountsServer.services.password.createUser(input, connection)`. */
  readonly services: ServicesOf<F, U>;
  readonly #options: ResolvedOptions;
  readonly #store: Store;
  readonly #counters: CounterStore;
  readonly #background: Background;
  readonly #rooms: Rooms;
  readonly #login: LoginPipeline;
  readonly #requesters: Requesters;
  readonly #attempts: Attempts;

  constructor(options: AccountsServerOptions<U>, services: F = {} as F) {
    // Inside, users are plain users: the application's own type is a promise of what its callbacks get and give.
    const resolved = resolveOptions(options as unknown as AccountsServerOptions);
    const { now, onError, keyring, access, refresh, createJwtPayload, stateless, micro } = resolved;
    const { resumeSessionValidator: validate, operationTimeout: timeout } = resolved;
    const toUser = (record: UserRecord): User => this.#toUser(record);
    this.#options = resolved;
    this.#store = storeOf(options, resolved);
    this.#background = new Background(onError);
    const users = new Users(this.#store, now);
    const oneTimeTokens = new OneTimeTokens(this.#store, now);
    this.#counters = this.#store.counters ?? countersBeside(options.db ?? this);
    const limits = new Limits(this.#counters, now, resolved.rateLimits);
    const secondFactors = new SecondFactors({ users, oneTimeTokens, limits, now });
    const tokens = new Tokens({ keyring, access, refresh, now });
    const sessions = new Sessions(this.#store, lifetimes(resolved), now);
    this.#rooms = {
      users,
      sessions,
      live: new LiveSessions({ sessions, stateless: stateless || micro, now, report: onError }),
      tokens,
      oneTimeTokens,
      limits,
      secondFactors,
      trace: createTrace(resolved.tracer, onError),
      events: new Events(onError),
      toUser,
      issuer: new Issuer({ tokens, createJwtPayload, lifetime: access.lifetime, now, toUser }),
    };
    this.#login = new LoginPipeline(this.#rooms);
    const requesting = { stateless, micro, timeout, validate, report: onError };
    this.#requesters = new Requesters({ ...this.#rooms, ...requesting });
    const registered = new RegisteredServices(services, this.#serviceContext());
    this.services = Object.freeze(Object.fromEntries(registered.byName)) as ServicesOf<F, U>;
    this.#attempts = new Attempts({ ...this.#rooms, services: registered });
  }

  /** Calls the listener at every event of that name, until the function that it returns is called. */
  on<N extends AccountsEventName>(name: N, listener: (event: AccountsEvents<U>[N]) => unknown): () => void {
    return (this.#rooms.events as unknown as Events<U>).on(name, listener);
  }

  /** Null when there is no such user. Deactivated users are found. */
  async findUserById(userId: string): Promise<U | null> {
    return this.#masked(async () => {
      const user = await this.#rooms.users.find(parseString(userId));
      return user && this.#toUser(user);
    });
  }

  /**
   * Logs in through a service. Throws what the service refuses with, LOGIN_REFUSED, RATE_LIMITED, and TWO_FACTOR_REQUIRED
   * with a challenge for a user whose second factor is outstanding.
   */
  async loginWithService(
    serviceName: ServiceName<F>,
    params: unknown,
    connection?: ConnectionInput | null,
    proof?: CallerProof,
  ): Promise<LoginResult<U>> {
    return this.#logIn(this.#attempts.by(serviceName, params, connection, proof));
  }

  /**
   * Proves an identity as `loginWithService` does, without a new session. With the access token of a session that is
   * good, its owner's proof is fresh again from now on; whoever proves to be somebody else is refused.
   */
  async authenticateWithService(
    serviceName: ServiceName<F>,
    params: unknown,
    connection?: ConnectionInput | null,
    proof?: CallerProof,
  ): Promise<boolean> {
    return this.#masked(async () => {
      const current = await this.#sessionToRenew(proof?.accessToken);
      await this.#login.authenticate({
        ...this.#attempts.by(serviceName, params, connection, proof),
        current,
      });
      return true;
    });
  }

  /**
   * Starts a session for a user whom the caller has recognised: who it is is not checked at all. The other steps of a
   * login are taken, so that a deactivated user and one whom `ValidateLogin` refuses do not get in, and one with a
   * second factor is asked for it; `skipSecondFactor: true` says that the application has seen to that as well.
   */
  async loginWithUser(
    user: Pick<User, 'id'>,
    connection?: ConnectionInput | null,
    { skipSecondFactor = false }: { skipSecondFactor?: boolean | undefined } = {},
  ): Promise<LoginResult<U>> {
    return this.#logIn({
      service: 'loginWithUser',
      params: {},
      connection: parseConnection(connection),
      authenticate: async () => ({
        user: await this.#rooms.users.require(parseString(parseObject(user).id)),
        amr: [],
        secondFactor: skipSecondFactor === true,
      }),
    });
  }

  /** The user of an access token. Throws UNAUTHENTICATED. Reads the user from the store in stateless mode too. */
  async resumeSession(accessToken: string): Promise<U> {
    const requester = await this.resumeRequester(accessToken);
    return this.stateless && !this.micro ? this.resumeUser(requester) : requester.user;
  }

  /**
   * Whom an access token speaks for: stateful by one look-up, stateless without any, and then it is no promise. Throws
   * UNAUTHENTICATED, and SERVICE_UNAVAILABLE within `operationTimeout`. For hosts that build their context themselves.
   */
  resumeRequester(accessToken: string): Requester<U> | Promise<Requester<U>> {
    return this.#requesters.resume(accessToken) as Requester<U> | Promise<Requester<U>>;
  }

  /**
   * Watches the session of an access token for a live connection, and calls `onEnd` once within 5 seconds of its end:
   * with UNAUTHENTICATED when it was revoked or has expired, its user was deactivated, or, stateless, its newest token has
   * expired; with SERVICE_UNAVAILABLE when the store could not be asked for so long. Returns what ends the watch. All
   * sessions are checked at once, by one query every 1.5 seconds. Throws UNAUTHENTICATED.
   */
  watchSession(accessToken: string, onEnd: (error: AccountsError) => void): () => void {
    return this.#rooms.live.watch(this.#rooms.tokens.verifyAccess(accessToken), onEnd);
  }

  /**
   * Takes a fresh access token for a live connection that was opened with a former one: the streams of its session live
   * as long as it does. False for a token that is not good, and for one of another session than the former, where that
   * was one of ours; it may have expired.
   */
  handOver(accessToken: string, formerToken: string | null = null): boolean {
    return this.#requesters.succeeds(accessToken, formerToken);
  }

  /** The stored user of a requester. Throws UNAUTHENTICATED when deactivated or gone. */
  async resumeUser(requester: Requester<U>): Promise<U> {
    return this.#requesters.resumeUser(requester) as Promise<U>;
  }

  /** The session of an access token as the store has it now, in stateless mode too. Throws UNAUTHENTICATED. */
  async resumeLiveSession(accessToken: string | null): Promise<LiveSession> {
    if (accessToken === null) throw new AccountsError('UNAUTHENTICATED');
    return this.#requesters.resumeLive(accessToken);
  }

  /** Throws RECENT_LOGIN_REQUIRED when the session's owner has proved who it is longer ago than `recentLogin`. */
  requireRecent({ session }: LiveSession): void {
    this.#rooms.sessions.requireRecent(session);
  }

  /**
   * Throws RECENT_LOGIN_REQUIRED when a session's owner has proved who it is more than `maxAge` milliseconds ago, and
   * TWO_FACTOR_REQUIRED, without a challenge, when `secondFactor` is asked for and that proof had one factor.
   */
  requireProof(session: SessionInfo | null, required: RequiredProof): void {
    this.#rooms.sessions.requireProof(session, required);
  }

  /**
   * Exchanges a pair of tokens for its successor (RFC 9700, 4.14.2). The access token may have expired. Throws
   * UNAUTHENTICATED; a refresh token that was used before ends the session and emits `RefreshTokenReused`.
   */
  async refreshTokens(
    accessToken: string,
    refreshToken: string,
    connection?: ConnectionInput | null,
  ): Promise<LoginResult<U>> {
    const from = parseConnection(connection);
    const work = (): Promise<LoginResult> =>
      this.#rooms.trace('accounts.refresh', {}, () =>
        refreshTokens(this.#rooms, accessToken, refreshToken, from),
      );
    const failed = (error: Refusal): void =>
      this.#rooms.events.emit('RefreshTokensError', { error, connection: from });
    return this.#observed(work, failed) as Promise<LoginResult<U>>;
  }

  /** Ends the session of an access token, which may have expired. A session that has ended already stays so. */
  async logout(accessToken: string): Promise<void> {
    const { tokens, sessions, events } = this.#rooms;
    const work = async (): Promise<void> => {
      const { userId, sessionId } = tokens.verifyAccess(accessToken, { ignoreExpiration: true });
      if (await sessions.revoke(sessionId)) events.emit('LogoutSuccess', { userId, sessionId });
    };
    return this.#observed(work, (error) => events.emit('LogoutError', { error }));
  }

  /**
   * Starts a short session as somebody else, named by one of `userId`, `username` and `email`. Throws FORBIDDEN unless
   * `impersonationAuthorize` returns `true`. The session is looked up in stateless mode too.
   */
  async impersonate(
    accessToken: string,
    impersonated: Impersonated,
    connection?: ConnectionInput | null,
  ): Promise<ImpersonationResult<U>> {
    const from = parseConnection(connection);
    let userId: string | null = null;
    const work = async (): Promise<ImpersonationResult> => {
      const actor = await this.resumeLiveSession(accessToken);
      userId = actor.user.id;
      const parts = { ...this.#rooms, authorize: this.#options.impersonationAuthorize };
      return impersonate(parts, actor, impersonated, from);
    };
    const failed = (error: Refusal): void =>
      this.#rooms.events.emit('ImpersonationError', { userId, error, connection: from });
    return this.#observed(work, failed) as Promise<ImpersonationResult<U>>;
  }

  /** Shuts a user out: every session ends, and there is no new one. Throws USER_NOT_FOUND. */
  async deactivateUser(userId: string): Promise<void> {
    return this.#masked(async () => {
      const id = parseString(userId);
      // First, so that whoever is thrown out cannot work against it; and after, for what was begun in between.
      await this.#rooms.sessions.revokeAll(id);
      await this.#rooms.users.update(id, () => ({ deactivated: true }), 'urgent');
      await this.#rooms.sessions.revokeAll(id);
      // Logins that are half done are none any more, also should the user be activated soon.
      await this.#rooms.secondFactors.voidChallenges(id);
      this.#rooms.events.emit('DeactivateUserSuccess', { userId: id });
    });
  }

  /** Lets a deactivated user log in again. Throws USER_NOT_FOUND. */
  async activateUser(userId: string): Promise<void> {
    return this.#masked(async () => {
      const id = parseString(userId);
      // Before, not after: a deactivation that was cut off must not give old sessions back.
      if ((await this.#rooms.users.require(id)).deactivated) await this.#rooms.sessions.revokeAll(id);
      await this.#rooms.users.update(id, () => ({ deactivated: false }));
      this.#rooms.events.emit('ActivateUserSuccess', { userId: id });
    });
  }

  /**
   * The public keys that verify access tokens, those of `tokenVerificationKeys` among them, to be served to other
   * services (RFC 7517). No key while tokens are signed with a shared secret.
   */
  jwks(): Jwks {
    return publicKeys(this.#options.keyring.verification);
  }

  /** Resolves when the store answers. Throws SERVICE_UNAVAILABLE. */
  async ping(): Promise<void> {
    return this.#store.ping();
  }

  /** Forgets sessions, one-time tokens and counters that have expired. Call it now and then, from one place. */
  async removeExpired(): Promise<void> {
    const now = this.#options.now();
    await this.#store.sessions.removeExpired(now);
    await this.#store.oneTimeTokens.removeExpired(now);
    await this.#counters.removeExpired(now);
  }

  /** Resolves when the work that goes on after answers is done, mails among it. */
  async settled(): Promise<void> {
    return this.#background.settled();
  }

  /** Whether sessions are not looked up. */
  get stateless(): boolean {
    return this.#options.stateless;
  }

  /** Whether tokens are only verified. */
  get micro(): boolean {
    return this.#options.micro;
  }

  /** How long an operation may take, in milliseconds. */
  get operationTimeout(): number {
    return this.#options.operationTimeout;
  }

  /** The base of the links in mails, without a slash at its end. */
  get siteUrl(): string {
    return this.#options.siteUrl;
  }

  /** Hands an error on to `onError`. */
  report(error: unknown, where: string): void {
    this.#options.onError(error, where);
  }

  /** What services work with. */
  #serviceContext(): Omit<ServiceContext, 'name'> {
    const {
      siteUrl,
      sendMail,
      emailTemplates: overrides,
      prepareMail,
      now,
      onError,
      secrets,
    } = this.#options;
    const { ambiguousErrorMessages, enableAutologin } = this.#options;
    const { users, oneTimeTokens, limits, toUser } = this.#rooms;
    const background = this.#background;
    return {
      ...this.#rooms,
      names: users.names,
      discretion: new Discretion({ background, oneTimeTokens, limits, ambiguous: ambiguousErrorMessages }),
      ownership: new Ownership({ ...this.#rooms, background }),
      waysIn: new WaysIn(users),
      secretBox: secrets.box,
      secretKeys: secrets.keys,
      siteUrl,
      login: this.#login,
      mailer: new Mailer({ siteUrl, sendMail, prepareMail, overrides, toUser, background }),
      background,
      now,
      report: onError,
      ambiguousErrorMessages,
      enableAutologin,
    };
  }

  /** Null for who has none that is good: then an identity is proved, and no more. Nobody proves it for an impersonator. */
  async #sessionToRenew(accessToken: string | null | undefined): Promise<LiveSession | null> {
    if (accessToken === null || accessToken === undefined) return null;
    try {
      const live = await this.resumeLiveSession(accessToken);
      return live.session.actorUserId === null ? live : null;
    } catch (error) {
      if (error instanceof AccountsError && !error.retryable) return null;
      throw error;
    }
  }

  #logIn(attempt: LoginAttempt): Promise<LoginResult<U>> {
    return this.#masked(() => this.#login.login(attempt)) as Promise<LoginResult<U>>;
  }

  #toUser(record: UserRecord): U {
    const user: unknown = this.#options.userObjectSanitizer(toUser(record));
    // Also for a promise: a login whose answer names nobody must not be one.
    if (typeof user === 'object' && user !== null && 'id' in user && user.id === record.id) return user as U;
    throw new TypeError('userObjectSanitizer must return the user, with its id');
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#options.onError, work);
  }

  #observed<T>(work: () => Promise<T>, failed: (error: Refusal) => void): Promise<T> {
    return this.#rooms.events.observe(() => this.#masked(work), failed);
  }
}

function lifetimes({
  refresh,
  sessionLifetime,
  impersonationLifetime,
  refreshGrace,
  recentLogin,
}: ResolvedOptions) {
  return {
    recent: recentLogin,
    idle: refresh.lifetime,
    absolute: sessionLifetime,
    impersonation: impersonationLifetime,
    grace: refreshGrace,
  };
}

function storeOf(
  { db }: Pick<AccountsServerOptions, 'db'>,
  { micro, storeTimeout, operationTimeout, onError }: ResolvedOptions,
): Store {
  if (db && typeof db === 'object') {
    // One call never takes longer than an operation may.
    const deadline = Math.min(storeTimeout, operationTimeout);
    return createStore(db, deadline, onError, { operationTimeout });
  }
  if (micro) return NO_STORE;
  throw new TypeError(
    'AccountsServer needs a database: the option db must be one, such as sqliteDatabase(path)',
  );
}
