import type {
  AuthenticateParamsInput,
  CreateUserInput,
  CreateUserResult,
  EmailRecord,
  LoginResult,
  Tokens,
  UserInput,
} from '../generated/types.ts';
import { AccountsClientError } from './error.ts';
import * as operations from './operations.ts';
import { Session } from './session.ts';
import { memoryStorage, type TokenStorage } from './storage.ts';
import { type Ask, createTransport, type TransportOptions } from './transport.ts';

export interface AccountsClientOptions {
  /** Where GraphQL is; in a browser it may be relative to the page. */
  url: string | URL;
  /** Where the tokens are kept: until the page is left by default; see `browserStorage`. */
  storage?: TokenStorage | undefined;
  /** More headers for each request of the client, or what gives them. */
  headers?: Readonly<Record<string, string>> | TransportOptions['headers'] | undefined;
  /** `include` when the server is of another origin and its cookies count, as for a login by OAuth. */
  credentials?: TransportOptions['credentials'];
  /** How long one request may take, in milliseconds. 30 seconds by default. */
  timeout?: number | undefined;
  /** The one of the runtime by default. */
  fetch?: typeof fetch | undefined;
  /** The clock: milliseconds since 1970-01-01 UTC. */
  now?: (() => number) | undefined;
}

/** The options at run time; the type makes the list whole. */
const KNOWN: { readonly [option in keyof Required<AccountsClientOptions>]: true } = {
  ...{ url: true, storage: true, headers: true, credentials: true, timeout: true, fetch: true, now: true },
};

/** A user's address, name or id, the password, and the code of a second factor where one is on. */
export interface PasswordLogin {
  email?: string | undefined;
  username?: string | undefined;
  id?: string | undefined;
  password: string;
  code?: string | undefined;
}

interface ClientUser {
  id: string;
  username?: string | null;
  emails?: EmailRecord[] | null;
}

/**
 * A client of the operations of `graphql-accounts`. It keeps the tokens, refreshes them in time and once for all who
 * ask, and loses them only when the server says that the session has ended. What the server refuses throws an
 * `AccountsClientError` with its `code`.
 */
export class AccountsClient {
  readonly #ask: Ask;
  readonly #session: Session;
  readonly #origin: string;
  readonly #fetch: typeof fetch;

  constructor(options: AccountsClientOptions) {
    const unknown = Object.keys(options).find((option) => !Object.hasOwn(KNOWN, option));
    if (unknown !== undefined) throw new TypeError(`createAccountsClient: there is no option ${unknown}`);
    const { storage = memoryStorage(), headers = {}, credentials, timeout = 30_000 } = options;
    const { now = Date.now, fetch: fetcher = fetchOfRuntime } = options;
    const url = resolve(options.url);
    const headersOf = typeof headers === 'function' ? headers : () => headers;
    this.#origin = url.origin;
    this.#fetch = fetcher;
    this.#ask = createTransport({ url: url.href, fetch: fetcher, headers: headersOf, credentials, timeout });
    this.#session = new Session({ storage, now, refresh: (tokens) => this.#renew(tokens) });
  }

  /** Signs up. `userId` is null where the server tells nobody whether an address was free. Logs in with autologin. */
  async signUp(user: CreateUserInput): Promise<{ userId: string | null; loggedIn: boolean }> {
    type Data = { createUser: CreateUserResult | null };
    const { createUser } = await this.#ask<Data>(operations.CREATE_USER, { user });
    const { userId = null, loginResult = null } = createUser ?? {};
    if (loginResult) await this.#session.set(loginResult.tokens);
    return { userId, loggedIn: loginResult !== null };
  }

  /**
   * Logs in with a password. Throws TWO_FACTOR_REQUIRED with `extensions.challenge` when a code is missing: then
   * `authenticate('twoFactor', { token: challenge, code })` goes on.
   */
  async login({ email, username, id, password, code }: PasswordLogin): Promise<ClientUser> {
    const user = { email, username, id } as UserInput;
    return this.authenticate('password', { user, password, ...(code !== undefined && { code }) });
  }

  /** Logs in through any service, such as `'magicLink', { token }`. */
  async authenticate(serviceName: string, params: AuthenticateParamsInput): Promise<ClientUser> {
    type Data = { authenticate: LoginResult | null };
    const { authenticate } = await this.#ask<Data>(operations.AUTHENTICATE, { serviceName, params });
    if (!authenticate) throw new AccountsClientError('INTERNAL_SERVER_ERROR', 'The server logged nobody in.');
    await this.#session.set(authenticate.tokens);
    return authenticate.user;
  }

