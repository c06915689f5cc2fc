import { AccountsError, type AccountsErrorCode } from '../errors.ts';

/** Longer strings name nobody and reach no database. */
const MAX_LENGTH = 1_024;

/**
 * A string and nothing else (S43): an object such as `{"$ne": null}` never gets as far as a query, whichever way it
 * came in. Lone surrogates and NUL are refused: databases store them as something else, or not at all.
 */
export function parseString(
  value: unknown,
  code: AccountsErrorCode = 'BAD_USER_INPUT',
  limit = MAX_LENGTH,
): string {
  const isText = typeof value === 'string' && value !== '' && value.length <= limit;
  if (isText && value.isWellFormed() && !value.includes('\0')) return value;
  throw new AccountsError(code);
}

/** An object of the caller's, never an array. */
export function parseObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AccountsError('BAD_USER_INPUT');
}
