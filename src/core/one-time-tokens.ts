import { randomBytes } from 'node:crypto';
import type { OneTimeTokenRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { hashOf } from './hash.ts';
import { parseString } from './input.ts';
import type { Store } from './store.ts';
import type { Clock } from './time.ts';

interface OneTimeTokenRequest {
  purpose: string;
  userId: string;
  /** What the token is bound to besides, such as an address; a newer token for the same replaces the older one. */
  boundTo: string;
  /** Milliseconds. */
  lifetime: number;
  data?: OneTimeTokenRecord['data'];
  /** Under which it is found again, where that is no secret and another one is in `data`. Random by default. */
  token?: string;
}

/**
 * What is good once, and not for long: the links of mails, challenges, states. 256 random bits, of which the store holds
 * the hash only (S13, S28).
 */
export class OneTimeTokens {
  readonly #store: Store;
  readonly #now: Clock;

  constructor(store: Store, now: Clock) {
    this.#store = store;
    this.#now = now;
  }

  /** The token. One per user, purpose and binding: their number is capped, and the newest alone is good (S29). */
  async create({
    purpose,
    userId,
    boundTo,
    lifetime,
    data = {},
    ...given
  }: OneTimeTokenRequest): Promise<string> {
    const token = given.token ?? randomBytes(32).toString('base64url');
    const createdAt = this.#now();
    const key = keyOf(purpose, userId, boundTo);
    const expiresAt = createdAt + lifetime;
    await this.#store.oneTimeTokens.put({
      key,
      hash: hashOf(token),
      purpose,
      userId,
      data,
      createdAt,
      expiresAt,
    });
    return token;
  }

  /** What a token stands for, without using it up. Throws INVALID_TOKEN for another purpose, or past its life. */
  async find(token: unknown, purposes: readonly string[]): Promise<OneTimeTokenRecord> {
    return this.#valid(await this.#store.oneTimeTokens.find(hashOf(parseToken(token))), purposes);
  }

  /** As `find`, and only the first caller gets it. */
  async consume(token: unknown, purpose: string): Promise<OneTimeTokenRecord> {
    return this.#valid(await this.#store.oneTimeTokens.consume(hashOf(parseToken(token)), purpose), [
      purpose,
    ]);
  }

  /** Voids the token that was made for the same. */
  void(purpose: string, userId: string, boundTo: string): Promise<void> {
    return this.#store.oneTimeTokens.remove(keyOf(purpose, userId, boundTo));
  }

  voidAll(userId: string, purpose?: string): Promise<void> {
    return this.#store.oneTimeTokens.removeByUser(userId, purpose);
  }

  #valid(record: OneTimeTokenRecord | null, purposes: readonly string[]): OneTimeTokenRecord {
    if (record && purposes.includes(record.purpose) && record.expiresAt > this.#now()) return record;
    throw new AccountsError('INVALID_TOKEN');
  }
}

function keyOf(purpose: string, userId: string, boundTo: string): string {
  return JSON.stringify([purpose, userId, boundTo]);
}

function parseToken(token: unknown): string {
  return parseString(token, 'INVALID_TOKEN', 512);
}
