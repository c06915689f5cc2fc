import { parseEmail } from '../../core/canonical.ts';
import { refusal } from '../../core/events.ts';
import type { EmailAddress, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { consumeLink, findEmail, findLink, mailLink } from './links.ts';
import type { PasswordParts } from './parts.ts';

/**
 * Sends the verification link again. `requester` is asked only for an address that nobody holds: its link goes to the
 * user who has added it.
 */
export async function sendVerificationEmail(
  parts: PasswordParts,
  input: unknown,
  requester: () => Promise<UserRecord | null> = async () => null,
): Promise<void> {
  const { canonical } = parseEmail(input);
  await parts.unobserved(canonical, async () => {
    const user = (await parts.users.findByName('email', canonical)) ?? (await requester());
    const email = user && findEmail(user, canonical);
    if (!user || !email || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
    await (email.verified ? parts.writeNothing() : mailLink(parts, 'verifyEmail', user, email));
  });
}

/**
 * Marks an address as its user's own. What is done may be done again, so a process that is killed half-way leaves a
 * link that still works; the token is used up last, by one caller only.
 */
export async function verifyEmail(parts: PasswordParts, token: unknown): Promise<void> {
  try {
    const link = await findLink(parts, token, ['verifyEmail']);
    const user = await confirmEmail(parts, link.user.id, link.email);
    await consumeLink(parts, link);
    parts.events.emit('VerifyEmailSuccess', { user: parts.toUser(user) });
  } catch (error) {
    parts.events.emit('VerifyEmailError', { error: refusal(error) });
    throw error;
  }
}

/** Claims an address for a user who has proved it, and says so in the user's record. Throws EMAIL_TAKEN. */
export async function confirmEmail(
  parts: PasswordParts,
  userId: string,
  { address, canonical }: Omit<EmailAddress, 'verified'>,
): Promise<UserRecord> {
  const listed = (emails: EmailAddress[], verified: boolean): EmailAddress[] =>
    emails.map((email) => (email.canonical === canonical ? { ...email, verified } : email));
  const user = await parts.users.adopt('email', canonical, userId, {
    change: ({ emails }) =>
      emails.some((email) => email.canonical === canonical)
        ? { emails: listed(emails, true) }
        : { emails: [...emails, { address, canonical, verified: true }] },
    undo: ({ emails }) => ({ emails: listed(emails, false) }),
  });
  if (!user) throw new AccountsError('EMAIL_TAKEN');
  return user;
}
