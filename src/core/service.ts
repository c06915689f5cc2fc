import type { UserRecord } from '../database/ports.ts';
import type { Attempt, Authentication } from './authentication.ts';
import type { Background } from './background.ts';
import type { Caller } from './caller.ts';
import type { Connection } from './connection.ts';
import type { Discretion } from './discretion.ts';
import type { Events } from './events.ts';
import type { Limits } from './limits/limits.ts';
import type { LoginPipeline } from './login.ts';
import type { Mailer } from './mailer.ts';
import type { Names } from './names.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { Ownership } from './ownership.ts';
import type { Report } from './report.ts';
import type { FactorVerifier, SecondFactors } from './second-factors.ts';
import type { SecretBox } from './secret-box.ts';
import type { Sessions } from './sessions.ts';
import type { Clock } from './time.ts';
import type { Trace } from './tracing.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';
import type { CountWays, WaysIn } from './ways-in.ts';

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
  readonly limits: Limits;
  readonly discretion: Discretion;
  readonly ownership: Ownership;
  readonly secondFactors: SecondFactors;
  readonly waysIn: WaysIn;
  /**
   * Encrypts what has to be read again. Throws a TypeError where there is no key: give the option `encryptionKey`, or a
   * `tokenSecret` that is a string.
   */
  secretBox(): SecretBox;
  /**
   * Keys for HMACs of what people type, which is too short for a plain hash (S13): the first makes them, all verify
   * them. Throws as `secretBox` does.
   */
  secretKeys(purpose: string): readonly Buffer[];
  /** The base of links, without a slash at its end. */
  readonly siteUrl: string;
  /** The only way to a session: also for autologin and for a reset that logs in. */
  readonly login: LoginPipeline;
  readonly toUser: (record: UserRecord) => User;
  readonly ambiguousErrorMessages: boolean;
  readonly enableAutologin: boolean;
  readonly now: Clock;
  readonly report: Report;
  readonly trace: Trace;
}

/** A field of `Query` or `Mutation`. Its arguments have the types of the schema, and are not trusted beyond that. */
export type Operation = (args: never, caller: Caller) => unknown;

/** A field of `User`, which every operation that gives a user reaches. */
export type UserField = (user: User, caller: Caller) => unknown;

/** The GraphQL side of a service. */
export interface ServiceOperations {
  typeDefs: string;
  /** Fields of `User`. Null for everybody but the user; the resolver asks only then. */
  ownFields?: { [field: string]: UserField } | undefined;
  Query?: { [field: string]: Operation } | undefined;
  Mutation?: { [field: string]: Operation } | undefined;
  /** The fields that need a session: `directiveName` of `accountsModule` marks them in the schema. */
  needsSession?: readonly string[] | undefined;
}

/** A way to log in, or something else that accounts can do. */
export interface AccountsService {
  /** Recognises a user or throws an `AccountsError`. What it throws reaches the caller. */
  authenticate?(
    params: Readonly<Record<string, unknown>>,
    connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication>;
  /** Other names by which `authenticate` finds the service, where none is registered under that name. */
  readonly aliases?: readonly string[] | undefined;
  readonly operations?: ServiceOperations | undefined;
  /** Of the service that checks second factors: at most one does. */
  readonly factor?: FactorVerifier | undefined;
  /** How many ways into the account of a user the service is now. None by default. */
  readonly countWays?: CountWays | undefined;
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
