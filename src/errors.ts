/**
 * Every code that an `AccountsError` can carry. Over GraphQL the same value is `extensions.code`.
 * A code never changes its meaning and is never reused. The table for people is docs/errors.md.
 */
export const ERROR_MESSAGES = {
  UNAUTHENTICATED: 'You must be logged in to do this.',
  FORBIDDEN: 'You are not allowed to do this.',
  INVALID_CREDENTIALS: 'The user or the password is wrong.',
  EMAIL_NOT_VERIFIED: 'The e-mail address is not verified yet. We have sent the link again.',
  LOGIN_REFUSED: 'This login was refused.',
  TWO_FACTOR_REQUIRED: 'A second factor is required.',
  TWO_FACTOR_ALREADY_SET: 'The second factor is on already.',
  TWO_FACTOR_NOT_SET: 'There is no second factor.',
  INVALID_CODE: 'The code is wrong, was already used or has expired.',
  RECENT_LOGIN_REQUIRED: 'Please log in again to do this.',
  RATE_LIMITED: 'Too many attempts. Please try again later.',
  SERVICE_NOT_FOUND: 'There is no such login service.',
  BAD_USER_INPUT: 'The input is not valid.',
  IDENTITY_REQUIRED: 'A username or an e-mail address is required.',
  INVALID_EMAIL: 'This is not a valid e-mail address.',
  EMAIL_TAKEN: 'This e-mail address is already in use.',
  EMAIL_NOT_FOUND: 'This e-mail address is not one of yours.',
  TOO_MANY_EMAILS: 'This user has as many e-mail addresses as are allowed.',
  LAST_IDENTITY: 'This is the last e-mail address or username of the user and cannot be removed.',
  LAST_WAY_IN: 'This is the last way to log in to the account and cannot be removed.',
  INVALID_PASSKEY: 'This passkey is not valid here.',
  PASSKEY_NOT_FOUND: 'This passkey is not one of yours.',
  TOO_MANY_PASSKEYS: 'This user has as many passkeys as are allowed.',
  PROVIDER_NOT_FOUND: 'There is no such login provider.',
  PROVIDER_UNAVAILABLE: 'The login provider cannot be used for the moment. Please try again later.',
  PROVIDER_REFUSED: 'The login provider did not confirm who you are. Please start again.',
  INVALID_REDIRECT_URI: 'The login may not come back to this address.',
  ACCOUNT_EXISTS: 'There is another account already. Log in to it first.',
  LINKED_ACCOUNT_NOT_FOUND: 'This account is not linked to yours.',
  TOO_MANY_LINKED_ACCOUNTS: 'This user has as many linked accounts as are allowed.',
  INVALID_USERNAME: 'This is not a valid username.',
  USERNAME_TAKEN: 'This username is already in use.',
  INVALID_PASSWORD: 'The password must have between 8 and 128 characters.',
  PASSWORD_TOO_COMMON: 'This password is used so often that it would be guessed at once.',
  PASSWORD_BREACHED: 'This password is known from a data breach.',
  USER_NOT_FOUND: 'There is no such user.',
  INVALID_TOKEN: 'This link or login is not valid, was already used or has expired.',
  BUSY: 'The server is busy. Please try again in a moment.',
  SERVICE_UNAVAILABLE: 'The service is unavailable for the moment. Please try again.',
  GRAPHQL_PARSE_FAILED: 'The document is not valid GraphQL.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit the schema.',
  BAD_REQUEST: 'The request is not a valid GraphQL request.',
  PAYLOAD_TOO_LARGE: 'The request is too large.',
  INTERNAL_SERVER_ERROR: 'Internal server error',
} as const;

/** The union of all codes. */
export type AccountsErrorCode = keyof typeof ERROR_MESSAGES;

/**
 * What every refusal of this library is. `code` is stable, `message` is English for people, `extensions` holds
 * what a client may act on besides. Nothing of it ever holds a password, a hash, a token or an e-mail address.
 *
 * ```ts
 * try {
 *   await accountsServer.resumeSession(accessToken);
 * } catch (error) {
 *   if (error instanceof AccountsError && error.code === 'UNAUTHENTICATED') redirect('/login');
 * }
 * ```
 */
export class AccountsError extends Error {
  override readonly name = 'AccountsError';
  readonly code: AccountsErrorCode;
  /** Holds the code too, and `retryable` where it is: GraphQL takes them over from whatever error a resolver throws. */
  readonly extensions: Readonly<{ code: AccountsErrorCode; [name: string]: unknown }>;

  constructor(
    code: AccountsErrorCode,
    message: string = ERROR_MESSAGES[code],
    options: { cause?: unknown; extensions?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.extensions = { ...options.extensions, ...(this.retryable && { retryable: true }), code };
  }

  /** So that an error is told with its code also where this library is loaded twice, as bundlers do. */
  static override [Symbol.hasInstance](value: unknown): value is AccountsError {
    // biome-ignore-start lint/complexity/noThisInStatic: it is inherited, and a subclass has instances of its own
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === AccountsError && value instanceof Error && isOfAnotherCopy(value);
    // biome-ignore-end lint/complexity/noThisInStatic: see above
  }

  /** Whether the same call may succeed a little later. */
  get retryable(): boolean {
    return this.code === 'BUSY' || this.code === 'SERVICE_UNAVAILABLE';
  }
}

/** Not one of an application's own class of that name: it has no extensions that could be told. */
function isOfAnotherCopy(error: Error & { readonly code?: unknown; readonly extensions?: unknown }): boolean {
  const { code } = (error.extensions ?? {}) as { readonly code?: unknown };
  return error.name === 'AccountsError' && code === error.code && Object.hasOwn(ERROR_MESSAGES, String(code));
}
