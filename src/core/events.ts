import { AccountsError, type AccountsErrorCode } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Report } from './report.ts';
import type { User } from './user.ts';

/** Why something was refused. */
export interface Refusal {
  code: AccountsErrorCode;
}

interface Attempt<U> {
  /** The way in, such as `password`. */
  service: string;
  connection: Connection;
  /** Null as long as nobody was recognised. */
  user: U | null;
}

/**
 * What each event tells. The names are those of accounts-js. No event holds a password, a hash or a token, and
 * strings that came from a client hold no control characters.
 */
export interface AccountsEvents<U extends User = User> {
  /** Awaited before a session is made; a listener that throws refuses the login. */
  ValidateLogin: Attempt<U> & { user: U };
  LoginSuccess: Attempt<U> & { user: U; sessionId: string };
  LoginError: Attempt<U> & { error: Refusal };
  AuthenticateSuccess: Attempt<U> & { user: U };
  AuthenticateError: Attempt<U> & { error: Refusal };
  LogoutSuccess: { userId: string; sessionId: string };
  LogoutError: { error: Refusal };
  CreateUserSuccess: { user: U; connection: Connection };
  CreateUserError: { error: Refusal; connection: Connection };
  ResumeSessionSuccess: { user: U; sessionId: string };
  ResumeSessionError: { error: Refusal };
  RefreshTokensSuccess: { user: U; sessionId: string; connection: Connection };
  RefreshTokensError: { error: Refusal; connection: Connection };
  /** A refresh token was used again that had a successor in use: its session is revoked. */
  RefreshTokenReused: { userId: string; sessionId: string; connection: Connection };
  ImpersonationSuccess: { user: U; impersonated: U; sessionId: string; connection: Connection };
  ImpersonationError: { userId: string | null; error: Refusal; connection: Connection };
  ResetPasswordSuccess: { user: U; connection: Connection };
  ResetPasswordError: { error: Refusal; connection: Connection };
  ChangePasswordSuccess: { user: U; connection: Connection };
  ChangePasswordError: { userId: string; error: Refusal; connection: Connection };
  VerifyEmailSuccess: { user: U };
  VerifyEmailError: { error: Refusal };
  /** Who got a verification mail has said that the account is none of theirs: the address is free. */
  RejectEmailSuccess: { user: U };
  RejectEmailError: { error: Refusal };
  AddEmailSuccess: { user: U };
  RemoveEmailSuccess: { user: U };
  SetUsernameSuccess: { user: U };
  /** An account of a provider is a way in from now on: by `linkOAuth`, or by the address that both have verified. */
  LinkOAuthSuccess: { user: U; provider: string; connection: Connection };
  LinkOAuthError: { userId: string; provider: string | null; error: Refusal; connection: Connection };
  UnlinkOAuthSuccess: { user: U; provider: string; connection: Connection };
  UnlinkOAuthError: { userId: string; provider: string | null; error: Refusal; connection: Connection };
  /** `passkeyId` is the id of the credential. */
  PasskeyRegisterSuccess: { user: U; passkeyId: string; connection: Connection };
  PasskeyRegisterError: { userId: string; error: Refusal; connection: Connection };
  PasskeyRenameSuccess: { user: U; passkeyId: string; connection: Connection };
  PasskeyRenameError: { userId: string; error: Refusal; connection: Connection };
  PasskeyRemoveSuccess: { user: U; passkeyId: string; connection: Connection };
  PasskeyRemoveError: { userId: string; error: Refusal; connection: Connection };
  /** A passkey signed well, but its counter did not grow: there is a copy of it. The login was refused. */
  PasskeyCounterReused: { userId: string; passkeyId: string; connection: Connection };
  TwoFactorSetSuccess: { user: U; connection: Connection };
  TwoFactorSetError: { userId: string; error: Refusal; connection: Connection };
  TwoFactorUnsetSuccess: { user: U; connection: Connection };
  TwoFactorUnsetError: { userId: string; error: Refusal; connection: Connection };
  GenerateRecoveryCodesSuccess: { user: U; connection: Connection };
  GenerateRecoveryCodesError: { userId: string; error: Refusal; connection: Connection };
  DeactivateUserSuccess: { userId: string };
  ActivateUserSuccess: { userId: string };
}

