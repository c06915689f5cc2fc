import { parseEmail } from '../../core/canonical.ts';
import { refusal } from '../../core/events.ts';
import { parseString } from '../../core/input.ts';
import type { EmailAddress, OneTimeTokenRecord, UserRecord } from '../../core/records.ts';
import { AccountsError } from '../../errors.ts';
import type { PasswordParts } from './parts.ts';

export const VERIFY_EMAIL = 'verifyEmail';

/** Mails the link that proves an address. */
export async function mailVerification(
  parts: PasswordParts,
  user: UserRecord,
  email: EmailAddress,
): Promise<void> {
  const token = await parts.oneTimeTokens.create({
    ...{ purpose: VERIFY_EMAIL, userId: user.id, boundTo: email.canonical },
    ...{ lifetime: parts.options.verifyEmailTokenExpiration, data: { canonical: email.canonical } },
  });
  parts.mailer.send({
    template: 'verifyEmail',
    to: email.address,
    user,
    link: { path: 'verify-email', token },
  });
}

/**
 * Sends the verification link again. With ambiguous errors on everything but the check of the input happens after the
 * answer (S8). `requester` is asked only for an address that nobody holds: its link goes to the user who added it.
 */
export async function sendVerificationEmail(
  parts: PasswordParts,
  input: unknown,
  requester: () => Promise<UserRecord | null> = async () => null,
): Promise<void> {
  const { canonical } = parseEmail(input);
  const mail = async (): Promise<void> => {
    const user = (await parts.users.findByName('email', canonical)) ?? (await requester());
    const email = user && listedEmail(user, canonical);
    if (!user || !email || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
    await (email.verified ? parts.writeNothing() : mailVerification(parts, user, email));
  };
  await answerFirst(parts, canonical, mail);
}

/** Runs a task about an address after the answer, or before it where the answer may tell what came of it. */
export async function answerFirst(
  parts: PasswordParts,
  canonical: string,
  task: () => Promise<void>,
): Promise<void> {
  if (!parts.ambiguousErrorMessages) return task();
  parts.background.run(`email ${canonical}`, async () => {
    try {
      await task();
    } catch (error) {
      if (!(error instanceof AccountsError && error.code === 'USER_NOT_FOUND')) throw error;
      // The next request of the same stranger waits as long as after a token that was stored.
      await parts.writeNothing();
    }
  });
}

/**
 * Marks an address as its user's own. What is done may be done again, so a process that is killed half-way leaves a
 * link that still works; the token is used up last, by one caller only.
 */
export async function verifyEmail(parts: PasswordParts, token: unknown): Promise<void> {
  try {
    const user = await useLink(parts, token);
    parts.events.emit('VerifyEmailSuccess', { user: parts.toUser(user) });
  } catch (error) {
    parts.events.emit('VerifyEmailError', { error: refusal(error) });
    throw error;
  }
}

async function useLink(parts: PasswordParts, token: unknown): Promise<UserRecord> {
  const { userId, data } = await parts.oneTimeTokens.find(token, [VERIFY_EMAIL]);
  const canonical = canonicalOf(data);
  const before = await parts.users.find(userId);
  // An address that was taken off the account voids its links (S28).
  if (!before || before.deactivated || !listedEmail(before, canonical))
    throw new AccountsError('INVALID_TOKEN');
  const user = await confirmEmail(parts, userId, canonical);
  await parts.oneTimeTokens.consume(token, VERIFY_EMAIL);
  return user;
}

/** Claims an address for a user who has proved it, and says so in the user's record. Throws EMAIL_TAKEN. */
export async function confirmEmail(
  parts: PasswordParts,
  userId: string,
  canonical: string,
): Promise<UserRecord> {
  const user = await parts.users.adopt('email', canonical, userId, {
    change: ({ emails }) => ({ emails: withVerified(emails, canonical, true) }),
    undo: ({ emails }) => ({ emails: withVerified(emails, canonical, false) }),
  });
  if (!user) throw new AccountsError('EMAIL_TAKEN');
  return user;
}

export function listedEmail(user: UserRecord, canonical: string): EmailAddress | null {
  return user.emails.find((email) => email.canonical === canonical) ?? null;
}

export function canonicalOf(data: OneTimeTokenRecord['data']): string {
  return parseString(data.canonical, 'INVALID_TOKEN');
}

function withVerified(emails: EmailAddress[], canonical: string, verified: boolean): EmailAddress[] {
  return emails.map((email) => (email.canonical === canonical ? { ...email, verified } : email));
}
