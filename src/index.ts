export { AccountsServer } from './core/accounts-server.ts';
export type { CallerProof } from './core/attempts.ts';
export type { Asker, Attempt, Authentication } from './core/authentication.ts';
export type { Caller } from './core/caller.ts';
export type { Connection, ConnectionInput } from './core/connection.ts';
export type { AccountsEventName, AccountsEvents, Refusal } from './core/events.ts';
export type { Impersonated, ImpersonationResult } from './core/impersonation.ts';
export type { Jwks, PublicJwk } from './core/jwks.ts';
export type { TokenAlgorithm } from './core/key-names.ts';
export type { TokenKeyPair, TokenVerificationKey } from './core/keys.ts';
export type { RateLimits } from './core/limits/options.ts';
export type { LoginResult } from './core/login.ts';
export type { EmailTemplate, EmailTemplates, Mail, PrepareMail, SendMail } from './core/mailer.ts';
export type { AccountsServerOptions, JwtData, TokenConfig } from './core/options.ts';
export type { Requester } from './core/requester.ts';
export type {
  AccountsService,
  Operation,
  ServiceContext,
  ServiceFactory,
  ServiceOperations,
  Services,
  UserField,
  UserOf,
} from './core/service.ts';
export type { LiveSession, SessionInfo } from './core/sessions.ts';
export type { SpanAttributes, SpanName, Trace, Tracer, TracerSpan } from './core/tracing.ts';
export type { User } from './core/user.ts';
export type {
  AccountsDatabase,
  Conflict,
  CounterRecord,
  CounterStore,
  EmailAddress,
  IdentityRecord,
  IdentityStore,
  Json,
  NewUser,
  OneTimeTokenRecord,
  OneTimeTokenStore,
  SessionRecord,
  SessionStore,
  SessionWithUser,
  UserRecord,
  UserStore,
} from './database/ports.ts';
export { AccountsError, type AccountsErrorCode } from './errors.ts';
export { type AuthDirective, authDirective } from './graphql/auth-directive/index.ts';
export { type AccountsContext, type ContextOf, createContext } from './graphql/context.ts';
export type { ContextOptions } from './graphql/context-options.ts';
export type { CookieOptions } from './graphql/cookie/options.ts';
export type { AccountsPlugin } from './graphql/envelop-hooks.ts';
export { type AccountsModule, type AccountsModuleOptions, accountsModule } from './graphql/module.ts';
export { clientAddress } from './graphql/request/client-address.ts';
export type { WebSocketContext } from './graphql/request/request.ts';
export { type UseAccountsOptions, useAccounts } from './graphql/use-accounts.ts';
export { consoleMail } from './mail/console.ts';
export { fileMail } from './mail/file.ts';
export { smtpMail } from './mail/smtp.ts';
export { type CodeOptions, type CodeService, code } from './services/code/index.ts';
export { type MagicLinkOptions, type MagicLinkService, magicLink } from './services/magic-link/index.ts';
export {
  type LinkedAccount,
  type MapProfile,
  type OAuthFlow,
  type OAuthOptions,
  type OAuthOwner,
  type OAuthPreset,
  type OAuthProfile,
  type OAuthProviderOptions,
  type OAuthService,
  type OAuthServiceFactory,
  type OAuthStarted,
  type OAuthStartOptions,
  oauth,
  type ProviderTokens,
} from './services/oauth/index.ts';
export {
  type Passkey,
  type PasskeyLoginOptions,
  type PasskeyOptions,
  type PasskeyService,
  passkey,
} from './services/passkey/index.ts';
export {
  type CreateUserResult,
  type NewUserInput,
  type PasswordOptions,
  type PasswordService,
  type PasswordServiceFactory,
  password,
  type ValidatedUser,
} from './services/password/index.ts';
export {
  type FactorChangerInput,
  type TwoFactorOptions,
  type TwoFactorService,
  type TwoFactorServiceFactory,
  twoFactor,
} from './services/two-factor/index.ts';
