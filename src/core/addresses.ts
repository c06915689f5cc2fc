import type { EmailAddress, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Adoption, Names } from './names.ts';

/** What becomes of the listed addresses once one of them is confirmed. */
type Confirmation = (emails: EmailAddress[], canonical: string) => EmailAddress[];

/** Claims an address for a user who has proved it, and says so in the user's record. Throws EMAIL_TAKEN. */
export async function confirmEmail(
  names: Names,
  userId: string,
  canonical: string,
  confirmation: Confirmation,
  more: Pick<Adoption, 'before' | 'priority'> = {},
): Promise<UserRecord> {
  const user = await names.adopt('email', canonical, userId, {
    ...more,
    change: ({ emails }) => ({ emails: confirmation(emails, canonical) }),
    undo: ({ emails }) => ({
      emails: emails.map((email) =>
        email.canonical === canonical ? { ...email, verified: false, claimed: false } : email,
      ),
    }),
  });
  if (!user) throw new AccountsError('EMAIL_TAKEN');
  return user;
}

/** Throws INVALID_TOKEN when the address was taken off meanwhile: a link must not bring it back. */
export function withVerified(emails: EmailAddress[], canonical: string): EmailAddress[] {
  if (!emails.some((email) => email.canonical === canonical)) throw new AccountsError('INVALID_TOKEN');
  return emails.map((email) =>
    email.canonical === canonical ? { ...email, verified: true, claimed: true } : email,
  );
}

/** The address of that canonical form, if the user lists it. */
export function findEmail(user: Pick<UserRecord, 'emails'>, canonical: unknown): EmailAddress | null {
  return user.emails.find((email) => email.canonical === canonical) ?? null;
}

/**
 * Whether proof of the address may open the account. One that nobody has proved opens no account in which another one
 * was proved: its mailbox may be that of a stranger whose address was mistyped once.
 */
export function mayEnterBy({ emails }: Pick<UserRecord, 'emails'>, { verified }: EmailAddress): boolean {
  return verified || !emails.some((email) => email.verified);
}

/** Where mails about the account go: a verified address if there is one. */
export function mainEmail({ emails }: Pick<UserRecord, 'emails'>): EmailAddress | null {
  return emails.find(({ verified }) => verified) ?? emails[0] ?? null;
}