  /** Logs out. The tokens are gone here also where it throws, because the server could not be told. */
  async logout(): Promise<void> {
    await this.#session.end(async (accessToken) => {
      await this.#ask(operations.LOGOUT, {}, accessToken).catch((error: unknown) => {
        if (!(error instanceof AccountsClientError) || error.code !== 'UNAUTHENTICATED') throw error;
      });
    });
  }

  /** Whoever is logged in, as the server has it now; null for nobody, also when the session has ended meanwhile. */
  async getUser(): Promise<ClientUser | null> {
    const accessToken = await this.accessToken();
    if (accessToken === null) return null;
    const user = await this.#userOf(accessToken);
    if (user) return user;
    // The server knows why: if the session has ended, it refuses the refresh.
    const fresh = await this.refresh();
    return fresh === null ? null : this.#userOf(fresh);
  }

  /** Asks for a mail with a link that resets the password. Says nothing about whether the address is known. */
  async requestPasswordReset(email: string): Promise<void> {
    await this.#ask(operations.SEND_RESET, { email });
  }

  /** Sets a new password by the token of that link, which ends every session. */
  async resetPassword(token: string, newPassword: string): Promise<void> {
    type Data = { resetPassword: LoginResult | null };
    const { resetPassword } = await this.#ask<Data>(operations.RESET, { token, newPassword });
    if (resetPassword) await this.#session.set(resetPassword.tokens);
  }

  /** Asks for a mail with a link that verifies an address. */
  async requestEmailVerification(email: string): Promise<void> {
    await this.#ask(operations.SEND_VERIFICATION, { email });
  }

  async verifyEmail(token: string): Promise<void> {
    await this.#ask(operations.VERIFY, { token });
  }

  /** Ends the user's other sessions. */
  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.request(operations.CHANGE_PASSWORD, { oldPassword, newPassword });
  }

  /** Any operation of your API, with the access token. Its `data`; throws its first error. */
  async request<T = Record<string, unknown>>(query: string, variables: object = {}): Promise<T> {
    return this.#ask<T>(query, variables, await this.accessToken());
  }

  /**
   * The access token, refreshed when it is about to expire; null for who is logged out. Throws SERVICE_UNAVAILABLE when
   * it has expired and the server cannot be reached: the session goes on when it can be again.
   */
  async accessToken(): Promise<string | null> {
    return this.#session.accessToken();
  }

  /** Replaces the tokens now. Null when the session has ended. */
  async refresh(): Promise<string | null> {
    return this.#session.refresh();
  }

  /** The header for a request of your own; none for who is logged out. */
  async authorizationHeaders(): Promise<{ authorization?: string }> {
    const accessToken = await this.accessToken();
    return accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
  }

  /** A `fetch` for urql, Apollo or yourself, that sends the access token to the origin of `url`, and to no other. */
  readonly fetch: typeof fetch = async (input, init) => {
    const request = typeof input === 'object' && 'url' in input ? input : null;
    const headers = new Headers(init?.headers ?? request?.headers);
    const target = resolve(request?.url ?? String(input));
    if (target.origin === this.#origin && !headers.has('authorization')) {
      const { authorization } = await this.authorizationHeaders();
      if (authorization !== undefined) headers.set('authorization', authorization);
    }
    return this.#fetch(input, { ...init, headers });
  };

  /** Takes over tokens that came in another way, such as from an operation of your own. */
  async setTokens(tokens: Tokens): Promise<void> {
    await this.#session.set(tokens);
  }

  /** Calls the listener when somebody has logged in or is logged out here, until the function it returns is called. */
  subscribe(listener: (loggedIn: boolean) => void): () => void {
    return this.#session.subscribe(listener);
  }

  async #userOf(accessToken: string): Promise<ClientUser | null> {
    const { getUser } = await this.#ask<{ getUser: ClientUser | null }>(operations.GET_USER, {}, accessToken);
    return getUser;
  }

  async #renew({ accessToken, refreshToken }: Tokens): Promise<Tokens> {
    type Data = { refreshTokens: { tokens: Tokens } | null };
    const { refreshTokens } = await this.#ask<Data>(operations.REFRESH, { accessToken, refreshToken });
    if (refreshTokens) return refreshTokens.tokens;
    throw new AccountsClientError('INTERNAL_SERVER_ERROR', 'The server gave no tokens.');
  }
}

/**
 * Makes a client. It uses Web APIs only, in browsers, workers, Node, Deno and Bun. Throws a TypeError for an option that
 * does not exist, and for a `url` that is none.
 *
 * ```ts
 * import { createAccountsClient } from 'graphql-accounts/client';
 *
 * const accounts = createAccountsClient({ url: 'https://api.example.com/graphql' });
 * accounts.subscribe((loggedIn) => console.log(loggedIn ? 'hello' : 'good-bye'));
 * ```
 */
export function createAccountsClient(options: AccountsClientOptions): AccountsClient {
  return new AccountsClient(options);
}

/** Looked up at each call, and called as a function of its own: some runtimes insist on that. */
const fetchOfRuntime: typeof fetch = (input, init) => fetch(input, init);

/** Throws a TypeError for what is no http or https URL. */
function resolve(url: string | URL): URL {
  const { location } = globalThis as { location?: { href: string } };
  try {
    const resolved = new URL(url, location?.href);
    if (resolved.protocol === 'https:' || resolved.protocol === 'http:') return resolved;
  } catch {
    // The same is said of what is no URL at all.
  }
  throw new TypeError('createAccountsClient: url must be an http or https URL');
}
