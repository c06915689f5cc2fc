import { isDeepStrictEqual } from 'node:util';
import type { EmailAddress, IdentityRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { confirmEmail, findEmail } from './addresses.ts';
import type { Background } from './background.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { Sessions } from './sessions.ts';
import type { Users } from './users.ts';

interface OwnershipParts {
  users: Users;
  sessions: Sessions;
  oneTimeTokens: OneTimeTokens;
  background: Background;
}

/** The identities that are names: a takeover gives up what else there is. */
const NAMES: ReadonlySet<string> = new Set(['email', 'username']);

/**
 * The first proof of an address by its real owner. Whoever signed it up without proving it may have been a stranger who
 * waits for the owner to come, so that nothing which was prepared outlives the proof (S39): password, sessions, links,
 * second factor, recovery codes, passkeys, linked accounts, other addresses.
 */
export class Ownership {
  readonly #parts: OwnershipParts;

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
  }

  /**
   * Gives the account to whoever has proved the address, without the account's password. To be called before that proof
   * is used for anything else, and only where `mayEnterBy` says that the address may open the account. `except` names
   * what the owner has just made, such as the new password. Throws EMAIL_TAKEN when somebody else has the address.
   */
  async takeOver(
    user: UserRecord,
    { canonical }: EmailAddress,
    except: readonly string[] = [],
  ): Promise<UserRecord> {
    const { users, sessions, oneTimeTokens, background } = this.#parts;
    const endSessions = (): Promise<void> => sessions.revokeAll(user.id);
    const forget = async (): Promise<void> => {
      await this.#removeIdentities(user.id, except);
      await oneTimeTokens.voidAll(user.id);
    };
    // Before the address counts as proved: who is cut off in between does it all again at the next proof. And after,
    // for what a session had under way that was alive when it was asked for.
    await endSessions();
    await forget();
    const alone = (emails: EmailAddress[]): EmailAddress[] => {
      const email = findEmail({ emails }, canonical) ?? findEmail(user, canonical);
      if (!email) throw new AccountsError('INVALID_TOKEN');
      return [{ ...email, verified: true, claimed: true }];
    };
    const owner = await confirmEmail(users.names, user.id, canonical, alone, { priority: 'urgent' });
    await background.insist(`proof ${user.id}`, async () => {
      await endSessions();
      // Before the links: that to an address which was listed a moment ago leads nowhere then.
      await users.update(user.id, withoutUnproved, 'urgent');
      await forget();
    });
    return owner;
  }

  /**
   * Brings back what was taken off a user, for a change that is undone. `before`: the record before that change. False
   * when an address was proved since: the account may be its owner's by now, and nothing that a stranger had prepared
   * returns. Where it fails it can be called again.
   */
  async restore(before: UserRecord, identity: IdentityRecord): Promise<boolean> {
    const { users } = this.#parts;
    const { service, subject, data } = identity;
    await users.insertIdentity(service, subject, before.id, data);
    // Asked once it is back: a takeover that comes later removes it itself.
    const { emails = [] } = (await users.find(before.id)) ?? {};
    const isProved = emails.some((email) => email.verified && !findEmail(before, email.canonical)?.verified);
    if (!isProved) return true;
    const current = await users.findIdentity(service, subject);
    // What the owner has made anew since stays.
    if (current && isDeepStrictEqual(current.data, data)) await users.removeIdentity(identity);
    return false;
  }

  /**
   * Takes away what a stranger may have prepared, but its links and names. For whoever commits the proof by a step of
   * its own and calls `takeOver` after that: a process that is killed in between must not leave the stranger in.
   */
  async clear(userId: string, except: readonly string[]): Promise<void> {
    await this.#parts.sessions.revokeAll(userId);
    await this.#removeIdentities(userId, except);
  }

  async #removeIdentities(userId: string, except: readonly string[]): Promise<void> {
    const prepared = ({ service }: IdentityRecord): boolean =>
      !NAMES.has(service) && !except.includes(service);
    const identities = await this.#parts.users.findIdentities(userId);
    await Promise.all(
      identities.filter(prepared).map((identity) => this.#parts.users.removeIdentity(identity)),
    );
  }
}

/** What was added by a session that had begun while the account was taken over. */
function withoutUnproved({ emails }: UserRecord): Partial<UserRecord> {
  const proved = emails.filter(({ verified }) => verified);
  return proved.length < emails.length ? { emails: proved } : {};
}
