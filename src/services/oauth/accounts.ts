import { findEmail, mayEnterBy } from '../../core/addresses.ts';
import type { Asker } from '../../core/authentication.ts';
import { type CanonicalEmail, parseEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import type { IdentityRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ProvedAccount } from './account.ts';
import { type OAuthParts, providerOf, removalOf, serviceOf } from './parts.ts';

/** Somebody who has logged in at a provider. */
export interface Proved {
  provider: string;
  account: ProvedAccount;
}

interface From {
  connection: Connection;
  asker: Asker;
}

/** Who links or unlinks. */
interface Owner {
  connection: Connection;
  /** Rejects when the session that asks has ended. */
  stillThere: () => Promise<unknown>;
}

/** A user, and whether what has named the user still does. */
interface Found {
  user: UserRecord;
  stillHolds: () => Promise<boolean>;
}

/** Others may link, unlink or sign up at the same moment. */
const MAX_TRIES = 5;

/**
 * The user of a provider's account: who it is linked to, who has the same address verified, or a new one. Two first
 * logins at once wait for each other: with one account, or one address, they are one user.
 */
export function recognise(parts: OAuthParts, proved: Proved, from: From): Promise<Found> {
  const { provider, account } = proved;
  return parts.users.inTurn(`${serviceOf(provider)} ${account.subject}`, () =>
    findOrCreate(parts, proved, from),
  );
}

/** As `recognise`, for a user who is logged in and proves it once more: nobody is made, linked or taken over. */
export async function recogniseAgain(parts: OAuthParts, proved: Proved, userId: string): Promise<Found> {
  const found = await findLinked(parts, proved);
  if (found) return found;
  const email = parseVerified(proved.account.verifiedEmail);
  const stillHolds = async () => email !== null && (await hasVerified(parts, userId, email.canonical));
  const mayLink = parts.options.linkByEmail && !(await wasRemoved(parts, proved, userId));
  const user = mayLink && (await stillHolds()) ? await parts.users.find(userId) : null;
  if (!user) throw new AccountsError('INVALID_CREDENTIALS');
  return { user, stillHolds };
}

async function findOrCreate(parts: OAuthParts, proved: Proved, from: From): Promise<Found> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const found = await findLinked(parts, proved);
    if (found) return found;
    // An address that the provider has not proved says nothing, and is not even looked up: the answer would tell a
    // stranger who has an account (S7).
    const email = parseVerified(proved.account.verifiedEmail);
    const entered = email
      ? await parts.users.inTurn(`oauth address ${email.canonical}`, () =>
          enterByEmail(parts, proved, email, from),
        )
      : await create(parts, proved, null, from);
    if (entered) return entered;
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

async function findLinked(parts: OAuthParts, { provider, account }: Proved): Promise<Found | null> {
  const identity = await parts.users.findIdentity(serviceOf(provider), account.subject);
  if (!identity) return null;
  const user = await parts.users.find(identity.userId);
  if (!user || user.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
  await keepCurrent(parts, identity, account);
  return { user, stillHolds: () => isLinkedTo(parts, identity, user.id) };
}

/** Null where somebody else was faster. */
async function enterByEmail(
  parts: OAuthParts,
  proved: Proved,
  email: CanonicalEmail,
  from: From,
): Promise<Found | null> {
  const holder = await parts.names.findHolder('email', email.canonical);
  const listed = holder && findEmail(holder, email.canonical);
  if (!holder || !listed) return create(parts, proved, email, from);
  if (holder.deactivated) throw new AccountsError('INVALID_CREDENTIALS');
  if (!mayEnterBy(holder, listed)) {
    // It may have been mistyped, or planted: the address is its owner's (S39), and the rest is not.
    await freeUnproved(parts, holder.id, email.canonical);
    return null;
  }
  if (!listed.verified) {
    // Whoever signed up with the address has not proved it, and this is its owner (S39).
    const owner = await parts.ownership.takeOver(holder, listed);
    parts.events.emit('VerifyEmailSuccess', { user: parts.toUser(owner) });
    return link(parts, proved, owner);
  }
  const mayLink = parts.options.linkByEmail && !(await wasRemoved(parts, proved, holder.id));
  if (!mayLink) throw new AccountsError('ACCOUNT_EXISTS');
  // The second factor is outstanding, and a way in that stays must not be made without it.
  if (await parts.secondFactors.isEnrolled(holder.id)) {
    return { user: holder, stillHolds: () => hasVerified(parts, holder.id, email.canonical) };
  }
  const found = await link(parts, proved, holder);
  if (found) linked(parts, holder, proved.provider, from.connection);
  return found;
}

/** Takes an address off a user who has proved another one, unless it was proved meanwhile. */
async function freeUnproved({ names }: OAuthParts, userId: string, canonical: string): Promise<void> {
  await names.giveUp('email', userId, {
    change: (user) => {
      const listed = findEmail(user, canonical);
      return listed && !mayEnterBy(user, listed)
        ? { emails: user.emails.filter((email) => email !== listed) }
        : {};
    },
  });
}

async function link(
  parts: OAuthParts,
  { provider, account }: Proved,
  user: UserRecord,
): Promise<Found | null> {
  const [service, { subject }] = [serviceOf(provider), account];
  await refuseTooMany(parts, user.id);
  if (!(await parts.users.insertIdentity(service, subject, user.id, dataOf(parts, provider, account))))
    return null;
  return { user, stillHolds: () => isLinkedTo(parts, { service, subject }, user.id) };
}

async function create(
  parts: OAuthParts,
  { provider, account }: Proved,
  email: CanonicalEmail | null,
  { connection, asker }: From,
): Promise<Found | null> {
  if (asker.remote) await parts.limits.signUp(connection.ip);
  const { subject } = account;
  const service = serviceOf(provider);
  const emails = email ? [{ ...email, verified: true, claimed: true }] : [];
  const user = await parts.users.createLinked(
    { username: null, emails, profile: {}, credentials: {} },
    { service, subject, data: dataOf(parts, provider, account) },
  );
  if ('taken' in user) return null;
  parts.events.emit('CreateUserSuccess', { user: parts.toUser(user), connection });
  return { user, stillHolds: () => isLinkedTo(parts, { service, subject }, user.id) };
}

/**
 * Makes an account of a provider a way in for a user. A thief who was thrown out meanwhile must not leave it behind.
 * Throws ACCOUNT_EXISTS when it is somebody else's.
 */
export async function linkTo(
  parts: OAuthParts,
  user: UserRecord,
  { provider, account }: Proved,
  owner: Owner,
): Promise<void> {
  const service = serviceOf(provider);
  const identity = await parts.users.findIdentity(service, account.subject);
  if (identity && identity.userId !== user.id) throw new AccountsError('ACCOUNT_EXISTS');
  if (identity) return keepCurrent(parts, identity, account);
  await refuseTooMany(parts, user.id);
  const data = dataOf(parts, provider, account);
  if (!(await parts.users.insertIdentity(service, account.subject, user.id, data))) {
    throw new AccountsError('ACCOUNT_EXISTS');
  }
  const mayStay = async (): Promise<void> => {
    await owner.stillThere();
    // Two at once, in whatever processes, may both be refused; there are never more.
    await refuseTooMany(parts, user.id, 0);
  };
  await parts.background.keepIf(mayStay, `link ${service} ${account.subject}`, async () => {
    const left = await parts.users.findIdentity(service, account.subject);
    if (left?.userId === user.id) await parts.users.removeIdentity(left);
  });
  await forgetRemoval(parts, { provider, subject: account.subject });
  linked(parts, user, provider, owner.connection);
}

/** Takes a linked account off. Throws LINKED_ACCOUNT_NOT_FOUND for what is nobody's or another user's, LAST_WAY_IN. */
export async function unlink(
  parts: OAuthParts,
  user: UserRecord,
  { provider, subject }: { provider: string; subject: string },
  owner: Owner,
): Promise<void> {
  const { users, waysIn, ownership, secondFactors, background } = parts;
  const identity = await users.findIdentity(serviceOf(provider), subject);
  if (identity?.userId !== user.id) throw new AccountsError('LINKED_ACCOUNT_NOT_FOUND');
  const remove = async (): Promise<void> => {
    if (!(await users.removeIdentity(identity))) throw new AccountsError('LINKED_ACCOUNT_NOT_FOUND');
  };
  // Not in an account that was taken over meanwhile: it would let the stranger in again (S39).
  const restore = () => ownership.restore(user, identity);
  // One whose provider is not there any more is no way in.
  if (parts.providers.has(provider)) await waysIn.remove(user.id, remove, restore);
  else await remove();
  await background.keepIf(() => owner.stillThere(), `link ${provider} ${subject}`, restore);
  await background.insist(`removal ${provider} ${subject}`, () =>
    noteRemoval(parts, { provider, subject }, user.id),
  );
  // A login that it began, and whose second factor is outstanding, ends with it.
  await background.insist(`challenges ${user.id}`, () => secondFactors.voidChallenges(user.id));
  parts.events.emit('UnlinkOAuthSuccess', {
    user: parts.toUser(user),
    provider,
    connection: owner.connection,
  });
  parts.notify('accountUnlinked', user);
}

/**
 * Whoever takes an account of a provider off has a reason, and the address at the provider may be the same: it must not
 * come back by that, but by its owner's link alone.
 */
async function noteRemoval(
  { users }: OAuthParts,
  { provider, subject }: { provider: string; subject: string },
  userId: string,
): Promise<void> {
  const service = removalOf(provider);
  const noted = await users.findIdentity(service, subject);
  if (noted?.userId === userId) return;
  if (noted) await users.removeIdentity(noted);
  await users.insertIdentity(service, subject, userId, {});
}

async function forgetRemoval(
  { users }: OAuthParts,
  { provider, subject }: { provider: string; subject: string },
): Promise<void> {
  const noted = await users.findIdentity(removalOf(provider), subject);
  if (noted) await users.removeIdentity(noted);
}

async function wasRemoved(
  { users }: OAuthParts,
  { provider, account }: Proved,
  userId: string,
): Promise<boolean> {
  return (await users.findIdentity(removalOf(provider), account.subject))?.userId === userId;
}

function linked(parts: OAuthParts, user: UserRecord, provider: string, connection: Connection): void {
  parts.events.emit('LinkOAuthSuccess', { user: parts.toUser(user), provider, connection });
  parts.notify('accountLinked', user);
}

async function refuseTooMany({ linkedOf, options }: OAuthParts, userId: string, more = 1): Promise<void> {
  if ((await linkedOf(userId)).length + more > options.maxLinkedAccounts)
    throw new AccountsError('TOO_MANY_LINKED_ACCOUNTS');
}

/** What the provider says now. When somebody else has changed it at the same time, theirs is as new. */
async function keepCurrent(
  parts: OAuthParts,
  identity: IdentityRecord,
  account: ProvedAccount,
): Promise<void> {
  const { data } = identity;
  const current = { ...data, ...dataOf(parts, providerOf(identity), account) };
  if (JSON.stringify(current) !== JSON.stringify(data)) await parts.users.updateIdentity(identity, current);
}

function dataOf(
  parts: OAuthParts,
  provider: string,
  { subject, data, tokens }: ProvedAccount,
): IdentityRecord['data'] {
  if (!parts.options.keepTokens) return data;
  return {
    ...data,
    tokens: parts.secretBox().seal(JSON.stringify(tokens), { service: serviceOf(provider), subject }),
  };
}

async function isLinkedTo(
  { users }: OAuthParts,
  { service, subject }: Pick<IdentityRecord, 'service' | 'subject'>,
  userId: string,
): Promise<boolean> {
  return (await users.findIdentity(service, subject))?.userId === userId;
}

async function hasVerified({ users }: OAuthParts, userId: string, canonical: string): Promise<boolean> {
  const user = await users.find(userId);
  return user !== null && findEmail(user, canonical)?.verified === true;
}

function parseVerified(address: unknown): CanonicalEmail | null {
  if (typeof address !== 'string') return null;
  try {
    return parseEmail(address);
  } catch {
    return null;
  }
}
