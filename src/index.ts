export { AccountsServer } from './core/accounts-server.ts';
export type { Connection } from './core/connection.ts';
export type { AccountsEventName, AccountsEvents, Refusal } from './core/events.ts';
export type { Identified } from './core/identification.ts';
export type { ImpersonationResult } from './core/impersonation.ts';
export type { TokenAlgorithm, TokenKeyPair, TokenVerificationKey } from './core/keys.ts';
export type { LoginResult } from './core/login.ts';
export type { EmailTemplate, EmailTemplates, Mail, PrepareMail, SendMail } from './core/mailer.ts';
export type { AccountsServerOptions, JwtData, TokenConfig } from './core/options.ts';
export type {
  AccountsService,
  Authentication,
  Caller,
  Operation,
  ServiceContext,
  ServiceFactory,
  ServiceOperations,
} from './core/service.ts';
export type { LiveSession, SessionInfo } from './core/sessions.ts';
export type { User } from './core/users.ts';
export type {
  AccountsDatabase,
  IdentityRecord,
  OneTimeTokenRecord,
  SessionRecord,
  UserRecord,
} from './database/ports.ts';
export { AccountsError, type AccountsErrorCode } from './errors.ts';
export { authDirective } from './graphql/auth-directive.ts';
export { type AccountsContext, createContext } from './graphql/context.ts';
export { accountsModule } from './graphql/module.ts';
export { useAccounts } from './graphql/use-accounts.ts';
export { consoleMail } from './mail/console.ts';
export { fileMail } from './mail/file.ts';
export { smtpMail } from './mail/smtp.ts';
export {
  type CreateUserResult,
  type NewUserInput,
  type PasswordOptions,
  type PasswordService,
  password,
  type ValidatedUser,
} from './services/password/index.ts';