export type AccountsEventName = keyof AccountsEvents;

/** The names at run time; the type makes the list whole. */
const NAMES: { readonly [N in AccountsEventName]: true } = {
  ValidateLogin: true,
  LoginSuccess: true,
  LoginError: true,
  AuthenticateSuccess: true,
  AuthenticateError: true,
  LogoutSuccess: true,
  LogoutError: true,
  CreateUserSuccess: true,
  CreateUserError: true,
  ResumeSessionSuccess: true,
  ResumeSessionError: true,
  RefreshTokensSuccess: true,
  RefreshTokensError: true,
  RefreshTokenReused: true,
  ImpersonationSuccess: true,
  ImpersonationError: true,
  ResetPasswordSuccess: true,
  ResetPasswordError: true,
  ChangePasswordSuccess: true,
  ChangePasswordError: true,
  VerifyEmailSuccess: true,
  VerifyEmailError: true,
  RejectEmailSuccess: true,
  RejectEmailError: true,
  AddEmailSuccess: true,
  RemoveEmailSuccess: true,
  SetUsernameSuccess: true,
  LinkOAuthSuccess: true,
  LinkOAuthError: true,
  UnlinkOAuthSuccess: true,
  UnlinkOAuthError: true,
  PasskeyRegisterSuccess: true,
  PasskeyRegisterError: true,
  PasskeyRenameSuccess: true,
  PasskeyRenameError: true,
  PasskeyRemoveSuccess: true,
  PasskeyRemoveError: true,
  PasskeyCounterReused: true,
  TwoFactorSetSuccess: true,
  TwoFactorSetError: true,
  TwoFactorUnsetSuccess: true,
  TwoFactorUnsetError: true,
  GenerateRecoveryCodesSuccess: true,
  GenerateRecoveryCodesError: true,
  DeactivateUserSuccess: true,
  ActivateUserSuccess: true,
};

type Listener<T> = (event: T) => unknown;

export class Events<U extends User = User> {
  // A Map: an event called `__proto__` is just one that nobody emits.
  readonly #listeners = new Map<string, Set<Listener<never>>>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  on<N extends AccountsEventName>(name: N, listener: Listener<AccountsEvents<U>[N]>): () => void {
    // A misspelt `ValidateLogin` would be a check that nobody makes.
    if (!Object.hasOwn(NAMES, name)) throw new TypeError(`there is no event ${String(name)}`);
    if (typeof listener !== 'function') throw new TypeError('an event listener must be a function');
    // Wrapped, so that a function that is registered twice is two listeners with an unsubscribe each.
    const entry: Listener<never> = (event) => listener(event);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  /** Tells every listener and waits for none: a slow or failing one changes nothing for the caller. */
  emit<N extends AccountsEventName>(name: N, event: AccountsEvents<U>[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      void (async () => (listener as Listener<AccountsEvents<U>[N]>)(event))().catch((error: unknown) =>
        this.#report(error, `a listener of ${name}`),
      );
    }
  }

  /** Does the work and tells `failed` why it was refused, where it was; the error still reaches the caller. */
  async observe<T>(work: () => Promise<T>, failed: (error: Refusal) => void): Promise<T> {
    try {
      return await work();
    } catch (error) {
      failed(refusal(error));
      throw error;
    }
  }

  /** Asks every listener in turn; what one throws reaches the caller. */
  async ask<N extends AccountsEventName>(name: N, event: AccountsEvents<U>[N]): Promise<void> {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      await (listener as Listener<AccountsEvents<U>[N]>)(event);
    }
  }
}

/** What an event may tell of an error. */
export function refusal(error: unknown): Refusal {
  return { code: error instanceof AccountsError ? error.code : 'INTERNAL_SERVER_ERROR' };
}
