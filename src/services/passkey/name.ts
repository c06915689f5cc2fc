import { parseString } from '../../core/input.ts';
import { AccountsError } from '../../errors.ts';

const MAX_LENGTH = 64;

/** What a user calls a passkey: 1 to 64 characters on one line. Throws BAD_USER_INPUT. */
export function parseName(input: unknown): string {
  const name = parseString(input).trim();
  if (name !== '' && [...name].length <= MAX_LENGTH && !/[\p{Cc}\u2028\u2029]/u.test(name)) return name;
  throw new AccountsError('BAD_USER_INPUT', `The name of a passkey must have 1 to ${MAX_LENGTH} characters.`);
}
