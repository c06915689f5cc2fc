/**
 * What a database has to do for us. Types only; adapters implement them, `core` calls them.
 *
 * Every method keeps these promises:
 *
 * - The change of one record is atomic, and so are `users.create` and `users.createAll` as a whole. What else acts on
 *   many records may have done a part of them when it throws, and can be called again.
 * - What it has acknowledged is seen by every later call of every process.
 * - It takes and gives plain data: strings, finite numbers, booleans, null, arrays and objects of them. Times are
 *   milliseconds since 1970-01-01 UTC; what a time has beyond whole milliseconds may be lost.
 * - Whoever changes a record that it gave, or that it was given, changes nothing that is stored.
 * - A value of another type than declared (an object where a string belongs) is refused with a TypeError and reaches
 *   no query. `checkedDatabase` does that for an adapter.
 * - It throws, whatever error, when the store cannot be reached: nobody is logged in by a failing store.
 *
 * Stores compose: `{ ...sqliteDatabase(path), sessions: otherSessions }`. For that the properties of a database are
 * its own, and `invalidateAllSessions` and `close` are functions that act on the stores of `this`. The methods of a
 * store may be those of a class.
 */
export interface AccountsDatabase {
  readonly users: UserStore;
  readonly identities: IdentityStore;
  readonly sessions: SessionStore;
  readonly oneTimeTokens: OneTimeTokenStore;
  /**
   * What guesses are counted in. The sessions' own `counters` go before it; without either, each process counts for
   * itself.
   */
  readonly counters?: CounterStore | undefined;
  /** Ends every session of a user but the named ones, in this database's `sessions`. */
  invalidateAllSessions(userId: string, exceptSessionIds?: readonly string[]): Promise<void>;
  /** Opens what has to be opened and asks it; throws when it does not answer, or is not ready to be used. */
  ping?(): Promise<void>;
  /**
   * Makes the tables or collections with their indexes, or brings those of an older version up to date. Safe to run
   * twice, and twice at once. A database of a newer version, and one that was changed by hand, are refused and left
   * as they are.
   */
  migrate?(): Promise<void>;
  /** Closes every store of this database. */
  close?(): Promise<void>;
}

