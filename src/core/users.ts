import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmailAddress, IdentityRecord, Json, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { batched } from './batch.ts';
import { parseEmail, parseUsername } from './canonical.ts';
import { MAX_TRIES, type NameService, Names, type Priority, type UserChange } from './names.ts';
import type { Store } from './store.ts';
import { type Clock, SECOND } from './time.ts';

/** Names one user in one of three ways. */
export type UserReference = { id: string } | { email: string } | { username: string };

/** Milliseconds between two attempts to change a user. */
const MAX_PAUSE = 100;
/** Pieces of work on one user that wait at the most. */
const MAX_WAITING = 128;
/** Milliseconds after which whoever asked has been answered already. */
const MAX_WAIT = 10 * SECOND;

interface NewUser {
  username: { username: string; canonical: string } | null;
  emails: EmailAddress[];
  profile: { [key: string]: Json };
  /** What else belongs to the user from the first moment, by service; the subject is the user's id. */
  credentials: { [service: string]: { [key: string]: Json } };
}

/** An account elsewhere, which proves to be the user. */
type LinkedAccount = Pick<IdentityRecord, 'service' | 'subject' | 'data'>;

/** Who waits for a turn. Each gets a function that passes the turn on. */
type Line = { [P in Priority]: ((passOn: () => void) => void)[] };

/** The users of the store and what proves to be one of them. */
export class Users {
  readonly names: Names;
  readonly #store: Store;
  readonly #now: Clock;
  readonly #find: (id: string) => Promise<UserRecord | null>;
  /** By user, as long as there is work on one. */
  readonly #lines = new Map<string, Line>();

  constructor(store: Store, now: Clock) {
    this.names = new Names(store, this, now);
    this.#store = store;
    this.#find = batched((ids) => store.users.findMany(ids));
    this.#now = now;
  }

  /** Look-ups that come together are one query. */
  find(id: string): Promise<UserRecord | null> {
    return this.#find(id);
  }

  /** Throws USER_NOT_FOUND. A deactivated user is found. */
  async require(id: string): Promise<UserRecord> {
    const user = await this.find(id);
    if (!user) throw new AccountsError('USER_NOT_FOUND');
    return user;
  }

  /** Throws USER_NOT_FOUND, also for a deactivated user. */
  async requireActive(id: string): Promise<UserRecord> {
    const user = await this.require(id);
    if (user.deactivated) throw new AccountsError('USER_NOT_FOUND');
    return user;
  }

  async findByReference(reference: UserReference): Promise<UserRecord | null> {
    if ('id' in reference) return this.find(reference.id);
    const service = 'email' in reference ? 'email' : 'username';
    const canonical = canonicalOf(reference);
    return canonical === null ? null : this.names.findHolder(service, canonical);
  }

  /** One text for all spellings of a name, also of one that nobody has. */
  nameOf(reference: UserReference): string {
    const [kind, name] = Object.entries(reference)[0] ?? [];
    const canonical = 'id' in reference ? reference.id : canonicalOf(reference);
    return `${kind} ${canonical ?? name}`;
  }

  findIdentity(service: string, subject: string): Promise<IdentityRecord | null> {
    return this.#store.identities.find(service, subject);
  }

  findIdentities(userId: string): Promise<IdentityRecord[]> {
    return this.#store.identities.findByUser(userId);
  }

