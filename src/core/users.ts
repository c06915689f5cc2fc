import { randomUUID } from 'node:crypto';
import type { EmailAddress, IdentityRecord, Json, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { batched } from './batch.ts';
import { parseEmail, parseUsername } from './canonical.ts';
import type { Store } from './store.ts';
import { type Clock, SECOND } from './time.ts';

/** A user as applications see one. Applications keep data of their own in `profile` or in their own tables, by `id`. */
export interface User {
  id: string;
  username: string | null;
  emails: { address: string; verified: boolean }[];
  deactivated: boolean;
  profile: { [key: string]: Json };
  createdAt: Date;
  updatedAt: Date;
}

export function toUser(record: UserRecord): User {
  return {
    id: record.id,
    username: record.username,
    emails: record.emails.map(({ address, verified }) => ({ address, verified })),
    deactivated: record.deactivated,
    // A copy: look-ups are shared, and what one request writes into its user is not for another.
    profile: structuredClone(record.profile),
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
  };
}

/** How an identity is compared, and what its owner must list for it to count. */
export type NameService = 'email' | 'username';

/** Names one user in one of three ways. */
export type UserReference = { id: string } | { email: string } | { username: string };

export interface NewUser {
  username: { username: string; canonical: string } | null;
  emails: EmailAddress[];
  profile: { [key: string]: Json };
  /** What else belongs to the user from the first moment, by service; the subject is the user's id. */
  credentials: { [service: string]: { [key: string]: Json } };
}

/** What becomes of the newest record; may throw. */
export type UserChange = (user: UserRecord) => Partial<UserRecord>;

/** Somebody who claims a name gets this long to finish; afterwards what was left behind counts as free. */
const CLAIM_TIME = 5 * SECOND;
const MAX_TRIES = 20;

/** The users of the store and what names them. */
export class Users {
  readonly #store: Store;
  readonly #now: Clock;
  readonly #find: (id: string) => Promise<UserRecord | null>;

  constructor(store: Store, now: Clock) {
    this.#store = store;
    this.#find = batched((ids) => store.users.findMany(ids));
    this.#now = now;
  }

  /** Look-ups of one turn of the event loop are one query. */
  find(id: string): Promise<UserRecord | null> {
    return this.#find(id);
  }

  async findByReference(reference: UserReference): Promise<UserRecord | null> {
    if ('id' in reference) return this.find(reference.id);
    if ('email' in reference)
      return this.findByName(
        'email',
        canonicalOrNull(() => parseEmail(reference.email)),
      );
    return this.findByName(
      'username',
      canonicalOrNull(() => parseUsername(reference.username)),
    );
  }

  /** The user who holds a canonical address or username. */
  async findByName(service: NameService, canonical: string | null): Promise<UserRecord | null> {
    const identity = canonical === null ? null : await this.#store.identities.find(service, canonical);
    const user = identity && (await this.find(identity.userId));
    return user && lists(user, service, identity.subject) ? user : null;
  }

  findIdentity(service: string, subject: string): Promise<IdentityRecord | null> {
    return this.#store.identities.find(service, subject);
  }

  insertIdentity(
    service: string,
    subject: string,
    userId: string,
    data: IdentityRecord['data'],
  ): Promise<boolean> {
    return this.#store.identities.insert({
      service,
      subject,
      userId,
      version: 1,
      data,
      createdAt: this.#now(),
    });
  }

  /** False when somebody else changed it since it was read. */
  updateIdentity(identity: IdentityRecord, data: IdentityRecord['data']): Promise<boolean> {
    return this.#store.identities.update({ ...identity, data });
  }

  /** The new user, or the name that is taken. */
  async create(input: NewUser): Promise<UserRecord | { taken: NameService }> {
    const now = this.#now();
    const { username, emails, profile } = input;
    const id = randomUUID();
    const user: UserRecord = {
      ...{ id, version: 1, username: username?.username ?? null, emails, deactivated: false },
      ...{ profile, createdAt: now, updatedAt: now },
    };
    const identity = (
      service: string,
      subject: string,
      data: IdentityRecord['data'] = {},
    ): IdentityRecord => ({
      ...{ service, subject, userId: id, version: 1, data, createdAt: now },
    });
    const identities = [
      // The username first: it is public, so that a taken one is told whatever the address is.
      ...(username ? [identity('username', username.canonical)] : []),
      ...emails.map(({ canonical }) => identity('email', canonical)),
      ...Object.entries(input.credentials).map(([service, data]) => identity(service, id, data)),
    ];
    // Asked before it is tried: a sign-up that is refused has then looked up as much as one that is made (S8).
    for (const { service, subject } of identities) {
      if ((service === 'email' || service === 'username') && (await this.#isHeld(service, subject)))
        return { taken: service };
    }
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const conflict = await this.#store.users.create(user, identities);
      if (!conflict) return user;
      const service = conflict.service as NameService;
      if (!(await this.#release(service, conflict.subject))) return { taken: service };
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** Changes a user under compare-and-set; `change` sees the newest record each time and may throw. */
  async update(id: string, change: UserChange): Promise<UserRecord> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const user = await this.find(id);
      if (!user) throw new AccountsError('USER_NOT_FOUND');
      const changed = { ...user, ...change(user), updatedAt: this.#now() };
      if (await this.#store.users.update(changed)) return { ...changed, version: user.version + 1 };
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** Makes a name a user's own. False when somebody else has it. */
  async claim(service: NameService, canonical: string, userId: string): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (await this.insertIdentity(service, canonical, userId, {})) return true;
      const holder = await this.#store.identities.find(service, canonical);
      if (holder?.userId === userId) return true;
      if (holder && !(await this.#release(service, canonical))) return false;
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /**
   * Makes a name a user's own and says so in the user's record. Null when somebody else has the name, also when
   * somebody took it over because this call was too slow: then the record is put right again.
   */
  async adopt(
    service: NameService,
    canonical: string,
    userId: string,
    { change, undo }: { change: UserChange; undo: UserChange },
  ): Promise<UserRecord | null> {
    if (!(await this.claim(service, canonical, userId))) return null;
    const user = await this.update(userId, change);
    if (await this.#keep(service, canonical, userId)) return user;
    await this.update(userId, undo);
    return null;
  }

  /**
   * Whether the name is still the user's. A new version of the identity, so that whoever saw it while nobody listed
   * it, and is about to take it over, does not succeed after we have looked.
   */
  async #keep(service: NameService, canonical: string, userId: string): Promise<boolean> {
    const identity = await this.#store.identities.find(service, canonical);
    return identity?.userId === userId && this.#store.identities.update(identity);
  }

  /** Gives a name up that its user does not list any more. */
  async unclaim(service: NameService, canonical: string, userId: string): Promise<void> {
    const identity = await this.#store.identities.find(service, canonical);
    if (identity?.userId === userId)
      await this.#store.identities.remove(service, canonical, identity.version);
  }

  async #isHeld(service: NameService, subject: string): Promise<boolean> {
    const identity = await this.#store.identities.find(service, subject);
    const holder = await this.find(identity?.userId ?? 'nobody');
    return holder !== null && lists(holder, service, subject);
  }

  /**
   * Frees a name that nobody lists: what a process left behind that was killed between two steps. Otherwise an
   * address would stay taken for ever. False when somebody really has it.
   */
  async #release(service: NameService, subject: string): Promise<boolean> {
    const identity = await this.#store.identities.find(service, subject);
    if (!identity) return true;
    const holder = await this.find(identity.userId);
    if (holder && lists(holder, service, subject)) return false;
    if (identity.createdAt + CLAIM_TIME > this.#now()) return false;
    await this.#store.identities.remove(service, subject, identity.version);
    return true;
  }
}

/** An address or username counts only while its user lists it: the user's record is what commits a change. */
function lists(user: UserRecord, service: NameService, canonical: string): boolean {
  if (service === 'email') return user.emails.some((email) => email.canonical === canonical);
  return user.username !== null && parseUsername(user.username).canonical === canonical;
}

function canonicalOrNull(parse: () => { canonical: string }): string | null {
  try {
    return parse().canonical;
  } catch {
    return null;
  }
}
