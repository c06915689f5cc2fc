import { parseEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import { refusal } from '../../core/events.ts';
import { parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import type { EmailAddress, OneTimeTokenRecord, UserRecord } from '../../core/records.ts';
import { AccountsError } from '../../errors.ts';
import type { Credential } from './credentials.ts';
import { namesOf, type PasswordParts } from './parts.ts';
import {
  ENROLL_ACCOUNT,
  notifyOwner,
  RESET_PASSWORD,
  replacePassword,
  voidLinks,
} from './replace-password.ts';
import { answerFirst, canonicalOf, confirmEmail, listedEmail } from './verify-email.ts';

/** Mails a reset link, if the address is known; the answer does not tell (S8). */
export async function sendResetPasswordEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { canonical } = parseEmail(input);
  await answerFirst(parts, canonical, async () => {
    const user = await parts.users.findByName('email', canonical);
    if (!user || user.deactivated || !mayReset(user, canonical)) throw new AccountsError('USER_NOT_FOUND');
    await mailPasswordLink(parts, user, canonical, RESET_PASSWORD);
  });
}

/** Mails the link by which a user whom an administrator made sets the first password. Throws USER_NOT_FOUND. */
export async function sendEnrollmentEmail(parts: PasswordParts, input: unknown): Promise<void> {
  const { canonical } = parseEmail(input);
  const user = await parts.users.findByName('email', canonical);
  if (!user || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
  await mailPasswordLink(parts, user, canonical, ENROLL_ACCOUNT);
}

const LINKS = {
  [RESET_PASSWORD]: { path: 'reset-password', expiration: 'passwordResetTokenExpiration' },
  [ENROLL_ACCOUNT]: { path: 'enroll-account', expiration: 'passwordEnrollTokenExpiration' },
} as const;

async function mailPasswordLink(
  parts: PasswordParts,
  user: UserRecord,
  canonical: string,
  purpose: keyof typeof LINKS,
): Promise<void> {
  const { path, expiration } = LINKS[purpose];
  const { generation } = await parts.credentials.find(user.id);
  const token = await parts.oneTimeTokens.create({
    ...{ purpose, userId: user.id, boundTo: canonical },
    ...{ lifetime: parts.options[expiration], data: { canonical, generation } },
  });
  const to = listedEmail(user, canonical)?.address;
  if (to) parts.mailer.send({ template: purpose, to, user, link: { path, token } });
}

/**
 * An address that nobody has proved opens no account in which another one was proved: its mailbox may be that of a
 * stranger whose address was mistyped once.
 */
function mayReset(user: UserRecord, canonical: string): boolean {
  return listedEmail(user, canonical)?.verified === true || !user.emails.some(({ verified }) => verified);
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
  try {
    const link = parseString(token, 'INVALID_TOKEN', 512);
    const password = parts.parseNewPassword(newPassword);
    const { record, user, credential } = await findLink(parts, link);
    await parts.refuseWeak(password, namesOf(user));
    const hash = await parts.hasher.hash(password);
    const keep = parts.options.invalidateAllSessionsAfterPasswordReset ? [] : null;
    const canonical = canonicalOf(record.data);
    if (!listedEmail(user, canonical)?.verified) await dropUnproved(parts, user, canonical);
    if (!(await replacePassword(parts, user.id, credential, hash, keep)))
      throw new AccountsError('INVALID_TOKEN');
    await parts.oneTimeTokens.consume(link, record.purpose);
    const owner = await confirmEmail(parts, user.id, canonical);
    await voidLinks(parts, user.id);
    parts.events.emit('ResetPasswordSuccess', { user: parts.toUser(owner), connection });
    notifyOwner(parts, owner);
    return parts.options.returnTokensAfterResetPassword
      ? await logIn(parts, owner, credential.generation + 1, connection)
      : null;
  } catch (error) {
    parts.events.emit('ResetPasswordError', { error: refusal(error), connection });
    throw error;
  }
}

async function findLink(parts: PasswordParts, link: string) {
  const record = await parts.oneTimeTokens.find(link, [RESET_PASSWORD, ENROLL_ACCOUNT]);
  const user = await parts.users.find(record.userId);
  const credential = await parts.credentials.find(record.userId);
  const canonical = canonicalOf(record.data);
  if (!user || user.deactivated || !listedEmail(user, canonical) || isVoid(parts, record, credential)) {
    throw new AccountsError('INVALID_TOKEN');
  }
  return { record, user, credential };
}

/** A password that was changed since voids the link (S29), also where its removal was cut off. */
function isVoid(
  { options }: PasswordParts,
  { data }: OneTimeTokenRecord,
  { generation }: Credential,
): boolean {
  return options.removeAllResetPasswordTokensAfterPasswordChanged && data.generation !== generation;
}

/**
 * The link is about to prove an address that nobody had proved: whoever made the account may have been a stranger, so
 * the other addresses that were prepared in it go (S39), and with the password so do the sessions.
 */
async function dropUnproved(parts: PasswordParts, user: UserRecord, canonical: string): Promise<void> {
  const isKept = (email: EmailAddress): boolean => email.verified || email.canonical === canonical;
  const dropped = user.emails.filter((email) => !isKept(email));
  if (dropped.length === 0) return;
  await parts.users.update(user.id, ({ emails }) => ({ emails: emails.filter(isKept) }));
  for (const email of dropped) await parts.users.unclaim('email', email.canonical, user.id);
}

/** Through the steps of any login: a password that is set meanwhile ends this one as well. */
async function logIn(
  parts: PasswordParts,
  user: UserRecord,
  generation: number,
  connection: Connection,
): Promise<LoginResult> {
  const stillHolds = async () => (await parts.credentials.find(user.id)).generation === generation;
  const authenticate = async () => ({ user, stillHolds });
  return parts.login.login({ service: parts.name, params: {}, connection, authenticate });
}