interface Closable {
  /** Gives back what the adapter itself has opened; the second time there is nothing left to do. */
  close?(): Promise<void>;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface EmailAddress {
  /** As written by its owner: mails go there. */
  address: string;
  /** What it is compared by. */
  canonical: string;
  verified: boolean;
  /** Whether it is the user's own: since sign-up, or confirmed. Otherwise it is listed and reserves nothing. */
  claimed: boolean;
}

export interface UserRecord {
  id: string;
  /** Counts the changes of the record; `update` compares it. Starts at 1. */
  version: number;
  /** As written by its owner. */
  username: string | null;
  emails: EmailAddress[];
  deactivated: boolean;
  profile: { [key: string]: Json };
  createdAt: number;
  updatedAt: number;
}

/** What proves to be somebody: unique by `(service, subject)`. */
export interface IdentityRecord {
  service: string;
  subject: string;
  userId: string;
  /** Counts the changes of the record; `update` and `remove` compare it. Any whole number from 1 to begin with. */
  version: number;
  data: { [key: string]: Json };
  createdAt: number;
}

export interface SessionRecord {
  id: string;
  userId: string;
  /** Counts the changes of the record; `update` compares it. Starts at 1. */
  version: number;
  /** The number that the good refresh token has. Starts at 1. */
  rotation: number;
  rotatedAt: number;
  createdAt: number;
  /** Ends here unless refreshed before. */
  idleExpiresAt: number;
  /** Ends here whatever happens. */
  expiresAt: number;
  revokedAt: number | null;
  /** When the user last proved who it is: at login, or since. */
  authenticatedAt: number;
  /** How, by the names of RFC 8176 where it has one. */
  amr: string[];
  /** The session of the administrator who impersonates, with that user's id. */
  actorSessionId: string | null;
  actorUserId: string | null;
  ip: string | null;
  userAgent: string | null;
}

export interface SessionWithUser {
  session: SessionRecord;
  user: UserRecord | null;
}

export interface OneTimeTokenRecord {
  /** What the token is for, as one string: a newer token with the same key replaces the older one. */
  key: string;
  /** SHA-256 of the token, never the token. Unique. */
  hash: string;
  purpose: string;
  userId: string;
  data: { [key: string]: Json };
  createdAt: number;
  expiresAt: number;
}

/** Points, whole ones, that were spent under a key, until the counter ends by itself. */
export interface CounterRecord {
  key: string;
  points: number;
  expiresAt: number;
}

/** A user with what proves to be that user. */
export interface NewUser {
  user: UserRecord;
  identities: readonly IdentityRecord[];
}

/** Which identity stood in the way. */
export interface Conflict {
  service: string;
  subject: string;
}

export interface UserStore extends Closable {
  /**
   * Stores a user with its identities, wholly or not at all. Null when done; otherwise nothing is stored, and it
   * returns the first identity that is somebody's already, or `{ service: 'id', subject: user.id }` when the id is.
   */
  create(user: UserRecord, identities: readonly IdentityRecord[]): Promise<Conflict | null>;
  /**
   * Stores all of these users with their identities, or none and answers false: an id or an identity of theirs is
   * somebody's already. For bringing many over; a store that offers it is faster with it than with `create`.
   */
  createAll?(users: readonly NewUser[]): Promise<boolean>;
  /** The users of these ids, in this order, null for each that is not there. */
  findMany(ids: readonly string[]): Promise<(UserRecord | null)[]>;
  /** Replaces the record of `user.id` if its version is `user.version`, and raises the version by one. */
  update(user: UserRecord): Promise<boolean>;
}

export interface IdentityStore extends Closable {
  find(service: string, subject: string): Promise<IdentityRecord | null>;
  /** Every identity of the user, in no particular order. */
  findByUser(userId: string): Promise<IdentityRecord[]>;
  /** False when `(service, subject)` is somebody's already. */
  insert(identity: IdentityRecord): Promise<boolean>;
  /** Replaces `userId` and `data` if the version is `identity.version`, and raises the version by one. */
  update(identity: IdentityRecord): Promise<boolean>;
  /** Removes it if it has that version. */
  remove(service: string, subject: string, version: number): Promise<boolean>;
}

export interface SessionStore extends Closable {
  /** `id` is new; a second session with a known id is an error. */
  create(session: SessionRecord): Promise<void>;
  findMany(ids: readonly string[]): Promise<(SessionRecord | null)[]>;
  /** The same with their users, in one query. Called only while `joinedWith` is the `users` of the database in use. */
  findWithUsers?(ids: readonly string[]): Promise<(SessionWithUser | null)[]>;
  readonly joinedWith?: UserStore | undefined;
  /** The neighbour in which guesses are counted, where sessions are kept apart from users. */
  readonly counters?: CounterStore | undefined;
  /**
   * Replaces the record of `session.id` if its version is `session.version` and it is not revoked, and raises the
   * version by one. User, actor and `createdAt` stay what they were, and `revokedAt` null.
   */
  update(session: SessionRecord): Promise<boolean>;
  /** Sets `revokedAt` where it is null. True when this call did it. */
  revoke(id: string, now: number): Promise<boolean>;
  /** Revokes every session of the user but these. */
  revokeAll(userId: string, now: number, exceptSessionIds: readonly string[]): Promise<void>;
  /** Every session of the user that is not revoked, newest first. */
  findByUser(userId: string): Promise<SessionRecord[]>;
  /**
   * Removes those whose `expiresAt` or `idleExpiresAt` lies before `now`; how many. A store whose records end by
   * themselves, by the clock of its own, may leave it to that.
   */
  removeExpired(now: number): Promise<number>;
}

export interface OneTimeTokenStore extends Closable {
  /** Stores it in place of the one with the same key, if there is one. */
  put(token: OneTimeTokenRecord): Promise<void>;
  find(hash: string): Promise<OneTimeTokenRecord | null>;
  /** Removes and gives it, to one caller only; null to every other. */
  consume(hash: string, purpose: string): Promise<OneTimeTokenRecord | null>;
  /** Removes the one with that key, if there is one. */
  remove(key: string): Promise<void>;
  /** Removes those of a user, of one purpose or of all. */
  removeByUser(userId: string, purpose?: string): Promise<void>;
  /** Removes what has expired before `now`; how many. */
  removeExpired(now: number): Promise<number>;
}

export interface CounterStore extends Closable {
  /**
   * Adds the points, which may be negative, to the counter of that key if it has not ended by `now`; its end stays.
   * Otherwise begins it anew with these points and this end. Gives what it is then. A hundred calls at once give a
   * hundred different sums, also when they come to begin it.
   */
  add(counter: CounterRecord, now: number): Promise<CounterRecord>;
  /** Sets the counter, whatever it was. One that has ended already need not be kept. */
  put(counter: CounterRecord): Promise<void>;
  /** Also one that has ended and was not removed yet. */
  find(key: string): Promise<CounterRecord | null>;
  remove(key: string): Promise<void>;
  /**
   * Removes those that ended before `now`; how many. A store whose records end by themselves, by the clock of its own,
   * may leave it to that.
   */
  removeExpired(now: number): Promise<number>;
}
