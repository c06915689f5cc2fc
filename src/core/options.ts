import type { AccountsDatabase } from '../database/ports.ts';
import { createKeyring, type Keyring, type TokenKeyPair, type TokenVerificationKey } from './keys.ts';
import { refuseUnknown } from './known-options.ts';
import { type RateLimits, type ResolvedRateLimits, resolveRateLimits } from './limits/options.ts';
import { type EmailTemplates, missingSendMail, type PrepareMail, type SendMail } from './mailer.ts';
import { callback, duration, flag, TIMER_LIMIT } from './option-checks.ts';
import type { Report } from './report.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import type { SessionInfo } from './sessions.ts';
import { type Clock, DAY, HOUR, MINUTE, parseExpiresIn, SECOND } from './time.ts';
import { parseTracer, type Tracer } from './tracing.ts';
import type { User } from './user.ts';

/** How one kind of token is made. */
export interface TokenConfig {
  /** Seconds, or a string such as `15m`. */
  expiresIn?: number | string | undefined;
  /** `graphql-accounts` by default. */
  issuer?: string | undefined;
  /** `graphql-accounts` by default. */
  audience?: string | string[] | undefined;
}

/** What every access token says in `data`, as in accounts-js. `token` is the session's id, not a secret. */
export interface JwtData {
  token: string;
  userId: string;
  isImpersonated: boolean;
}

/**
 * The options of `AccountsServer`. Durations are milliseconds unless said otherwise. An unknown option throws a
 * `TypeError`, and so does each option of accounts-js that is refused; docs/options.md gives the reasons.
 */
export interface AccountsServerOptions<U extends User = User> {
  /** Where users and sessions are kept. Needed unless `micro`. */
  db?: AccountsDatabase | undefined;
  /** A random string of 32 bytes or more (HS256), or a key pair (RS256, PS256, ES256). It has no default. */
  tokenSecret: string | TokenKeyPair | TokenVerificationKey | undefined;
  /** Keys that are accepted beside that of `tokenSecret`, such as the one before it. */
  tokenVerificationKeys?: readonly (string | TokenVerificationKey)[] | undefined;
  /** Access tokens live 15 minutes by default; a session ends 7 days after its last refresh (`refreshToken`). */
  tokenConfigs?:
    | { accessToken?: TokenConfig | undefined; refreshToken?: TokenConfig | undefined }
    | undefined;
  /** A session ends this long after login, however often it is refreshed. 30 days by default. */
  sessionLifetime?: number | undefined;
  /** 1 hour by default. */
  impersonationLifetime?: number | undefined;
  /** How long after a refresh its answer may be asked for again. 60 seconds by default. */
  refreshGrace?: number | undefined;
  /**
   * Encrypts secrets at rest, such as those of second factors: random strings of 32 bytes or more. The first encrypts,
   * all decrypt. Derived from `tokenSecret` where that is a string.
   */
  encryptionKey?: string | readonly string[] | undefined;
  /** How long after a login its owner may change credentials without another proof. 10 minutes by default. */
  recentLogin?: number | undefined;
  /** How much may be guessed, signed up and mailed; `false` where something in front limits. On by default. */
  rateLimits?: RateLimits | false | undefined;
  /** Trust the signature of the access token until it expires, and look no session up. Off by default. */
  useStatelessSession?: boolean | undefined;
  /** Only verify access tokens: no database, no operations. Off by default. */
  micro?: boolean | undefined;
  /** Give the same answers for known and unknown addresses. On by default. */
  ambiguousErrorMessages?: boolean | undefined;
  /** Log a new user in at once. Off by default; shows whether an address was taken, so not with ambiguous errors. */
  enableAutologin?: boolean | undefined;
  /** More claims for the access token; also what `context.user` shows of them in stateless mode. */
  createJwtPayload?:
    | ((data: JwtData, user: U) => Record<string, unknown> | Promise<Record<string, unknown>>)
    | undefined;
  /** Changes what applications and clients see of a user. */
  userObjectSanitizer?: ((user: U) => U) | undefined;
  /** Throw to refuse a session that is otherwise good. The session is null in stateless mode. */
  resumeSessionValidator?: ((user: U, session: SessionInfo | null) => unknown) | undefined;
  /** Whether a user may impersonate another: only `true` allows it. Without it nobody may. */
  impersonationAuthorize?: ((user: U, impersonateToUser: U) => unknown) | undefined;
  /** The base of the links in mails. `http://localhost:3000` by default. */
  siteUrl?: string | undefined;
  /** Sends a mail. Without it none is sent. */
  sendMail?: SendMail | undefined;
  emailTemplates?: EmailTemplates<U> | undefined;
  prepareMail?: PrepareMail<U> | undefined;
  /** How long one call of the database may take. 6 seconds by default. */
  storeTimeout?: number | undefined;
  /** How long a GraphQL operation of ours may take, its session's look-up included. 9.5 seconds by default. */
  operationTimeout?: number | undefined;
  /** The clock: milliseconds since 1970-01-01 UTC. */
  now?: Clock | undefined;
  /** Gets errors that no caller sees: of listeners, mails, the database. `console.error` by default. */
  onError?: Report | undefined;
  /** Makes spans of logins, look-ups of sessions and hashing: `trace.getTracer(…)` of `@opentelemetry/api`. */
  tracer?: Tracer | undefined;
}

