import type { Connection } from '../../core/connection.ts';
import { refusal } from '../../core/events.ts';
import { refuseImpersonated, type SessionInfo } from '../../core/sessions.ts';
import { AccountsError } from '../../errors.ts';
import { parseTypedPassword } from './authentication.ts';
import { namesOf, type PasswordParts } from './parts.ts';
import { notifyOwner, replacePassword, voidLinks } from './replace-password.ts';

/** Changes the password of somebody who knows it. The other sessions end (S19). */
export async function changePassword(
  parts: PasswordParts,
  userId: string,
  oldPassword: unknown,
  newPassword: unknown,
  { session, connection }: { session: SessionInfo | null; connection: Connection },
): Promise<void> {
  try {
    if (session) refuseImpersonated(session);
    const password = parts.parseNewPassword(newPassword);
    const typed = parseTypedPassword(oldPassword);
    const user = await parts.users.find(userId);
    if (!user || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
    const credential = await parts.credentials.find(userId);
    if (!(await parts.credentials.verify(typed, credential))) throw new AccountsError('INVALID_CREDENTIALS');
    await parts.refuseWeak(password, namesOf(user));
    const hash = await parts.hasher.hash(password);
    const keep = parts.options.invalidateAllSessionsAfterPasswordChanged ? [session?.id ?? ''] : null;
    // Somebody else changed it meanwhile: the password that was typed is not the right one any more.
    if (!(await replacePassword(parts, userId, credential, hash, keep)))
      throw new AccountsError('INVALID_CREDENTIALS');
    if (parts.options.removeAllResetPasswordTokensAfterPasswordChanged) await voidLinks(parts, userId);
    parts.events.emit('ChangePasswordSuccess', { user: parts.toUser(user), connection });
    notifyOwner(parts, user);
  } catch (error) {
    parts.events.emit('ChangePasswordError', { userId, error: refusal(error), connection });
    throw error;
  }
}

/** Sets a password without asking for the old one: for administrators. Every session of the user ends. */
export async function setPassword(parts: PasswordParts, userId: string, newPassword: unknown): Promise<void> {
  const password = parts.parseNewPassword(newPassword);
  const user = await parts.users.find(userId);
  if (!user) throw new AccountsError('USER_NOT_FOUND');
  await parts.refuseWeak(password, namesOf(user));
  const hash = await parts.hasher.hash(password);
  while (!(await replacePassword(parts, userId, await parts.credentials.find(userId), hash, [])));
  await voidLinks(parts, userId);
}
