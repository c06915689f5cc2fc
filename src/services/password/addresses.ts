import { confirmEmail, findEmail, withVerified } from '../../core/addresses.ts';
import { parseEmail } from '../../core/canonical.ts';
import type { EmailAddress, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { mailLink, voidLinksTo } from './links.ts';
import type { PasswordParts } from './parts.ts';

/**
 * Lists one more address. It reserves nothing until it is confirmed; for a taken one the answer and what its owner
 * sees are the same, and the holder gets a mail instead of the link.
 *
 * `stillThere` rejects when the session that asks has ended. It is asked again once the address is listed: a thief who
 * is logged out by a new password must not leave an address behind.
 */
export async function addEmail(
  parts: PasswordParts,
  userId: string,
  input: unknown,
  stillThere: () => Promise<unknown> = async () => {},
): Promise<void> {
  const { address, canonical } = parts.parseNewEmail(input);
  const isNew = ({ emails }: UserRecord): boolean => !emails.some((email) => email.canonical === canonical);
  let added = false;
  const user = await parts.users.update(userId, (current) => {
    added = isNew(current);
    return added
      ? { emails: [...limited(parts, current), { address, canonical, verified: false, claimed: false }] }
      : {};
  });
  try {
    await stillThere();
  } catch (error) {
    if (added) await unlist(parts, userId, canonical);
    throw error;
  }
  parts.discretion.afterAnswer(canonical, () => mailNewAddress(parts, user, canonical, stillThere));
  parts.events.emit('AddEmailSuccess', { user: parts.toUser(user) });
}

/** Lists an address that the application vouches for. Throws EMAIL_TAKEN. */
export async function addVerifiedEmail(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { address, canonical } = parts.parseNewEmail(input);
  const user = await confirmEmail(parts.names, userId, canonical, (emails) =>
    emails.some((email) => email.canonical === canonical)
      ? withVerified(emails, canonical)
      : [...emails, { address, canonical, verified: true, claimed: true }],
  );
  parts.events.emit('AddEmailSuccess', { user: parts.toUser(user) });
}

function limited({ options }: PasswordParts, { emails }: UserRecord): EmailAddress[] {
  if (emails.length >= options.maxEmails) throw new AccountsError('TOO_MANY_EMAILS');
  return emails;
}

async function unlist(parts: PasswordParts, userId: string, canonical: string): Promise<void> {
  await parts.users.update(userId, ({ emails }) => ({
    emails: emails.filter((email) => email.verified || email.canonical !== canonical),
  }));
}

async function mailNewAddress(
  parts: PasswordParts,
  user: UserRecord,
  canonical: string,
  stillThere: () => Promise<unknown>,
): Promise<void> {
  const holder = await parts.names.findHolder('email', canonical);
  const email = findEmail(user, canonical);
  // Somebody who signed up with it, verified or not, must not hand it over by clicking a link they wait for anyway.
  if (holder && holder.id !== user.id) notifyHolder(parts, holder, canonical);
  else if (email && !email.verified) await mailLink(parts, 'verifyEmail', user, email, stillThere);
}

/** Tells the holder of an address that somebody else wanted it. */
export function notifyHolder({ mailer }: PasswordParts, holder: UserRecord, canonical: string): void {
  const email = findEmail(holder, canonical);
  if (email) mailer.send({ template: 'emailTaken', to: email.address, user: holder });
}

/**
 * Takes an address off. Throws EMAIL_NOT_FOUND, and LAST_IDENTITY when nothing would be left to log in with.
 * `stillThere` rejects when the session that asks has ended.
 */
export async function removeEmail(
  parts: PasswordParts,
  userId: string,
  input: unknown,
  stillThere?: () => Promise<unknown>,
): Promise<void> {
  const { canonical } = parseEmail(input);
  const change = ({ emails, username }: UserRecord): Partial<UserRecord> => {
    const left = emails.filter((email) => email.canonical !== canonical);
    if (left.length === emails.length) throw new AccountsError('EMAIL_NOT_FOUND');
    const hadAnother = username !== null || left.some(({ claimed }) => claimed);
    const wasClaimed = emails.some((email) => email.canonical === canonical && email.claimed);
    if (wasClaimed && !hadAnother) throw new AccountsError('LAST_IDENTITY');
    return { emails: left };
  };
  const user = await parts.names.giveUp('email', userId, { change, before: stillThere });
  await voidLinksTo(parts, userId, canonical);
  parts.events.emit('RemoveEmailSuccess', { user: parts.toUser(user) });
}
