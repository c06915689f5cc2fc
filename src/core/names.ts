import type { IdentityRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { parseUsername } from './canonical.ts';
import type { Store } from './store.ts';
import { type Clock, SECOND } from './time.ts';
import { NOBODY } from './user.ts';

/** The services of identities whose subject is a name: a canonical e-mail address, or a canonical username. */
export type NameService = 'email' | 'username';

/** What becomes of the newest record; may throw. */
export type UserChange = (user: UserRecord) => Partial<UserRecord>;

/** Urgent work is not refused for what others let wait. */
export type Priority = 'normal' | 'urgent';

export interface Adoption {
  change: UserChange;
  /** What becomes of the record when the name was lost in the last moment. */
  undo: UserChange;
  /** Asked in the user's turn; may reject. */
  before?: (() => Promise<unknown>) | undefined;
  priority?: Priority;
}

/** What is needed of the users' records. */
interface UserRecords {
  find(id: string): Promise<UserRecord | null>;
  /** Runs work on a user when every piece of work on the same user that came before is done. */
  inTurn<T>(id: string, work: () => Promise<T>, priority?: Priority): Promise<T>;
  /** Changes the record; to be called in the user's turn. */
  change(id: string, change: UserChange): Promise<UserRecord>;
}

/**
 * Somebody who claims a name gets this long to finish, more than one call of the store may take; afterwards what was
 * left behind counts as free.
 */
const CLAIM_TIME = 8 * SECOND;
export const MAX_TRIES = 20;

/**
 * Who has which address and which username. A name is claimed by an identity, which one user can have, and counts
 * only while that user's record lists it: the record is what commits a change.
 */
export class Names {
  readonly #store: Store;
  readonly #users: UserRecords;
  readonly #now: Clock;

  constructor(store: Store, users: UserRecords, now: Clock) {
    this.#store = store;
    this.#users = users;
    this.#now = now;
  }

  /** The user whose name it is. Looks as much up for a free name as for one that is taken (S8). */
  async findHolder(service: NameService, canonical: string): Promise<UserRecord | null> {
    const identity = await this.#store.identities.find(service, canonical);
    const user = await this.#users.find(identity?.userId ?? NOBODY);
    return user && lists(user, service, canonical) ? user : null;
  }

  /**
   * Makes a name a user's own and lists it in the user's record. Null when somebody else has the name, also when
   * somebody took it over because this call was too slow: then the record is put right again.
   */
  adopt(
    service: NameService,
    canonical: string,
    userId: string,
    adoption: Adoption,
  ): Promise<UserRecord | null> {
    const work = () => this.#adopt(service, canonical, userId, adoption);
    return this.#users.inTurn(userId, work, adoption.priority);
  }

  async #adopt(
    service: NameService,
    canonical: string,
    userId: string,
    { change, undo, before }: Adoption,
  ): Promise<UserRecord | null> {
    await before?.();
    const claims = await this.#claimsOf(service, userId);
    if (!(await this.claim(service, canonical, userId))) return null;
    try {
      const user = await this.#users.change(userId, change);
      if (await this.#keep(service, canonical, userId)) {
        await this.#free(claims, user);
        return user;
      }
    } catch (error) {
      // Not when the store has failed: the record may list the name all the same. If this fails, the claim counts as
      // left behind.
      const isRefused = error instanceof AccountsError && !error.retryable;
      if (isRefused) await this.#freeUnlisted(service, canonical, userId).catch(() => undefined);
      throw error;
    }
    await this.#users.change(userId, undo);
    return null;
  }

  /** Takes names off a user's record and gives them free. */
  giveUp(
    service: NameService,
    userId: string,
    { change, before }: Pick<Adoption, 'change' | 'before'>,
  ): Promise<UserRecord> {
    return this.#users.inTurn(userId, async () => {
      await before?.();
      const claims = await this.#claimsOf(service, userId);
      const user = await this.#users.change(userId, change);
      await this.#free(claims, user);
      return user;
    });
  }

  /** Claims a name that the user's record does not list yet. False when somebody else has it. */
  async claim(service: NameService, canonical: string, userId: string): Promise<boolean> {
    const { identities } = this.#store;
    const identity = { service, subject: canonical, userId, version: 1, data: {}, createdAt: this.#now() };
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (await identities.insert(identity)) return true;
      const claimed = await identities.find(service, canonical);
      if (claimed?.userId === userId) return true;
      if (claimed && !(await this.release(service, canonical))) return false;
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /**
   * Frees a name that nobody lists, which a process has left behind that was killed between two steps: otherwise an
   * address would stay taken for ever. False when somebody really has it.
   */
  async release(service: NameService, canonical: string): Promise<boolean> {
    const identity = await this.#store.identities.find(service, canonical);
    if (!identity) return true;
    const holder = await this.#users.find(identity.userId);
    if (holder && lists(holder, service, canonical)) return false;
    if (identity.createdAt + CLAIM_TIME > this.#now()) return false;
    await this.#store.identities.remove(service, canonical, identity.version);
    return true;
  }

  /** By what the user has the names that the record lists now; to be read before it stops listing one. */
  async #claimsOf(service: NameService, userId: string): Promise<IdentityRecord[]> {
    const user = await this.#users.find(userId);
    const found = await Promise.all(
      namesOf(user, service).map((canonical) => this.#store.identities.find(service, canonical)),
    );
    return found.flatMap((identity) => (identity?.userId === userId ? [identity] : []));
  }

  /**
   * Gives free what the record does not list any more. Only in the version that was read before: the user may have
   * adopted the name again meanwhile, and to remove that would leave a name to two users.
   */
  async #free(claims: readonly IdentityRecord[], user: UserRecord): Promise<void> {
    for (const { service, subject, version } of claims) {
      if (!lists(user, service as NameService, subject)) {
        await this.#store.identities.remove(service, subject, version);
      }
    }
  }

  /** A claim whose change was refused would go on as a name that was never confirmed. */
  async #freeUnlisted(service: NameService, canonical: string, userId: string): Promise<void> {
    const claim = await this.#store.identities.find(service, canonical);
    const user = await this.#users.find(userId);
    if (user && claim?.userId === userId) await this.#free([claim], user);
  }

  /**
   * Whether the name is still the user's. The identity gets a new version: whoever has read the old one while nobody
   * listed the name, and is about to remove it, does not succeed any more. Another process may do the same for the
   * same user at the same time, or may just have freed it: then it is looked at, or claimed, again.
   */
  async #keep(service: NameService, canonical: string, userId: string): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const identity = await this.#store.identities.find(service, canonical);
      if (!identity) await this.claim(service, canonical, userId);
      else if (identity.userId !== userId) return false;
      else if (await this.#store.identities.update(identity)) return true;
    }
    return false;
  }
}

/**
 * The names that a record lists as its user's own. An address that was neither there at sign-up nor confirmed is not
 * among them, whatever claim stands for it.
 */
function namesOf(user: UserRecord | null, service: NameService): string[] {
  if (!user) return [];
  if (service === 'email')
    return user.emails.flatMap(({ canonical, claimed }) => (claimed ? [canonical] : []));
  return user.username === null ? [] : [parseUsername(user.username).canonical];
}

function lists(user: UserRecord, service: NameService, canonical: string): boolean {
  return namesOf(user, service).includes(canonical);
}
