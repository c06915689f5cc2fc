import { findEmail, mayEnterBy } from '../../core/addresses.ts';
import { parseEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { notifyOwner } from './change-password.ts';
import { findLink, type Link, mailLink } from './links.ts';
import { namesOf, type PasswordParts } from './parts.ts';

/** Mails a reset link, if the address is known. */
export async function sendResetPasswordEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { canonical } = parseEmail(input);
  await parts.discretion.mail(canonical, async () => {
    const { user, email } = await findHolder(parts, canonical);
    if (!mayEnterBy(user, email)) throw new AccountsError('USER_NOT_FOUND');
    await mailLink(parts, 'resetPassword', user, email);
  });
}

/** Mails the link by which a user whom an administrator made sets the first password. Throws USER_NOT_FOUND. */
export async function sendEnrollmentEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { user, email } = await findHolder(parts, parseEmail(input).canonical);
  await mailLink(parts, 'enrollAccount', user, email);
}

async function findHolder(parts: PasswordParts, canonical: string) {
  const user = await parts.names.findHolder('email', canonical);
  const email = user && findEmail(user, canonical);
  if (!user || !email || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
  return { user, email };
}

/**
 * Sets a new password by a mailed link. The steps are ordered so that a process that is killed between any two leaves
 * either the old password and a link that works, or the new one: sessions end first, one compare-and-set commits.
 */
export async function resetPassword(
  parts: PasswordParts,
  token: unknown,
  newPassword: unknown,
  connection: Connection,
): Promise<LoginResult | null> {
  const work = async (): Promise<LoginResult | null> => {
    const given = parseString(token, 'INVALID_TOKEN', 512);
    const password = parts.parseNewPassword(newPassword);
    const link = await findLink(parts, given, ['resetPassword', 'enrollAccount']);
    await parts.refuseWeak(password, namesOf(link.user));
    const owner = await replaceByLink(parts, link, password);
    parts.events.emit('ResetPasswordSuccess', { user: parts.toUser(owner), connection });
    notifyOwner(parts, owner);
    if (!parts.options.returnTokensAfterResetPassword) return null;
    return logIn(parts, owner, link.credential.generation + 1, connection);
  };
  return parts.events.observe(work, (error) =>
    parts.events.emit('ResetPasswordError', { error, connection }),
  );
}

async function replaceByLink(parts: PasswordParts, link: Link, password: string): Promise<UserRecord> {
  const { user, email, credential } = link;
  const hash = await parts.hasher.hash(password);
  // If nobody had proved the address before, whoever made the account may have been a stranger (S39).
  const isFirstProof = !email.verified;
  const endsSessions = isFirstProof || parts.options.invalidateAllSessionsAfterPasswordReset;
  const replaced = await parts.replacePassword(user.id, credential, hash, endsSessions ? [] : null);
  if (!replaced) throw new AccountsError('INVALID_TOKEN');
  // The link is void by now, since the password is another one: what follows cleans up and must not fail the reset.
  await parts.background.insist(`links ${user.id}`, () => parts.oneTimeTokens.voidAll(user.id));
  let owner = user;
  if (isFirstProof) {
    await parts.background.insist(`proof ${user.id}`, async () => {
      owner = await takeOver(parts, link);
    });
  }
  return owner;
}

/** The link has proved the address for the first time: it alone stays, and nothing that was prepared (S39). */
async function takeOver(parts: PasswordParts, { user, email }: Link): Promise<UserRecord> {
  try {
    return await parts.ownership.takeOver(user, email, ['password']);
  } catch (error) {
    if (error instanceof AccountsError && error.retryable) throw error;
    // Somebody else has it by now: trying again would not help.
    parts.report(error, 'the proof of an address by a reset');
    return user;
  }
}

/** Through the steps of any login: a password that is set meanwhile ends this one as well. */
async function logIn(
  parts: PasswordParts,
  user: UserRecord,
  generation: number,
  connection: Connection,
): Promise<LoginResult> {
  const stillHolds = () => parts.credentials.isCurrent(user.id, generation);
  const authenticate = async () => ({ user, amr: ['link'], stillHolds });
  return parts.login.login({ service: parts.name, params: {}, connection, authenticate });
}
