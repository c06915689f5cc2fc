import type { UserRecord } from '../../core/records.ts';
import type { Credential } from './credentials.ts';
import type { PasswordHash } from './hasher.ts';
import type { PasswordParts } from './parts.ts';

export const RESET_PASSWORD = 'resetPassword';
export const ENROLL_ACCOUNT = 'enrollAccount';

/**
 * Ends the sessions, replaces the password, and ends those that were begun in between. A login that has checked the
 * old password already finds out by itself once its session is made.
 */
export async function replacePassword(
  parts: PasswordParts,
  userId: string,
  credential: Credential,
  hash: PasswordHash,
  keep: readonly string[] | null,
): Promise<boolean> {
  if (keep) await parts.sessions.revokeAll(userId, keep);
  if (!(await parts.credentials.replace(userId, credential, hash))) return false;
  if (keep) await parts.sessions.revokeAll(userId, keep);
  return true;
}

/** A new password voids the mailed links (S29). */
export async function voidLinks(parts: PasswordParts, userId: string): Promise<void> {
  await parts.oneTimeTokens.voidAll(userId, RESET_PASSWORD);
  await parts.oneTimeTokens.voidAll(userId, ENROLL_ACCOUNT);
}

/** Tells the owner that the password is another one now. */
export function notifyOwner(parts: PasswordParts, user: UserRecord): void {
  const email = user.emails.find(({ verified }) => verified) ?? user.emails[0];
  if (email && parts.options.notifyUserAfterPasswordChanged) {
    parts.mailer.send({ template: 'passwordChanged', to: email.address, user });
  }
}
