import { findEmail, mayEnterBy } from '../../core/addresses.ts';
import { parseString } from '../../core/input.ts';
import { ENTRY_PURPOSES } from '../../core/mailed-entry.ts';
import type { EmailAddress, OneTimeTokenRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { Credential } from './credentials.ts';
import type { PasswordParts } from './parts.ts';

/** What a mailed link is for: the purpose of its token, the name of its mail, and where it leads. */
const LINKS = {
  verifyEmail: { path: 'verify-email', expiration: 'verifyEmailTokenExpiration' },
  resetPassword: { path: 'reset-password', expiration: 'passwordResetTokenExpiration' },
  enrollAccount: { path: 'enroll-account', expiration: 'passwordEnrollTokenExpiration' },
} as const;

export type LinkPurpose = keyof typeof LINKS;

/** The paths below `siteUrl` at which a mailed link leads somewhere; the token is the segment that follows. */
export const LINK_PATHS: readonly string[] = Object.values(LINKS).map(({ path }) => path);

/** A mailed link that is good now. */
export interface Link {
  token: string;
  purpose: LinkPurpose;
  user: UserRecord;
  /** The address to which it was mailed. */
  email: EmailAddress;
  /** The user's password when the link was looked up. */
  credential: Credential;
}

/**
 * Mails a link to one of the user's addresses. It voids the older one for the same purpose and address (S29).
 *
 * `stillThere` rejects when the session that asked for it has ended. It is asked after the generation of the password
 * was read: whoever lost the session by a new password gets no link that outlives that password.
 */
export async function mailLink(
  parts: PasswordParts,
  purpose: LinkPurpose,
  user: UserRecord,
  email: EmailAddress,
  stillThere?: () => Promise<unknown>,
): Promise<void> {
  const { path, expiration } = LINKS[purpose];
  const { generation } = await parts.credentials.find(user.id);
  await stillThere?.();
  const token = await parts.oneTimeTokens.create({
    purpose,
    userId: user.id,
    boundTo: email.canonical,
    lifetime: parts.options[expiration],
    data: { canonical: email.canonical, generation },
  });
  parts.mailer.send({ template: purpose, to: email.address, user, link: { path, token } });
}

/**
 * Looks a link up without using it up. Throws INVALID_TOKEN for one that is unknown, used, expired or for something
 * else, and once its user was deactivated or has taken the address off (S28).
 */
export async function findLink(
  parts: PasswordParts,
  input: unknown,
  purposes: readonly LinkPurpose[],
): Promise<Link> {
  const token = parseString(input, 'INVALID_TOKEN', 512);
  const record = await parts.oneTimeTokens.find(token, purposes);
  const user = await parts.users.find(record.userId);
  const email = user && findEmail(user, record.data.canonical);
  if (!user || !email || user.deactivated) throw new AccountsError('INVALID_TOKEN');
  const purpose = record.purpose as LinkPurpose;
  const credential = await parts.credentials.find(user.id);
  if (isOutdated(parts, record, credential)) throw new AccountsError('INVALID_TOKEN');
  if (purpose !== 'verifyEmail') {
    await refuseNotOwned(parts, user, email);
    if (!mayEnterBy(user, email)) throw new AccountsError('INVALID_TOKEN');
  }
  return { token, purpose, user, email, credential };
}

/**
 * A password that was changed since voids every link (S29), also where its removal was cut off. Those that verify an
 * address too: a thief who was logged in may have asked for one to a mailbox of their own.
 */
function isOutdated(
  { options }: PasswordParts,
  { data, purpose }: OneTimeTokenRecord,
  { generation }: Credential,
): boolean {
  const isKept = purpose !== 'verifyEmail' && !options.removeAllResetPasswordTokensAfterPasswordChanged;
  return !isKept && data.generation !== generation;
}

/** The address may be listed again by somebody who once gave it up, while it is another user's now. */
async function refuseNotOwned(
  { users }: PasswordParts,
  user: UserRecord,
  { canonical, claimed }: EmailAddress,
): Promise<void> {
  const holder = await users.findIdentity('email', canonical);
  if (holder?.userId !== user.id || !claimed) throw new AccountsError('INVALID_TOKEN');
}

/** Whether neither a new password nor a deactivation has come in between since the link was looked up. */
export async function stillHolds(parts: PasswordParts, { user, credential }: Link): Promise<boolean> {
  const [current, isCurrent] = await Promise.all([
    parts.users.find(user.id),
    parts.credentials.isCurrent(user.id, credential.generation),
  ]);
  return current !== null && !current.deactivated && isCurrent;
}

/** Uses a link up. */
export async function consumeLink(parts: PasswordParts, { token, purpose }: Link): Promise<void> {
  await parts.oneTimeTokens.consume(token, purpose);
}

/**
 * Voids what was mailed to an address: it must not work again should the address be added once more (S28). And the
 * logins that such a mail began, whose second factor is outstanding.
 */
export async function voidLinksTo(
  { oneTimeTokens, secondFactors }: PasswordParts,
  userId: string,
  canonical: string,
): Promise<void> {
  for (const purpose of [...Object.keys(LINKS), ...Object.values(ENTRY_PURPOSES)])
    await oneTimeTokens.void(purpose, userId, canonical);
  await secondFactors.voidChallenges(userId);
}
