import { findEmail, mayEnterBy } from '../../core/addresses.ts';
import { parseEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import { PASSWORD_SERVICE } from '../../core/password-identity.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { notifyOwner } from './change-password.ts';
import type { PasswordHash } from './hasher.ts';
import { findLink, type Link, mailLink, stillHolds } from './links.ts';
import { namesOf, type PasswordParts } from './parts.ts';

/** Mails a reset link, if the address is known. */
export async function sendResetPasswordEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { canonical } = parseEmail(input);
  await parts.discretion.mail(canonical, async () => {
    const { user, email } = await findHolder(parts, canonical);
    await mailLink(parts, 'resetPassword', user, email);
  });
}

/** Mails the link by which a user whom an administrator made sets the first password. Throws USER_NOT_FOUND. */
export async function sendEnrollmentEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { user, email } = await findHolder(parts, parseEmail(input).canonical);
  await mailLink(parts, 'enrollAccount', user, email);
}

/** Who may set a password by a link to that address. */
async function findHolder(parts: PasswordParts, canonical: string) {
  const user = await parts.names.findHolder('email', canonical);
  const email = user && findEmail(user, canonical);
  if (!user || !email || user.deactivated || !mayEnterBy(user, email))
    throw new AccountsError('USER_NOT_FOUND');
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
  const work = async (): Promise<Reset> => {
    const given = parseString(token, 'INVALID_TOKEN', 512);
    const password = parts.parseNewPassword(newPassword);
    const link = await findLink(parts, given, ['resetPassword', 'enrollAccount']);
    await parts.refuseWeak(password, namesOf(link.user));
    const hash = await parts.hasher.hash(password);
    const reset = await replaceByLink(parts, link, hash);
    parts.events.emit('ResetPasswordSuccess', { user: parts.toUser(reset.owner), connection });
    notifyOwner(parts, reset.owner);
    return reset;
  };
  const { owner, generation } = await parts.events.observe(work, (error) =>
    parts.events.emit('ResetPasswordError', { error, connection }),
  );
  // What becomes of the login, such as a second factor that is outstanding, is no failure of the reset.
  return parts.options.returnTokensAfterResetPassword ? logIn(parts, owner, generation, connection) : null;
}

interface Reset {
  owner: UserRecord;
  /** Of the new password. */
  generation: number;
}

async function replaceByLink(parts: PasswordParts, link: Link, hash: PasswordHash): Promise<Reset> {
  const { user, email, credential } = link;
  // If nobody had proved the address before, whoever made the account may have been a stranger (S39).
  const isFirstProof = !email.verified;
  if (isFirstProof) await clear(parts, link);
  const endsSessions = isFirstProof || parts.options.invalidateAllSessionsAfterPasswordReset;
  const generation = await parts.replacePassword(user.id, credential, hash, endsSessions ? [] : null);
  if (generation === null) throw new AccountsError('INVALID_TOKEN');
  // The link is void by now, since the password is another one: what follows cleans up and must not fail the reset.
  await parts.background.insist(`links ${user.id}`, () => parts.oneTimeTokens.voidAll(user.id));
  let owner = user;
  if (isFirstProof) {
    await parts.background.insist(`proof ${user.id}`, async () => {
      owner = await takeOver(parts, link);
    });
  }
  return { owner, generation };
}

/**
 * Before the new password: a process that is killed right after it leaves an account which is its owner's alone. Not
 * for a link that was used meanwhile, whose owner may have set something up already.
 */
async function clear(parts: PasswordParts, link: Link): Promise<void> {
  if (!(await stillHolds(parts, link))) throw new AccountsError('INVALID_TOKEN');
  await parts.ownership.clear(link.user.id, [PASSWORD_SERVICE]);
}

/** The link has proved the address for the first time: it alone stays, and nothing that was prepared (S39). */
async function takeOver(parts: PasswordParts, { user, email }: Link): Promise<UserRecord> {
  try {
    return await parts.ownership.takeOver(user, email, [PASSWORD_SERVICE]);
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
  const isCurrent = () => parts.credentials.isCurrent(user.id, generation);
  const authenticate = async () => ({ user, amr: ['link'], stillHolds: isCurrent });
  return parts.login.login({ service: parts.name, params: {}, connection, authenticate });
}
