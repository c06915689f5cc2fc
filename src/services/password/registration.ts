import type { Connection } from '../../core/connection.ts';
import { parseObject, parseString } from '../../core/input.ts';
import type { LoginResult } from '../../core/login.ts';
import type { User } from '../../core/user.ts';
import type { EmailAddress, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { notifyHolder } from './addresses.ts';
import { mailLink } from './links.ts';
import type { ValidatedUser } from './options.ts';
import { namesOf, type PasswordParts } from './parts.ts';
import { parseProfile } from './profile.ts';

export interface CreateUserResult<U extends User = User> {
  userId: string | null;
  loginResult: LoginResult<U> | null;
}

/**
 * Signs a user up. With ambiguous errors on, the answer for a taken address is that for a new one, after the same
 * work: one hash and one write (S7, S8).
 */
export async function createUser(
  parts: PasswordParts,
  input: unknown,
  connection: Connection,
): Promise<CreateUserResult> {
  const work = async (): Promise<CreateUserResult> => {
    const { given, password } = await parseSignUp(parts, input);
    const hash = password === null ? null : await parts.hasher.hash(password);
    const credentials = hash ? parts.credentials.initial(hash) : {};
    const created = await parts.users.create({ ...given, credentials });
    if ('taken' in created) return refuseTaken(parts, created.taken, given.emails, connection);
    return welcome(parts, created, connection);
  };
  return parts.events.observe(work, (error) => parts.events.emit('CreateUserError', { error, connection }));
}

async function parseSignUp(parts: PasswordParts, input: unknown) {
  const { password: typed, ...rest } = parseObject(input);
  const { username, email, profile } = await validateNewUser(parts, rest);
  if (!username && !email) throw new AccountsError('IDENTITY_REQUIRED');
  // Nobody could ever log in to it.
  if (!email && parts.options.requireEmailVerification) {
    throw new AccountsError('IDENTITY_REQUIRED', 'An e-mail address is required.');
  }
  const given = {
    username: username ? parts.parseNewUsername(username) : null,
    emails: email ? [{ ...parts.parseNewEmail(email), verified: false, claimed: true }] : [],
    profile: parseProfile(profile),
  };
  // Without a password its owner gets in by a mailed link alone, so there must be an address.
  const password = (typed === undefined || typed === null) && email ? null : parts.parseNewPassword(typed);
  if (password !== null) {
    await parts.refuseWeak(
      password,
      namesOf({ username: given.username?.username ?? null, emails: given.emails }),
    );
  }
  return { given, password };
}

/** Only declared fields reach a new user (S38): by default the names, otherwise what the application lets through. */
async function validateNewUser(parts: PasswordParts, input: Record<string, unknown>): Promise<ValidatedUser> {
  const names = { username: parseName(input.username), email: parseName(input.email) };
  if (!parts.options.validateNewUser) return names;
  const validated: unknown = await parts.options.validateNewUser({ ...input, ...names });
  // A mistake of the application, not of whoever signs up.
  if (typeof validated !== 'object' || validated === null)
    throw new TypeError('validateNewUser must return a user');
  return validated;
}

/** Forms send what was left empty as an empty string. */
function parseName(value: unknown): string | null {
  return value === undefined || value === null || value === '' ? null : parseString(value);
}

async function refuseTaken(
  parts: PasswordParts,
  taken: 'email' | 'username',
  [email]: EmailAddress[],
  connection: Connection,
): Promise<CreateUserResult> {
  // Usernames are public: whoever wants one learns whether it is free.
  if (taken === 'username') throw new AccountsError('USERNAME_TAKEN');
  if (!parts.ambiguousErrorMessages || !email) throw new AccountsError('EMAIL_TAKEN');
  // The write that a new user would have cost.
  await parts.discretion.writeNothing();
  parts.discretion.afterAnswer(email.canonical, async () => {
    const holder = await parts.names.findHolder('email', email.canonical);
    if (holder) notifyHolder(parts, holder, email.canonical);
  });
  parts.events.emit('CreateUserError', { error: { code: 'EMAIL_TAKEN' }, connection });
  return { userId: null, loginResult: null };
}

async function welcome(
  parts: PasswordParts,
  user: UserRecord,
  connection: Connection,
): Promise<CreateUserResult> {
  parts.events.emit('CreateUserSuccess', { user: parts.toUser(user), connection });
  const [email] = user.emails;
  if (email && parts.options.sendVerificationEmailAfterSignup) {
    parts.discretion.afterAnswer(email.canonical, () => mailLink(parts, 'verifyEmail', user, email));
  }
  if (parts.ambiguousErrorMessages) return { userId: null, loginResult: null };
  return {
    userId: user.id,
    loginResult: parts.enableAutologin ? await autologin(parts, user, connection) : null,
  };
}

/** A login that the application refuses leaves the new user in place: only the session is missing. */
async function autologin(
  parts: PasswordParts,
  user: UserRecord,
  connection: Connection,
): Promise<LoginResult | null> {
  // The first proof of the address gives the account to its owner, and ends what was begun before it (S39).
  const stillHolds = async (): Promise<boolean> => {
    const current = await parts.users.find(user.id);
    return current !== null && !current.emails.some(({ verified }) => verified);
  };
  const authenticate = async () => ({ user, amr: ['pwd'], stillHolds });
  const attempt = { service: parts.name, params: {}, connection, authenticate };
  return parts.login.login(attempt).catch((error: unknown) => {
    if (error instanceof AccountsError && !error.retryable) return null;
    throw error;
  });
}
