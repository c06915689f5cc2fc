import type { IdentityRecord } from '../database/ports.ts';

/** The identity that holds a user's password; its subject is the user's id. */
export const PASSWORD_SERVICE = 'password';

/**
 * Names one of the passwords that a user has had: what was begun under another one is void (S19, S29). 0 without a
 * password. Imported records carry none: theirs is the first.
 */
export function generationOf(password: IdentityRecord | null): number {
  if (!password) return 0;
  return typeof password.data.generation === 'number' ? password.data.generation : 1;
}
