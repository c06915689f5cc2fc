import type { AccountsErrorCode } from '../errors.ts';

/** What the server refused with, or why it could not be asked (SERVICE_UNAVAILABLE, with a `cause`). */
export class AccountsClientError extends Error {
  override readonly name = 'AccountsClientError';
  /** As in docs/errors.md; another one where the application has codes of its own. */
  readonly code: AccountsErrorCode | (string & {});
  /** What the server says besides, such as the `challenge` of TWO_FACTOR_REQUIRED. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    code: AccountsErrorCode | (string & {}),
    message: string,
    options: { cause?: unknown; extensions?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.extensions = { ...options.extensions };
  }

  /** Seconds to wait before the next attempt; null where the server named none. */
  get retryAfter(): number | null {
    const { retryAfter } = this.extensions;
    return typeof retryAfter === 'number' ? retryAfter : null;
  }

  /** Whether the same call may succeed a little later. */
  get retryable(): boolean {
    return this.code === 'BUSY' || this.code === 'SERVICE_UNAVAILABLE';
  }
}
