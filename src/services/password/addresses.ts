import { parseEmail, parseUsername } from '../../core/canonical.ts';
import { parseString } from '../../core/input.ts';
import type { UserRecord } from '../../core/records.ts';
import { AccountsError } from '../../errors.ts';
import type { PasswordParts } from './parts.ts';
import { confirmEmail, listedEmail, mailVerification } from './verify-email.ts';

/** Tells the holder of an address that somebody else wanted it. */
export async function notifyHolder(parts: PasswordParts, canonical: string): Promise<void> {
  const holder = await parts.users.findByName('email', canonical);
  const email = holder && listedEmail(holder, canonical);
  if (holder && email) parts.mailer.send({ template: 'emailTaken', to: email.address, user: holder });
}

/**
 * Lists one more address. It reserves nothing until it is confirmed; for a taken one the answer and what its owner
 * sees are the same, and the holder gets a mail instead of the link.
 */
export async function addEmail(
  parts: PasswordParts,
  userId: string,
  input: unknown,
  verified = false,
): Promise<void> {
  const { address, canonical } = parts.parseNewEmail(input);
  const user = await parts.users.update(userId, ({ emails }) => {
    if (emails.some((email) => email.canonical === canonical)) return {};
    if (emails.length >= parts.options.maxEmails) throw new AccountsError('TOO_MANY_EMAILS');
    return { emails: [...emails, { address, canonical, verified: false }] };
  });
  if (verified) await confirmEmail(parts, userId, canonical);
  else parts.background.run(`email ${canonical}`, () => mailNewAddress(parts, user, canonical));
  parts.events.emit('AddEmailSuccess', { user: parts.toUser(user) });
}

async function mailNewAddress(parts: PasswordParts, user: UserRecord, canonical: string): Promise<void> {
  const holder = await parts.users.findByName('email', canonical);
  const email = listedEmail(user, canonical);
  // Somebody who signed up with it, verified or not, must not hand it over by clicking a link they wait for anyway.
  if (holder && holder.id !== user.id) await notifyHolder(parts, canonical);
  else if (email && !email.verified) await mailVerification(parts, user, email);
}

/** Takes an address off. Throws EMAIL_NOT_FOUND, and LAST_IDENTITY when nothing would be left to log in with. */
export async function removeEmail(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { canonical } = parseEmail(parseString(input, 'INVALID_EMAIL'));
  const before = await parts.users.find(userId);
  if (!before) throw new AccountsError('USER_NOT_FOUND');
  const held = await heldAddresses(parts, before);
  const user = await parts.users.update(userId, ({ emails, username }) => {
    const left = emails.filter((email) => email.canonical !== canonical);
    if (left.length === emails.length) throw new AccountsError('EMAIL_NOT_FOUND');
    const mayLogIn = username !== null || left.some((email) => held.has(email.canonical));
    if (!mayLogIn && held.has(canonical)) throw new AccountsError('LAST_IDENTITY');
    return { emails: left };
  });
  await parts.users.unclaim('email', canonical, userId);
  parts.events.emit('RemoveEmailSuccess', { user: parts.toUser(user) });
}

/** The listed addresses that are really the user's: one that was added and not confirmed logs nobody in. */
async function heldAddresses(parts: PasswordParts, user: UserRecord): Promise<ReadonlySet<string>> {
  const holders = await Promise.all(
    user.emails.map(async ({ canonical }) => ({
      canonical,
      identity: await parts.users.findIdentity('email', canonical),
    })),
  );
  return new Set(
    holders.filter(({ identity }) => identity?.userId === user.id).map(({ canonical }) => canonical),
  );
}

/** Gives a user a username, or another one. Throws USERNAME_TAKEN. */
export async function setUsername(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { username, canonical } = parts.parseNewUsername(input);
  const before = await parts.users.find(userId);
  if (!before) throw new AccountsError('USER_NOT_FOUND');
  const user = await parts.users.adopt('username', canonical, userId, {
    change: () => ({ username }),
    undo: (current) => (current.username === username ? { username: before.username } : {}),
  });
  if (!user) throw new AccountsError('USERNAME_TAKEN');
  const former = before.username === null ? null : parseUsername(before.username).canonical;
  if (former !== null && former !== canonical) await parts.users.unclaim('username', former, userId);
  parts.events.emit('SetUsernameSuccess', { user: parts.toUser(user) });
}
