import { findEmail } from '../../core/addresses.ts';
import type { EmailAddress, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { findLink, type Link, voidLinksTo } from './links.ts';
import type { PasswordParts } from './parts.ts';

/**
 * Frees an address for its owner, who did not make the account that lists it (S39). The token is that of the mail which
 * asked to verify it. Sessions end, and an account that cannot be entered any more is deactivated.
 */
export async function rejectEmail(parts: PasswordParts, token: unknown): Promise<void> {
  const work = async (): Promise<void> => {
    const link = await findLink(parts, token, ['verifyEmail']);
    const endSessions = (): Promise<void> => parts.sessions.revokeAll(link.user.id);
    // Before, so that who is killed here can do it again by the same link; and after, for what was begun in between.
    await endSessions();
    const user = await free(parts, link);
    await parts.background.insist(`rejection ${user.id}`, async () => {
      await endSessions();
      await voidLinksTo(parts, user.id, link.email.canonical);
    });
    parts.events.emit('RejectEmailSuccess', { user: parts.toUser(user) });
    if (user.deactivated) parts.events.emit('DeactivateUserSuccess', { userId: user.id });
  };
  await parts.events.observe(work, (error) => parts.events.emit('RejectEmailError', { error }));
}

/** One write of the record takes the address off, and deactivates the user where nothing is left. */
async function free(
  parts: PasswordParts,
  { token, user: { id }, email: { canonical } }: Link,
): Promise<UserRecord> {
  let isLost = false;
  return parts.names.giveUp('email', id, {
    before: async () => {
      const { user } = await findLink(parts, token, ['verifyEmail']);
      isLost = (await parts.waysIn.count({ ...user, emails: without(user, canonical) })) === 0;
    },
    change: (user) => {
      const emails = without(user, canonical);
      const hasName = user.username !== null || emails.some(({ claimed }) => claimed);
      return isLost && !hasName ? { emails, deactivated: true } : { emails };
    },
  });
}

/** Throws INVALID_TOKEN once the address was verified, by another mail, or is off already. */
function without(user: UserRecord, canonical: string): EmailAddress[] {
  const email = findEmail(user, canonical);
  if (!email || email.verified) throw new AccountsError('INVALID_TOKEN');
  return user.emails.filter((listed) => listed !== email);
}
