import type { UserRecord } from '../database/ports.ts';
import type { Background } from './background.ts';
import type { Connection } from './connection.ts';
import type { Events, Report } from './events.ts';
import type { LoginPipeline } from './login.ts';
import type { Mailer } from './mailer.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { LiveSession, Sessions } from './sessions.ts';
import type { Clock } from './time.ts';
import type { User, Users } from './users.ts';

/** What a service works with: rooms of the core, never the server. */
export interface ServiceContext {
  /** The name under which the service is registered. */
  readonly name: string;
  readonly users: Users;
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

/** Whom a service has recognised. */
export interface Authentication {
  user: UserRecord;
  /**
   * Whether the proof still holds. Asked once the session exists: a password that was reset meanwhile must not leave
   * a session behind that the reset did not see.
   */
  stillHolds?: () => Promise<boolean>;
}

/** Who calls an operation, and from where. */
export interface Caller {
  readonly connection: Connection;
  /** As it came; it may have expired. */
  readonly accessToken: string | null;
  /** The caller's session and user as the store has them now. Throws UNAUTHENTICATED. */
  session(): Promise<LiveSession>;
}

/** What resolves a field of `Query` or `Mutation`. Arguments have the types of the schema and are not trusted. */
export type Operation = (args: never, caller: Caller) => unknown;

/** The GraphQL side of a service. */
export interface ServiceOperations {
  typeDefs: string;
  Query?: { [field: string]: Operation };
  Mutation?: { [field: string]: Operation };
  /** Those of them that need a session: `directiveName` of `accountsModule` marks them in the schema. */
  needsSession?: readonly string[];
}

/** A way in, or something else that accounts can do. */
export interface AccountsService {
  /** Recognises a user or throws an `AccountsError`. What it throws reaches the caller. */
  authenticate?(params: Readonly<Record<string, unknown>>, connection: Connection): Promise<Authentication>;
  readonly operations?: ServiceOperations;
}

/** What is handed to `AccountsServer`, made by a function such as `password(options)`. */
export interface ServiceFactory<S extends AccountsService = AccountsService> {
  create(context: ServiceContext): S;
}

export type Services = { readonly [name: string]: ServiceFactory };
export type ServicesOf<F extends Services> = { readonly [N in keyof F]: ReturnType<F[N]['create']> };
