import { generationOf, PASSWORD_SERVICE } from '../../core/password-identity.ts';
import type { Report } from '../../core/report.ts';
import type { Clock } from '../../core/time.ts';
import type { Users } from '../../core/users.ts';
import type { IdentityRecord } from '../../database/ports.ts';
import type { PasswordHash, PasswordHasher } from './hasher.ts';

/** A user's password as it is kept: one identity, whose subject is the user's id. */
export interface Credential {
  record: IdentityRecord | null;
  /** Names one of the passwords that the user has had; a re-hash is the same password. 0 without a password. */
  generation: number;
}

/** Reads, checks and replaces stored passwords. */
export class Credentials {
  readonly #users: Users;
  readonly #hasher: PasswordHasher;
  readonly #now: Clock;
  readonly #report: Report;

  constructor(users: Users, hasher: PasswordHasher, now: Clock, report: Report) {
    this.#users = users;
    this.#hasher = hasher;
    this.#now = now;
    this.#report = report;
  }

  /** What a new user is created with. */
  initial(hash: PasswordHash): { [service: string]: IdentityRecord['data'] } {
    return { [PASSWORD_SERVICE]: this.#data(hash, 1) };
  }

  async find(userId: string): Promise<Credential> {
    const record = await this.#users.findIdentity(PASSWORD_SERVICE, userId);
    return { record, generation: generationOf(record) };
  }

  /** Whether the user's password is still that of a generation: not since another one was set. */
  async isCurrent(userId: string, generation: number): Promise<boolean> {
    return (await this.find(userId)).generation === generation;
  }

  /** Whether it is the user's password. Costs the same when there is none (S8). */
  async verify(password: string, { record }: Credential): Promise<boolean> {
    if (record) return this.#hasher.verify(password, record.data);
    await this.#hasher.verifyNothing(password);
    return false;
  }

  /** Brings an old hash up to date, once the password was right. Its failure is nobody's concern but ours (S2). */
  async renew(password: string, { record, generation }: Credential): Promise<void> {
    if (!record || !this.#hasher.needsRehash(record.data)) return;
    try {
      await this.#users.updateIdentity(record, this.#data(await this.#hasher.hash(password), generation));
    } catch (error) {
      this.#report(error, 'a re-hash');
    }
  }

  /**
   * Puts a new password in the place of the one that the caller has read; its generation. Null when somebody else did
   * so first: of 16 that use one reset link, one succeeds. This single write is what commits a reset or a change.
   */
  async replace(userId: string, { generation }: Credential, hash: PasswordHash): Promise<number | null> {
    // A password that was taken away, with its account, has left no number: the first one after it must not be taken
    // for it by a login that was under way.
    const next = generation === 0 ? this.#now() : generation + 1;
    const data = this.#data(hash, next);
    for (;;) {
      const current = await this.find(userId);
      if (current.generation !== generation) return null;
      const replaced = current.record
        ? await this.#users.updateIdentity(current.record, data)
        : await this.#users.insertIdentity(PASSWORD_SERVICE, userId, userId, data);
      // Not replaced, though the generation is the same: a login has just renewed the hash. Look again.
      if (replaced) return next;
    }
  }

  #data(hash: PasswordHash, generation: number): IdentityRecord['data'] {
    return { ...hash, generation, changedAt: this.#now() };
  }
}
