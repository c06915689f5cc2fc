import type { EmailAddress, UserRecord } from '../database/ports.ts';
import { findEmail, mayEnterBy } from './addresses.ts';
import type { Authentication } from './authentication.ts';
import { generationOf, PASSWORD_SERVICE } from './password-identity.ts';
import type { ServiceContext } from './service.ts';
import { NOBODY } from './user.ts';

/** What a mail to an address can open: the purposes of one-time tokens that log in. */
export const ENTRY_PURPOSES = { magicLink: 'magicLink', loginCode: 'loginCode' } as const;

/** Somebody who may be let in by a mail to an address. */
export interface Entrant {
  user: UserRecord;
  email: EmailAddress;
  /** That of the user's password now: a new one voids what was mailed before it (S29). */
  generation: number;
}

type EntryParts = Pick<ServiceContext, 'users' | 'names' | 'ownership' | 'events' | 'toUser'>;

/** How many ways into an account the mails of a service are: one, once an address was proved. */
export function countMailedWays({ emails }: UserRecord): number {
  return emails.some(({ verified }) => verified) ? 1 : 0;
}

/** Null when nobody may enter by the address. Looks as much up for an address that nobody has (S8). */
export async function findEntrant(parts: EntryParts, canonical: string): Promise<Entrant | null> {
  return entrantOf(parts, await parts.names.findHolder('email', canonical), canonical);
}

export async function entrantOf(
  { users }: EntryParts,
  holder: UserRecord | null,
  canonical: string,
): Promise<Entrant | null> {
  const password = await users.findIdentity(PASSWORD_SERVICE, holder?.id ?? NOBODY);
  const email = holder && findEmail(holder, canonical);
  if (!email || holder.deactivated || !mayEnterBy(holder, email)) return null;
  return { user: holder, email, generation: generationOf(password) };
}

/**
 * Lets somebody in who has proved the address, once what proved it is used up. The first proof of an address gives the
 * whole account to whoever gave it (S39).
 */
export async function enter(
  parts: EntryParts,
  { user: found, email, generation }: Entrant,
  amr: readonly string[],
): Promise<Authentication> {
  const { canonical } = email;
  const user = email.verified ? found : await takeOver(parts, found, email);
  // A takeover leaves no password; one that is set afterwards is none that this proof knows.
  const proved = email.verified ? generation : 0;
  return {
    user,
    amr,
    stillHolds: async () => {
      const now = await findEntrant(parts, canonical);
      return now?.user.id === user.id && now.email.verified && now.generation === proved;
    },
  };
}

async function takeOver(
  { ownership, events, toUser }: EntryParts,
  found: UserRecord,
  email: EmailAddress,
): Promise<UserRecord> {
  const user = await ownership.takeOver(found, email);
  events.emit('VerifyEmailSuccess', { user: toUser(user) });
  return user;
}
