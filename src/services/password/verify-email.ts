import { confirmEmail, findEmail, withVerified } from '../../core/addresses.ts';
import { parseEmail } from '../../core/canonical.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { tellOthers } from './addresses.ts';
import { consumeLink, findLink, type Link, mailLink, stillHolds } from './links.ts';
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
  const requireRequester = async (): Promise<UserRecord> => {
    const user = await requester();
    if (!user) throw new AccountsError('USER_NOT_FOUND');
    return user;
  };
  await parts.discretion.mail(canonical, async () => {
    const holder = await parts.names.findHolder('email', canonical);
    const user = holder ?? (await requireRequester());
    const email = findEmail(user, canonical);
    if (!email || user.deactivated) throw new AccountsError('USER_NOT_FOUND');
    if (email.verified) return parts.discretion.writeNothing();
    await mailLink(parts, 'verifyEmail', user, email, holder ? undefined : requireRequester);
  });
}

/**
 * Marks an address as its user's own. What is done may be done again, so a process that is killed half-way leaves a
 * link that still works; the token is used up last, by one caller only.
 */
export async function verifyEmail(parts: PasswordParts, token: unknown): Promise<void> {
  const work = async (): Promise<void> => {
    const link = await findLink(parts, token, ['verifyEmail']);
    // Looked up again in the user's turn, and once it is written: a new password, set meanwhile, voids the link.
    const before = () => findLink(parts, token, ['verifyEmail']);
    const confirmed = await confirmEmail(parts.names, link.user.id, link.email.canonical, withVerified, {
      before,
    });
    const user = (await stillHolds(parts, link)) ? confirmed : await unconfirm(parts, link);
    await consumeLink(parts, link);
    tellOthers(parts, 'emailAdded', user, link.email.canonical);
    parts.events.emit('VerifyEmailSuccess', { user: parts.toUser(user) });
  };
  await parts.events.observe(work, (error) => parts.events.emit('VerifyEmailError', { error }));
}

/** Puts the address back as it was, and refuses the link. */
async function unconfirm({ names }: PasswordParts, { user, email }: Link): Promise<never> {
  await names.giveUp('email', user.id, {
    change: ({ emails }) => ({
      emails: emails.map((listed) => (listed.canonical === email.canonical ? email : listed)),
    }),
  });
  throw new AccountsError('INVALID_TOKEN');
}
