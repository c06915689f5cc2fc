import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { hashOf, isSameHash } from '../../core/hash.ts';
import type { Limits } from '../../core/limits/limits.ts';
import { ENTRY_PURPOSES } from '../../core/mailed-entry.ts';
import type { OneTimeTokens } from '../../core/one-time-tokens.ts';
import type { ServiceContext } from '../../core/service.ts';
import type { Clock } from '../../core/time.ts';
import type { OneTimeTokenRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ResolvedCodeOptions } from './options.ts';

/** To whom a code belongs: to one user, for one address. */
export interface CodeOwner {
  userId: string;
  canonical: string;
}

const PURPOSE = ENTRY_PURPOSES.loginCode;
const TRIES = 5;
const DIGITS = 6;

/**
 * The codes that are good now, one for each address. Six digits are too few for a plain hash: whoever reads the store
 * would have them all at once. So a code is found by whose it is, and kept as an HMAC under a key that is not in the
 * store, with a salt that makes it a code of its own, whose tries are counted (S13).
 */
export class LoginCodes {
  readonly #oneTimeTokens: OneTimeTokens;
  readonly #limits: Limits;
  readonly #now: Clock;
  readonly #keys: readonly Buffer[];
  readonly #lifetime: number;

  constructor(
    { oneTimeTokens, limits, now, secretKeys }: ServiceContext,
    { expiration }: ResolvedCodeOptions,
  ) {
    this.#oneTimeTokens = oneTimeTokens;
    this.#limits = limits;
    this.#now = now;
    this.#keys = secretKeys('login code');
    this.#lifetime = expiration;
  }

  /** A new code; it voids the older one. */
  async create(owner: CodeOwner, generation: number): Promise<string> {
    const code = randomInt(10 ** DIGITS)
      .toString()
      .padStart(DIGITS, '0');
    const salt = randomBytes(16).toString('base64url');
    const [hmac = ''] = this.#hmacs(owner, salt, code);
    await this.#oneTimeTokens.create({
      purpose: PURPOSE,
      userId: owner.userId,
      boundTo: owner.canonical,
      lifetime: this.#lifetime,
      data: { salt, hmac, generation },
      token: locatorOf(owner),
    });
    return code;
  }

  /**
   * Uses a code up, once, and gives the generation of the password that its user had when it was mailed. Throws
   * INVALID_CODE, after the same work whether there is a code or not.
   */
  async consume(owner: CodeOwner, typed: string): Promise<number> {
    const found = await this.#find(owner);
    const salt = textIn(found, 'salt') ?? '';
    const life = found ? found.expiresAt - this.#now() : this.#lifetime;
    const mayTry = await this.#limits.try(`code ${salt} ${locatorOf(owner)}`, TRIES, life);
    const kept = textIn(found, 'hmac') ?? '';
    const matches = this.#hmacs(owner, salt, typed).map((hmac) => isSameHash(hmac, kept));
    if (!mayTry || !matches.includes(true)) throw new AccountsError('INVALID_CODE');
    // Counted as well as removed: a store that finds and removes in two steps could remove the next code of this owner,
    // and would let in two who typed this one.
    const isFirst = await this.#limits.try(`code used ${salt} ${locatorOf(owner)}`, 1, life);
    if (!isFirst) throw new AccountsError('INVALID_CODE');
    const used = await this.#oneTimeTokens.consume(locatorOf(owner), PURPOSE).catch(refuse);
    // Another one was mailed in this moment: what was typed is the older one.
    if (used.data.salt !== salt) throw new AccountsError('INVALID_CODE');
    return Number(used.data.generation);
  }

  async #find(owner: CodeOwner): Promise<OneTimeTokenRecord | null> {
    try {
      return await this.#oneTimeTokens.find(locatorOf(owner), [PURPOSE]);
    } catch (error) {
      if (error instanceof AccountsError && error.code === 'INVALID_TOKEN') return null;
      throw error;
    }
  }

  /** Under each key; the first is the one that codes are made under. */
  #hmacs({ userId, canonical }: CodeOwner, salt: string, code: string): string[] {
    const text = JSON.stringify([userId, canonical, salt, code]);
    return this.#keys.map((key) => createHmac('sha256', key).update(text).digest('base64url'));
  }
}

/** Finds the code of an owner. No secret: it opens nothing without the code. */
function locatorOf({ userId, canonical }: CodeOwner): string {
  return hashOf(JSON.stringify([PURPOSE, userId, canonical]));
}

function textIn(record: OneTimeTokenRecord | null, field: string): string | null {
  const value = record?.data[field];
  return typeof value === 'string' ? value : null;
}

function refuse(error: unknown): never {
  if (error instanceof AccountsError && error.code === 'INVALID_TOKEN')
    throw new AccountsError('INVALID_CODE');
  throw error;
}