/** The options of accounts-js that have no place here, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['tokenCreator', 'a session id is no bearer secret here, and secrets are always made by us'],
  ['createNewSessionTokenOnRefresh', 'every refresh token is replaced when it is used'],
  ['useInternalUserObjectSanitizer', 'a user object holds no secrets that would have to be removed'],
]);

/** The options at run time; the type makes the list whole. */
const KNOWN: { readonly [O in keyof Required<AccountsServerOptions>]: true } = {
  db: true,
  tokenSecret: true,
  tokenVerificationKeys: true,
  tokenConfigs: true,
  sessionLifetime: true,
  impersonationLifetime: true,
  refreshGrace: true,
  encryptionKey: true,
  recentLogin: true,
  rateLimits: true,
  useStatelessSession: true,
  micro: true,
  ambiguousErrorMessages: true,
  enableAutologin: true,
  createJwtPayload: true,
  userObjectSanitizer: true,
  resumeSessionValidator: true,
  impersonationAuthorize: true,
  siteUrl: true,
  sendMail: true,
  emailTemplates: true,
  prepareMail: true,
  storeTimeout: true,
  operationTimeout: true,
  now: true,
  onError: true,
  tracer: true,
};

const KNOWN_OF_TOKEN: { readonly [O in keyof Required<TokenConfig>]: true } = {
  expiresIn: true,
  issuer: true,
  audience: true,
};

interface ResolvedTokenConfig {
  lifetime: number;
  issuer: string;
  audience: string | string[];
}

export interface ResolvedOptions {
  keyring: Keyring;
  access: ResolvedTokenConfig;
  refresh: ResolvedTokenConfig;
  sessionLifetime: number;
  impersonationLifetime: number;
  refreshGrace: number;
  secrets: Secrets;
  recentLogin: number;
  rateLimits: ResolvedRateLimits | null;
  stateless: boolean;
  micro: boolean;
  ambiguousErrorMessages: boolean;
  enableAutologin: boolean;
  createJwtPayload: AccountsServerOptions['createJwtPayload'];
  userObjectSanitizer: (user: User) => User;
  resumeSessionValidator: AccountsServerOptions['resumeSessionValidator'];
  impersonationAuthorize: AccountsServerOptions['impersonationAuthorize'];
  siteUrl: string;
  sendMail: SendMail;
  emailTemplates: EmailTemplates;
  prepareMail: PrepareMail | undefined;
  storeTimeout: number;
  operationTimeout: number;
  now: Clock;
  onError: Report;
  tracer: Tracer | undefined;
}

