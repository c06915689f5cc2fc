import type { Connection } from '../../core/connection.ts';
import { refuseImpersonated, type SessionInfo } from '../../core/sessions.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { namesOf, type PasswordParts } from './parts.ts';
import { parseTypedPassword } from './policy.ts';

const NOWHERE: Connection = { ip: null, userAgent: null };

/** Who changes the password. */
export interface PasswordChanger {
  session: Pick<SessionInfo, 'id' | 'actorUserId'> | null;
  connection: Connection;
}

/** Changes the password of somebody who knows it. The other sessions end (S19). */
export async function changePassword(
  parts: PasswordParts,
  userId: string,
  oldPassword: unknown,
  newPassword: unknown,
  { session, connection }: PasswordChanger,
): Promise<void> {
  const guesses = parts.limits.guessesIn(session, connection);
  const work = async (): Promise<void> => {
    if (session) refuseImpersonated(session);
    const password = parts.parseNewPassword(newPassword);
    const typed = parseTypedPassword(oldPassword);
    const user = await parts.users.requireActive(userId);
    await guesses.spend({ userId });
    const credential = await parts.credentials.find(userId);
    if (!(await parts.credentials.verify(typed, credential))) throw new AccountsError('INVALID_CREDENTIALS');
    await parts.refuseWeak(password, namesOf(user));
    const hash = await parts.hasher.hash(password);
    const kept = session ? [session.id] : [];
    const endsOthers = parts.options.invalidateAllSessionsAfterPasswordChanged;
    const replaced = await parts.replacePassword(userId, credential, hash, endsOthers ? kept : null);
    // Somebody else changed it meanwhile: the password that was typed is not the right one any more.
    if (replaced === null) throw new AccountsError('INVALID_CREDENTIALS');
    await parts.background.insist(`links ${userId}`, () => voidLinks(parts, userId));
    parts.events.emit('ChangePasswordSuccess', { user: parts.toUser(user), connection });
    notifyOwner(parts, user);
  };
  // Not `completed`: whoever knows the password alone must not forget the wrong codes of a second factor by it (S10).
  await parts.events.observe(
    () => guesses.during(work, { completed: false }),
    (error) => parts.events.emit('ChangePasswordError', { userId, error, connection }),
  );
}

/** Sets a password without asking for the old one: for administrators. Every session of the user ends. */
export async function setPassword(parts: PasswordParts, userId: string, newPassword: unknown): Promise<void> {
  const password = parts.parseNewPassword(newPassword);
  const user = await parts.users.require(userId);
  await parts.refuseWeak(password, namesOf(user));
  const hash = await parts.hasher.hash(password);
  // Against whoever changes it at the same time: what the administrator sets is what stays.
  while ((await parts.replacePassword(userId, await parts.credentials.find(userId), hash, [])) === null);
  await parts.background.insist(`links ${userId}`, () => voidLinks(parts, userId));
  parts.events.emit('ChangePasswordSuccess', { user: parts.toUser(user), connection: NOWHERE });
  notifyOwner(parts, user);
}

/** A new password voids what was mailed before it (S29). */
async function voidLinks(
  { oneTimeTokens, secondFactors, options }: PasswordParts,
  userId: string,
): Promise<void> {
  if (options.removeAllResetPasswordTokensAfterPasswordChanged) return oneTimeTokens.voidAll(userId);
  await oneTimeTokens.voidAll(userId, 'verifyEmail');
  await secondFactors.voidChallenges(userId);
}

/** Tells the owner that the password is another one now. */
export function notifyOwner({ mailer, options }: PasswordParts, user: UserRecord): void {
  if (options.notifyUserAfterPasswordChanged) mailer.notify('passwordChanged', user);
}
