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
  await parts.background.keepIf(stillThere, `address ${userId}`, async () => {
    if (added) await unlist(parts, userId, canonical);
  });
  parts.discretion.afterAnswer(canonical, () => mailNewAddress(parts, user, canonical, stillThere));
  if (added) tellOthers(parts, 'emailAdded', user, canonical);
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
  tellOthers(parts, 'emailAdded', user, canonical);
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
  else if (email && !email.verified && (await parts.limits.mailTo(canonical)))
    await mailLink(parts, 'verifyEmail', user, email, stillThere);
}

/** Tells the holder of an address that somebody else wanted it. */
export function notifyHolder({ mailer }: PasswordParts, holder: UserRecord, canonical: string): void {
  const email = findEmail(holder, canonical);
  if (email) mailer.send({ template: 'emailTaken', to: email.address, user: holder });
}

/**
 * Tells the proved addresses of a user what has become of another one: whoever has got hold of a session must not
 * change unseen how the account is entered (S41).
 */
export function tellOthers(
  { mailer }: PasswordParts,
  template: 'emailAdded' | 'emailRemoved',
  user: UserRecord,
  canonical: string | null,
): void {
  for (const email of user.emails) {
    if (email.verified && email.canonical !== canonical) mailer.send({ template, to: email.address, user });
  }
}

/**
 * Takes an address off. Throws EMAIL_NOT_FOUND, LAST_IDENTITY when no name would be left, and LAST_WAY_IN when nothing
 * would be left to log in by. `stillThere` rejects when the session that asks has ended.
 */
export async function removeEmail(
  parts: PasswordParts,
  userId: string,
  input: unknown,
  stillThere?: () => Promise<unknown>,
): Promise<void> {
  const { canonical } = parseEmail(input);
  let former: UserRecord | null = null;
  const change = (current: UserRecord): Partial<UserRecord> => {
    former = current;
    return { emails: withoutEmail(current, canonical) };
  };
  const user = await parts.names.giveUp('email', userId, {
    change,
    before: async () => {
      await stillThere?.();
      await refuseLastWayIn(parts, userId, canonical);
    },
  });
  await voidLinksTo(parts, userId, canonical);
  if (former) await keepWayIn(parts, former, user, canonical);
  // The removed one among them.
  if (former) tellOthers(parts, 'emailRemoved', former, null);
  parts.events.emit('RemoveEmailSuccess', { user: parts.toUser(user) });
}

function withoutEmail({ emails, username }: UserRecord, canonical: string): EmailAddress[] {
  const left = emails.filter((email) => email.canonical !== canonical);
  if (left.length === emails.length) throw new AccountsError('EMAIL_NOT_FOUND');
  const hadAnother = username !== null || left.some(({ claimed }) => claimed);
  const wasClaimed = emails.some((email) => email.canonical === canonical && email.claimed);
  if (wasClaimed && !hadAnother) throw new AccountsError('LAST_IDENTITY');
  return left;
}

async function refuseLastWayIn(parts: PasswordParts, userId: string, canonical: string): Promise<void> {
  const user = await parts.users.require(userId);
  await requireWayIn(parts, user, { ...user, emails: withoutEmail(user, canonical) });
}

/** Throws when there was a way in and there is none any more. */
async function requireWayIn({ waysIn }: PasswordParts, former: UserRecord, user: UserRecord): Promise<void> {
  if ((await waysIn.count(user)) === 0 && (await waysIn.count(former)) > 0) {
    throw new AccountsError('LAST_WAY_IN');
  }
}

/** Another process may have removed another way in at the same time: then the address comes back. */
async function keepWayIn(
  parts: PasswordParts,
  former: UserRecord,
  user: UserRecord,
  canonical: string,
): Promise<void> {
  try {
    await requireWayIn(parts, former, user);
  } catch (error) {
    const removed = findEmail(former, canonical);
    if (removed?.claimed) {
      await confirmEmail(parts.names, user.id, canonical, (emails) => [...emails, removed]);
    }
    throw error;
  }
}
