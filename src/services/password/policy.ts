import { AccountsError } from '../../errors.ts';

/** The fewest code points that a new password may have (NIST SP 800-63B-4 allows no fewer). */
export const MINIMUM_LENGTH = 8;

/** The most code points of any password. Of those none has more than 512 bytes, so 1,024 (S3) hold with it. */
export const MAXIMUM_LENGTH = 128;

/**
 * Whether a password may be hashed at all: a string of 1 to 128 code points without lone surrogates. Says so without
 * reading what is too long: a megabyte costs nothing (S3). For login, where a short imported password still counts.
 */
export function isHashable(password: unknown): password is string {
  return (
    typeof password === 'string' &&
    password.length > 0 &&
    // A code point has at most two code units: what is longer is refused before anybody counts.
    password.length <= 2 * MAXIMUM_LENGTH &&
    countCodePoints(password) <= MAXIMUM_LENGTH &&
    // Every lone surrogate becomes the same U+FFFD in UTF-8: different passwords would be one (S4).
    password.isWellFormed()
  );
}

/**
 * Checks a password that somebody wants to have: `minLength` to 128 code points as typed, nothing else is demanded
 * of its composition (S3). The block list is `isCommonPassword`.
 *
 * @throws AccountsError `INVALID_PASSWORD`
 */
export function validatePassword(input: unknown, minLength: number = MINIMUM_LENGTH): string {
  if (isHashable(input) && countCodePoints(input) >= minLength) return input;
  throw new AccountsError(
    'INVALID_PASSWORD',
    `The password must have between ${minLength} and ${MAXIMUM_LENGTH} characters.`,
  );
}

/** What no user can have as password is a wrong password, and is refused before anything is hashed (S3). */
export function parseTypedPassword(input: unknown): string {
  if (typeof input !== 'string') throw new AccountsError('BAD_USER_INPUT', 'A password is required.');
  if (!isHashable(input)) throw new AccountsError('INVALID_CREDENTIALS');
  return input;
}

/** The option `minLength`, checked: 8 where nothing is said. Throws TypeError for less than 8 or more than 128. */
export function checkMinLength(minLength: number = MINIMUM_LENGTH): number {
  if (!Number.isInteger(minLength) || minLength < MINIMUM_LENGTH || minLength > MAXIMUM_LENGTH) {
    throw new TypeError(`minLength must be a whole number from ${MINIMUM_LENGTH} to ${MAXIMUM_LENGTH}.`);
  }
  return minLength;
}

function countCodePoints(text: string): number {
  return [...text].length;
}