/** Checks the options and fills in the defaults. Throws a TypeError. */
export function resolveOptions(options: AccountsServerOptions): ResolvedOptions {
  refuseUnknown(options, KNOWN, 'AccountsServer', REFUSED);
  const ambiguousErrorMessages = flag(options.ambiguousErrorMessages, true, 'ambiguousErrorMessages');
  const enableAutologin = flag(options.enableAutologin, false, 'enableAutologin');
  if (enableAutologin && ambiguousErrorMessages) {
    throw new TypeError(
      'enableAutologin tells whether an address was taken: set ambiguousErrorMessages to false to use it',
    );
  }
  const { tokenConfigs = {} } = options;
  refuseUnknown(tokenConfigs, { accessToken: true, refreshToken: true }, 'tokenConfigs');
  return {
    keyring: createKeyring(options.tokenSecret, options.tokenVerificationKeys),
    access: tokenConfig(tokenConfigs.accessToken, 15 * MINUTE, 'accessToken'),
    refresh: tokenConfig(tokenConfigs.refreshToken, 7 * DAY, 'refreshToken'),
    sessionLifetime: duration(options.sessionLifetime, 30 * DAY, 'sessionLifetime'),
    impersonationLifetime: duration(options.impersonationLifetime, HOUR, 'impersonationLifetime'),
    refreshGrace: options.refreshGrace === 0 ? 0 : duration(options.refreshGrace, MINUTE, 'refreshGrace'),
    secrets: createSecrets(options.encryptionKey, options.tokenSecret),
    recentLogin: duration(options.recentLogin, 10 * MINUTE, 'recentLogin'),
    rateLimits: resolveRateLimits(options.rateLimits),
    stateless: flag(options.useStatelessSession, false, 'useStatelessSession'),
    micro: flag(options.micro, false, 'micro'),
    ambiguousErrorMessages,
    enableAutologin,
    createJwtPayload: callback(options.createJwtPayload, 'createJwtPayload'),
    userObjectSanitizer: callback(options.userObjectSanitizer, 'userObjectSanitizer') ?? ((user) => user),
    resumeSessionValidator: callback(options.resumeSessionValidator, 'resumeSessionValidator'),
    impersonationAuthorize: callback(options.impersonationAuthorize, 'impersonationAuthorize'),
    siteUrl: parseSiteUrl(options.siteUrl),
    sendMail: callback(options.sendMail, 'sendMail') ?? missingSendMail(),
    emailTemplates: templates(options.emailTemplates),
    prepareMail: callback(options.prepareMail, 'prepareMail'),
    storeTimeout: duration(options.storeTimeout, 6 * SECOND, 'storeTimeout', TIMER_LIMIT),
    operationTimeout: duration(options.operationTimeout, 9.5 * SECOND, 'operationTimeout', TIMER_LIMIT),
    now: callback(options.now, 'now') ?? Date.now,
    onError: unfailing(callback(options.onError, 'onError') ?? logError),
    tracer: parseTracer(options.tracer),
  };
}

function tokenConfig(config: TokenConfig = {}, lifetime: number, name: string): ResolvedTokenConfig {
  const where = `tokenConfigs.${name}`;
  refuseUnknown(config, KNOWN_OF_TOKEN, where);
  const { expiresIn, issuer = 'graphql-accounts', audience = 'graphql-accounts' } = config;
  if (typeof issuer !== 'string' || issuer === '') throw new TypeError(`${where}.issuer must be a string`);
  const audiences = [audience].flat();
  if (audiences.length === 0 || audiences.some((value) => typeof value !== 'string' || value === '')) {
    throw new TypeError(`${where}.audience must be a string or several`);
  }
  return {
    lifetime: expiresIn === undefined ? lifetime : parseExpiresIn(expiresIn, `${where}.expiresIn`),
    issuer,
    audience,
  };
}

function parseSiteUrl(value: unknown = 'http://localhost:3000'): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isBase = url && !url.search && !url.hash && !url.username && !url.password;
  if (!isBase || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError('siteUrl must be an http or https URL without query, fragment and password');
  }
  // Not `href`, in which an empty query is still a question mark.
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** What each of them may hold is checked once the services have named their mails. */
function templates<T extends object>(value: T = {} as T): T {
  if (typeof value !== 'object' || value === null) throw new TypeError('emailTemplates must be an object');
  return value;
}

/** Where errors are reported that nobody waits for, one of the reporter's own must not end the process. */
function unfailing(report: (error: unknown, where: string) => unknown): Report {
  return (error, where) => {
    void (async () => report(error, where))().catch(() => logError(error, where));
  };
}

function logError(error: unknown, where: string): void {
  console.error(`graphql-accounts: ${where}:`, error);
}