  insertIdentity(
    service: string,
    subject: string,
    userId: string,
    data: IdentityRecord['data'],
  ): Promise<boolean> {
    const identity = newIdentity(service, subject, userId, data, this.#now());
    // A number of its own: a change of an identity that was removed and made anew meanwhile must not fit the new one,
    // which would bring back a secret that its owner has replaced.
    return this.#store.identities.insert({ ...identity, version: randomInt(1, 2 ** 31) });
  }

  /** False when somebody else changed it since it was read. */
  updateIdentity(identity: IdentityRecord, data: IdentityRecord['data']): Promise<boolean> {
    return this.#store.identities.update({ ...identity, data });
  }

  /** Removes it, also when somebody changes it meanwhile. False when it was gone, or somebody else's. */
  async removeIdentity({ service, subject, userId }: IdentityRecord): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const current = await this.#store.identities.find(service, subject);
      if (current?.userId !== userId) return false;
      if (await this.#store.identities.remove(service, subject, current.version)) return true;
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** The new user, or the name that is taken. */
  create(user: NewUser): Promise<UserRecord | { taken: NameService }> {
    return this.#create(user, null) as Promise<UserRecord | { taken: NameService }>;
  }

  /** The same with an account elsewhere, which may be somebody's already. */
  createLinked(
    user: NewUser,
    linked: LinkedAccount,
  ): Promise<UserRecord | { taken: NameService | 'linked' }> {
    return this.#create(user, linked);
  }

  async #create(
    { username, emails, profile, credentials }: NewUser,
    linked: LinkedAccount | null,
  ): Promise<UserRecord | { taken: NameService | 'linked' }> {
    const now = this.#now();
    const user: UserRecord = {
      id: randomUUID(),
      version: 1,
      username: username?.username ?? null,
      emails,
      deactivated: false,
      profile,
      createdAt: now,
      updatedAt: now,
    };
    // The username first: it is public, so that a taken one is told whatever the address is.
    const names: [NameService, string][] = emails.map(({ canonical }) => ['email', canonical]);
    if (username) names.unshift(['username', username.canonical]);
    const identities = [
      ...names.map(([service, canonical]) => newIdentity(service, canonical, user.id, {}, now)),
      ...Object.entries(credentials).map(([service, data]) =>
        newIdentity(service, user.id, user.id, data, now),
      ),
      ...(linked ? [newIdentity(linked.service, linked.subject, user.id, linked.data, now)] : []),
    ];
    // Asked before it is tried: a sign-up that is refused has then looked up as much as one that is made (S8).
    for (const [service, canonical] of names) {
      if (await this.names.findHolder(service, canonical)) return { taken: service };
    }
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const conflict = await this.#store.users.create(user, identities);
      if (!conflict) return user;
      if (conflict.service === linked?.service) return { taken: 'linked' };
      const service = conflict.service as NameService;
      if (!(await this.names.release(service, conflict.subject))) return { taken: service };
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** Changes a user in the user's turn; `change` sees the newest record and may throw. */
  update(id: string, change: UserChange, priority?: Priority): Promise<UserRecord> {
    return this.inTurn(id, () => this.change(id, change), priority);
  }

  /**
   * Runs work on a user when the work on the same user that came before is done, in this process: a flood of changes
   * must not keep another from ever getting its turn. Urgent work, such as a deactivation, goes before what waits.
   * Throws BUSY when too much waits, and SERVICE_UNAVAILABLE when the turn comes too late for anybody to wait for.
   */
  async inTurn<T>(id: string, work: () => Promise<T>, priority: Priority = 'normal'): Promise<T> {
    const line = this.#lines.get(id);
    if (line) await this.#wait(line, priority);
    else this.#lines.set(id, { urgent: [], normal: [] });
    try {
      return await work();
    } finally {
      this.#leave(id);
    }
  }

  async #wait(line: Line, priority: Priority): Promise<void> {
    if (priority === 'normal' && line.normal.length >= MAX_WAITING) throw new AccountsError('BUSY');
    const since = performance.now();
    const { promise, resolve } = Promise.withResolvers<() => void>();
    line[priority].push(resolve);
    const passOn = await promise;
    if (performance.now() - since <= MAX_WAIT) return;
    passOn();
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  #leave(id: string): void {
    const line = this.#lines.get(id);
    const next = line?.urgent.shift() ?? line?.normal.shift();
    if (next) next(() => this.#leave(id));
    else this.#lines.delete(id);
  }

  /** Changes a user under compare-and-set. To be called in the user's turn; others call `update`. */
  async change(id: string, change: UserChange): Promise<UserRecord> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      // Another process was faster. The pause grows, and is never the same in two processes.
      if (attempt > 0) await sleep(Math.random() * Math.min(2 ** attempt, MAX_PAUSE));
      const user = await this.require(id);
      const changes = change(user);
      if (Object.keys(changes).length === 0) return user;
      const changed = { ...user, ...changes, updatedAt: this.#now() };
      if (await this.#store.users.update(changed)) return { ...changed, version: user.version + 1 };
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }
}

function newIdentity(
  service: string,
  subject: string,
  userId: string,
  data: IdentityRecord['data'],
  createdAt: number,
): IdentityRecord {
  return { service, subject, userId, version: 1, data, createdAt };
}

/** Null for what can be nobody's name. */
function canonicalOf(reference: { email: string } | { username: string }): string | null {
  try {
    const { canonical } =
      'email' in reference ? parseEmail(reference.email) : parseUsername(reference.username);
    return canonical;
  } catch {
    return null;
  }
}
