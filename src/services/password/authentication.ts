import type { Attempt, Authentication } from '../../core/authentication.ts';
import { parseEmail } from '../../core/canonical.ts';
import { parseObject, parseString } from '../../core/input.ts';
import { NOBODY } from '../../core/user.ts';
import type { UserReference } from '../../core/users.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { mailLink } from './links.ts';
import type { PasswordParts } from './parts.ts';
import { parseTypedPassword } from './policy.ts';

/**
 * Recognises a user by password. Unknown user, wrong password, no password and deactivated account are one refusal,
 * after one hash each (S7, S8).
 */
export async function authenticate(
  parts: PasswordParts,
  params: Readonly<Record<string, unknown>>,
  { guesses }: Attempt,
): Promise<Authentication> {
  const reference = parseReference(params.user);
  const password = parseTypedPassword(params.password);
  const user = await parts.users.findByReference(reference);
  await guesses.spend(user ? { userId: user.id } : { unknown: parts.users.nameOf(reference) });
  const credential = await parts.credentials.find(user?.id ?? NOBODY);
  const matches = await parts.credentials.verify(password, credential);
  if (!user || !matches || user.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
  await parts.credentials.renew(password, credential);
  refuseUnverified(parts, user, reference);
  return {
    user,
    amr: ['pwd'],
    stillHolds: () => parts.credentials.isCurrent(user.id, credential.generation),
  };
}

/** Told only after the password was right (S9); the link goes out again. */
function refuseUnverified(parts: PasswordParts, user: UserRecord, reference: UserReference): void {
  if (!parts.options.requireEmailVerification) return;
  const canonical = 'email' in reference ? parseEmail(reference.email).canonical : null;
  const candidates = user.emails.filter((email) => canonical === null || email.canonical === canonical);
  if (candidates.some(({ verified }) => verified)) return;
  const [email] = candidates;
  if (!email) throw new AccountsError('EMAIL_NOT_VERIFIED', 'This account has no verified e-mail address.');
  parts.discretion.afterAnswer(email.canonical, () => mailLink(parts, 'verifyEmail', user, email));
  throw new AccountsError('EMAIL_NOT_VERIFIED');
}

/** `user` is a string, or an object with `id`, `username` or `email`; clients send those they do not use as null. */
function parseReference(input: unknown): UserReference {
  if (typeof input === 'string') {
    const name = parseString(input);
    return name.includes('@') ? { email: name } : { username: name };
  }
  const { id, username, email, ...unknown } = parseObject(input);
  if (Object.keys(unknown).length > 0) throw new AccountsError('BAD_USER_INPUT');
  // The order of accounts-js, where several are given.
  if (isGiven(id)) return { id: parseString(id) };
  if (isGiven(username)) return { username: parseString(username) };
  if (isGiven(email)) return { email: parseString(email) };
  throw new AccountsError(
    'BAD_USER_INPUT',
    'Say whom to log in: give an id, a username or an e-mail address.',
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
