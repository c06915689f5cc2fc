import type { UserRecord } from '../database/ports.ts';
import type { Authentication } from './authentication.ts';
import type { Background } from './background.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import type { LoginPipeline } from './login.ts';
import type { Mailer } from './mailer.ts';
import type { Names } from './names.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { Report } from './report.ts';
import type { LiveSession, Sessions } from './sessions.ts';
import type { Clock } from './time.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';

/** What a service works with: parts of the core, never the server. */
export interface ServiceContext {
  /** The name under which the service is registered. */
  readonly name: string;
  readonly users: Users;
  /** Who has which e-mail address and which username. */
  readonly names: Names;
  readonly sessions: Sessions;
  readonly oneTimeTokens: OneTimeTokens;
  readonly mailer: Mailer;
  readonly background: Background;
  readonly events: Events;
  /** The only way to a session: also for autologin and for a reset that logs in. */
  readonly login: LoginPipeline;
  readonly toUser: (record: UserRecord) => User;
  readonly ambiguousErrorMessages: boolean;
  readonly enableAutologin: boolean;
  readonly now: Clock;
  readonly report: Report;
}

/** Who has sent a GraphQL operation, and from where. */
export interface Caller {
  readonly connection: Connection;
  /** As the request brought it; it may have expired. */
  readonly accessToken: string | null;
  /** The caller's session and user as the store has them now. Throws UNAUTHENTICATED. */
  session(): Promise<LiveSession>;
}

/** A field of `Query` or `Mutation`. Its arguments have the types of the schema, and are not trusted beyond that. */
export type Operation = (args: never, caller: Caller) => unknown;

/** The GraphQL side of a service. */
export interface ServiceOperations {
  typeDefs: string;
  Query?: { [field: string]: Operation } | undefined;
  Mutation?: { [field: string]: Operation } | undefined;
  /** The fields that need a session: `directiveName` of `accountsModule` marks them in the schema. */
  needsSession?: readonly string[] | undefined;
}

/** A way to log in, or something else that accounts can do. */
export interface AccountsService {
  /** Recognises a user or throws an `AccountsError`. What it throws reaches the caller. */
  authenticate?(params: Readonly<Record<string, unknown>>, connection: Connection): Promise<Authentication>;
  readonly operations?: ServiceOperations | undefined;
}

/** What is handed to `AccountsServer`, made by a function such as `password(options)`. */
export interface ServiceFactory<S extends AccountsService = AccountsService> {
  create(context: ServiceContext): S;
}

export type Services = { readonly [name: string]: ServiceFactory };

/**
 * For the compiler only: the application's type of user. A service whose methods give users names it in a property
 * of its factory that does not exist at run time, and has that type in `accountsServer.services`.
 *
 * ```ts
 * interface MyFactory extends ServiceFactory<MyService> {
 *   readonly service?: MyService<UserOf<this>>;
 * }
 * ```
 */
export type UserOf<F> = F extends { readonly user: infer U extends User } ? U : User;

/** The services of these factories, for users of type U. */
export type ServicesOf<F extends Services, U extends User = User> = {
  readonly [N in keyof F]: ServiceOf<F[N], U>;
};

type ServiceOf<F extends ServiceFactory, U extends User> = F & { readonly user: U } extends {
  readonly service?: infer S extends AccountsService;
}
  ? S
  : ReturnType<F['create']>;
