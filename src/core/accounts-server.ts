import type { AccountsDatabase, SessionRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { Background } from './background.ts';
import { parseConnection } from './connection.ts';
import { type AccountsEventName, type AccountsEvents, Events, refusal } from './events.ts';
import { type ImpersonationResult, impersonate } from './impersonation.ts';
import { parseObject, parseString } from './input.ts';
import { LoginPipeline, type LoginResult, refuseSecondFactor } from './login.ts';
import { Mailer } from './mailer.ts';
import { NO_DATABASE } from './micro.ts';
import { OneTimeTokens } from './one-time-tokens.ts';
import { type AccountsServerOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import type { AccountsService, ServiceContext, Services, ServicesOf } from './service.ts';
import { type LiveSession, type SessionInfo, Sessions, toSessionInfo } from './sessions.ts';
import { createStore, type Store } from './store.ts';
import { type AccessClaims, Tokens } from './tokens.ts';
import { toUser, type User, Users } from './users.ts';

/** Whom an access token speaks for. In stateless mode the user is what the token says. */
export interface Identified<U extends User = User> {
  user: U;
  session: SessionInfo;
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
 */
export class AccountsServer<U extends User = User, F extends Services = Services> {
  /** The services by name, such as `accountsServer.services.password.createUser(input, connection)`. */
  readonly services: ServicesOf<F>;
  readonly #options: ResolvedOptions;
  readonly #store: Store;
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #tokens: Tokens;
  readonly #events: Events;
  readonly #background: Background;
  readonly #login: LoginPipeline;
  /** A Map: a service named `__proto__` or `constructor` is one that is not registered. */
  readonly #services: ReadonlyMap<string, AccountsService>;

  constructor(options: AccountsServerOptions<U>, services: F = {} as F) {
    // Inside, users are plain users: the application's own type is a promise of what its callbacks get and give.
    const resolved = resolveOptions(options as unknown as AccountsServerOptions);
    this.#options = resolved;
    const { now, onError, keyring, access, refresh } = resolved;
    this.#store = createStore(databaseOf(options), resolved.storeTimeout, onError);
    this.#events = new Events(onError);
    this.#background = new Background(onError);
    this.#users = new Users(this.#store, now);
    this.#tokens = new Tokens({ keyring, access, refresh, now });
    this.#sessions = new Sessions(this.#store, lifetimes(resolved), now);
    this.#login = new LoginPipeline({
      users: this.#users,
      sessions: this.#sessions,
      events: this.#events,
      secondFactor: refuseSecondFactor(this.#users),
      toUser: (record) => this.#toUser(record),
      createTokens: (session, user) => this.#createTokens(session, user),
    });
    this.#services = this.#createServices(services);
    this.services = Object.freeze(Object.fromEntries(this.#services)) as ServicesOf<F>;
  }

  /** Calls the listener at every event of that name, until the function that it answers is called. */
  on<N extends AccountsEventName>(name: N, listener: (event: AccountsEvents<U>[N]) => unknown): () => void {
    return (this.#events as unknown as Events<U>).on(name, listener);
  }

  /** Null when there is no such user. Deactivated users are found. */
  async findUserById(userId: string): Promise<U | null> {
    return this.#unmasked(async () => {
      const user = await this.#users.find(parseString(userId));
      return user && this.#toUser(user);
    });
  }

  /** Logs in through a service. Throws what the service refuses with, and LOGIN_REFUSED. */
  async loginWithService(
    serviceName: string,
    params: unknown,
    connection?: unknown,
  ): Promise<LoginResult<U>> {
    return this.#unmasked(
      async () => (await this.#login.login(this.#attempt(serviceName, params, connection))) as LoginResult<U>,
    );
  }

  /** Proves an identity as `loginWithService` does, without a session. */
  async authenticateWithService(
    serviceName: string,
    params: unknown,
    connection?: unknown,
  ): Promise<boolean> {
    return this.#unmasked(async () => {
      await this.#login.authenticate(this.#attempt(serviceName, params, connection));
      return true;
    });
  }

  /**
   * Starts a session for a user whom the caller has recognised: no password is asked for. The other steps of a login
   * are taken, so that a deactivated user and one whom `ValidateLogin` refuses do not get in.
   */
  async loginWithUser(user: Pick<User, 'id'>, connection?: unknown): Promise<LoginResult<U>> {
    return this.#unmasked(async () => {
      const id = parseString(parseObject(user).id);
      const attempt = {
        ...{ service: 'loginWithUser', params: {}, connection: parseConnection(connection) },
        authenticate: async () => ({ user: await this.#requireUser(id) }),
      };
      return (await this.#login.login(attempt)) as LoginResult<U>;
    });
  }

  /** The user of an access token. Throws UNAUTHENTICATED. Reads the user from the store in stateless mode too. */
  async resumeSession(accessToken: string): Promise<U> {
    return this.#unmasked(async () => {
      const identified = await this.identify(accessToken);
      return this.#options.stateless && !this.#options.micro ? this.loadUser(identified) : identified.user;
    });
  }

  /**
   * What a request may know of its access token: stateful from one look-up, stateless without any. Throws
   * UNAUTHENTICATED or SERVICE_UNAVAILABLE. For hosts that build their context themselves.
   */
  identify(accessToken: string): Identified<U> | Promise<Identified<U>> {
    const { stateless, micro } = this.#options;
    try {
      const claims = this.#tokens.verifyAccess(accessToken);
      return stateless || micro ? statelessly<U>(claims, micro) : this.#identifyStatefully(claims);
    } catch (error) {
      this.#events.emit('ResumeSessionError', { error: refusal(error) });
      throw error;
    }
  }

  /** The stored user behind what `identify` has told. Throws UNAUTHENTICATED when deactivated or gone. */
  async loadUser({ user }: Identified<U>): Promise<U> {
    const record = await this.#users.find(user.id);
    const refused = !record || record.deactivated;
    if (refused) throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
    const loaded = this.#toUser(record);
    if (this.#options.stateless) await this.#resumed(loaded, null);
    return loaded;
  }

  /** The session of an access token as the store has it now, in stateless mode too. Throws UNAUTHENTICATED. */
  async liveSession(accessToken: string | null): Promise<LiveSession> {
    if (accessToken === null) throw new AccountsError('UNAUTHENTICATED');
    return this.#sessions.resume(this.#tokens.verifyAccess(accessToken));
  }

  /**
   * Exchanges a pair of tokens for its successor (RFC 9700, 4.14.2). The access token may have expired. Throws
   * UNAUTHENTICATED; a refresh token that was used before ends the session and emits `RefreshTokenReused`.
   */
  async refreshTokens(
    accessToken: string,
    refreshToken: string,
    connection?: unknown,
  ): Promise<LoginResult<U>> {
    const from = parseConnection(connection);
    return this.#observed('RefreshTokensError', { connection: from }, async () => {
      const refresh = this.#tokens.verifyRefresh(refreshToken);
      const access = this.#tokens.verifyAccess(accessToken, { ignoreExpiration: true });
      if (access.sessionId !== refresh.sessionId || access.userId !== refresh.userId) {
        throw new AccountsError('UNAUTHENTICATED', 'The tokens are not of one session.');
      }
      const rotation = await this.#sessions.rotate(access, refresh, from);
      if (rotation.outcome === 'reused') {
        const { userId, id: sessionId } = rotation.session;
        this.#events.emit('RefreshTokenReused', { userId, sessionId, connection: from });
        throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
      }
      const { session, user } = rotation.live;
      const result = {
        sessionId: session.id,
        tokens: await this.#createTokens(session, user),
        user: this.#toUser(user),
      };
      this.#events.emit('RefreshTokensSuccess', {
        user: result.user,
        sessionId: session.id,
        connection: from,
      });
      return result;
    });
  }

  /** Ends the session of an access token, which may have expired. A session that has ended already stays so. */
  async logout(accessToken: string): Promise<void> {
    return this.#observed('LogoutError', {}, async () => {
      const { userId, sessionId } = this.#tokens.verifyAccess(accessToken, { ignoreExpiration: true });
      if (await this.#sessions.revoke(sessionId)) this.#events.emit('LogoutSuccess', { userId, sessionId });
    });
  }

  /**
   * Starts a short session as somebody else, named by one of `userId`, `username` and `email`. Throws FORBIDDEN unless
   * `impersonationAuthorize` answers `true`. The session is looked up in stateless mode too.
   */
  async impersonate(
    accessToken: string,
    impersonated: unknown,
    connection?: unknown,
  ): Promise<ImpersonationResult<U>> {
    const from = parseConnection(connection);
    let userId: string | null = null;
    return this.#observed(
      'ImpersonationError',
      () => ({ userId, connection: from }),
      async () => {
        const actor = await this.liveSession(parseString(accessToken, 'UNAUTHENTICATED', 8192));
        userId = actor.user.id;
        const parts = {
          ...{
            users: this.#users,
            sessions: this.#sessions,
            toUser: (record: UserRecord) => this.#toUser(record),
          },
          authorize: this.#options.impersonationAuthorize,
        };
        const { session, user } = await impersonate(parts, actor, impersonated, from);
        const seen = this.#toUser(user);
        const event = {
          user: this.#toUser(actor.user),
          impersonated: seen,
          sessionId: session.id,
          connection: from,
        };
        this.#events.emit('ImpersonationSuccess', event);
        return { authorized: true, tokens: await this.#createTokens(session, user), user: seen };
      },
    );
  }

  /** Shuts a user out: every session ends, and there is no new one. Throws USER_NOT_FOUND. */
  async deactivateUser(userId: string): Promise<void> {
    return this.#unmasked(async () => {
      const id = parseString(userId);
      await this.#users.update(id, () => ({ deactivated: true }));
      await this.#sessions.revokeAll(id);
      this.#events.emit('DeactivateUserSuccess', { userId: id });
    });
  }

  /** Lets a deactivated user log in again. Throws USER_NOT_FOUND. */
  async activateUser(userId: string): Promise<void> {
    return this.#unmasked(async () => {
      const id = parseString(userId);
      // Before, not after: a deactivation that was cut off must not give old sessions back.
      if ((await this.#requireUser(id)).deactivated) await this.#sessions.revokeAll(id);
      await this.#users.update(id, () => ({ deactivated: false }));
      this.#events.emit('ActivateUserSuccess', { userId: id });
    });
  }

  /** Resolves when the store answers. Throws SERVICE_UNAVAILABLE. */
  async ping(): Promise<void> {
    return this.#store.ping();
  }

  /** Forgets sessions and one-time tokens that have expired. Call it now and then, from one place. */
  async removeExpired(): Promise<void> {
    const now = this.#options.now();
    await this.#store.sessions.removeExpired(now);
    await this.#store.oneTimeTokens.removeExpired(now);
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

  /** Hands an error on to `onError`. */
  report(error: unknown, where: string): void {
    this.#options.onError(error, where);
  }

  #createServices(factories: Services): ReadonlyMap<string, AccountsService> {
    const { siteUrl, sendMail, emailTemplates, prepareMail, now, onError } = this.#options;
    const mailer = new Mailer({
      ...{ siteUrl, sendMail, prepareMail, overrides: emailTemplates, background: this.#background },
      sanitize: this.#options.userObjectSanitizer,
    });
    const context: Omit<ServiceContext, 'name'> = {
      ...{ users: this.#users, sessions: this.#sessions, login: this.#login, mailer, now, report: onError },
      oneTimeTokens: new OneTimeTokens(this.#store, now),
      background: this.#background,
      events: this.#events,
      toUser: (record) => this.#toUser(record),
      ambiguousErrorMessages: this.#options.ambiguousErrorMessages,
      enableAutologin: this.#options.enableAutologin,
    };
    const services = new Map(
      Object.entries(factories).map(([name, factory]) => [name, factory.create({ ...context, name })]),
    );
    mailer.checkOverrides();
    return services;
  }

  #attempt(serviceName: unknown, params: unknown, connection: unknown) {
    const service = this.#services.get(parseString(serviceName, 'SERVICE_NOT_FOUND'));
    if (!service?.authenticate) throw new AccountsError('SERVICE_NOT_FOUND');
    const { authenticate } = service;
    const given = parseObject(params);
    const from = parseConnection(connection);
    return {
      ...{ service: String(serviceName), params: given, connection: from },
      authenticate: () => authenticate.call(service, given, from),
    };
  }

  async #identifyStatefully(claims: AccessClaims): Promise<Identified<U>> {
    try {
      const { session, user } = await this.#sessions.resume(claims);
      const identified = { user: this.#toUser(user), session: toSessionInfo(session) };
      await this.#resumed(identified.user, identified.session);
      return identified;
    } catch (error) {
      this.#events.emit('ResumeSessionError', { error: refusal(error) });
      throw error;
    }
  }

  /** The application's own check, then the event. */
  async #resumed(user: U, session: SessionInfo | null): Promise<void> {
    try {
      await this.#options.resumeSessionValidator?.(user, session);
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      throw new AccountsError('UNAUTHENTICATED', 'The session was refused.', { cause: error });
    }
    if (session && this.#events.heard('ResumeSessionSuccess')) {
      this.#events.emit('ResumeSessionSuccess', { user, sessionId: session.id });
    }
  }

  async #createTokens(session: SessionRecord, user: UserRecord) {
    const { access, refresh, createJwtPayload, now } = this.#options;
    const isImpersonated = session.actorUserId !== null;
    const data = { token: session.id, userId: user.id, isImpersonated };
    return this.#tokens.sign({
      ...{
        userId: user.id,
        sessionId: session.id,
        rotation: session.rotation,
        actorUserId: session.actorUserId,
      },
      // A token never outlives its session.
      accessExpiresAt: Math.min(now() + access.lifetime, session.expiresAt),
      refreshExpiresAt: Math.min(now() + refresh.lifetime, session.expiresAt),
      custom: parseObject(await createJwtPayload(data, this.#toUser(user))),
    });
  }

  #toUser(record: UserRecord): U {
    return this.#options.userObjectSanitizer(toUser(record)) as U;
  }

  async #requireUser(id: string): Promise<UserRecord> {
    const user = await this.#users.find(id);
    if (!user) throw new AccountsError('USER_NOT_FOUND');
    return user;
  }

  async #observed<N extends AccountsEventName, T>(
    failure: N,
    event: Omit<AccountsEvents[N], 'error'> | (() => Omit<AccountsEvents[N], 'error'>),
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#unmasked(work);
    } catch (error) {
      const told = typeof event === 'function' ? event() : event;
      this.#events.emit(failure, { ...told, error: refusal(error) } as AccountsEvents[N]);
      throw error;
    }
  }

  /** What we did not foresee becomes an `AccountsError` that says nothing; the cause is reported. */
  async #unmasked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      this.report(error, 'an unexpected error');
      throw new AccountsError('INTERNAL_SERVER_ERROR', undefined, { cause: error });
    }
  }
}

function statelessly<U extends User>(claims: AccessClaims, micro: boolean): Identified<U> {
  const { userId, sessionId, actorUserId, custom } = claims;
  const user = micro ? { id: userId } : { ...custom, id: userId };
  return { user: user as unknown as U, session: { id: sessionId, userId, actorUserId } };
}

function lifetimes({ refresh, sessionLifetime, impersonationLifetime, refreshGrace }: ResolvedOptions) {
  return {
    ...{ idle: refresh.lifetime, absolute: sessionLifetime },
    ...{ impersonation: impersonationLifetime, grace: refreshGrace },
  };
}

function databaseOf({
  db,
  micro,
}: {
  db?: AccountsDatabase | undefined;
  micro?: boolean | undefined;
}): AccountsDatabase {
  if (db && typeof db === 'object') return db;
  if (micro) return NO_DATABASE;
  throw new TypeError('AccountsServer needs a database: give the option db');
}
