import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Attempt, Authentication } from './authentication.ts';
import type { Connection } from './connection.ts';
import type { Limits } from './limits/limits.ts';
import { networkOf } from './limits/network.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import { generationOf, PASSWORD_SERVICE } from './password-identity.ts';
import { MULTIPLE_FACTORS } from './sessions.ts';
import { type Clock, MINUTE } from './time.ts';
import type { Users } from './users.ts';

/** What the service of a second factor does for the pipeline. */
export interface FactorVerifier {
  /** What users may prove it by, such as `totp` and `recovery`. */
  readonly factors: readonly string[];
  /** Takes the code of a user who has the factor. Throws INVALID_CODE. A guess was spent before. */
  verify(user: UserRecord, code: unknown): Promise<ProvedFactor>;
}

export interface ProvedFactor {
  amr: readonly string[];
  /** Whether the user still has the factor that was proved. */
  stillHolds: () => Promise<boolean>;
}

/** How a first factor was proved, while the second one is outstanding. */
interface FirstFactor {
  user: UserRecord;
  amr: readonly string[];
  connection: Connection;
}

interface SecondFactorsParts {
  users: Users;
  oneTimeTokens: OneTimeTokens;
  limits: Limits;
  now: Clock;
}

const LIFETIME = 5 * MINUTE;
const TRIES = 5;

/** The one-time tokens that stand for a first factor while the second one is outstanding. */
const CHALLENGE_PURPOSE = 'challenge';
/** The identity that says that a user has a second factor; its subject is the user's id. */
export const FACTOR_SERVICE = 'totp';

/**
 * The step for users with a second factor. Who has one gets no session without it, also where the service that would
 * check it is not registered: an unfinished set-up must fail closed.
 */
export class SecondFactors {
  readonly #parts: SecondFactorsParts;
  #verifier: FactorVerifier | null = null;

  constructor(parts: SecondFactorsParts) {
    this.#parts = parts;
  }

  /** Throws a TypeError for a second one: a code would be asked of the wrong service. */
  register(verifier: FactorVerifier): void {
    if (this.#verifier) throw new TypeError('two services check the second factor: register one');
    this.#verifier = verifier;
  }

  async isEnrolled(userId: string): Promise<boolean> {
    return (await this.#parts.users.findIdentity(FACTOR_SERVICE, userId)) !== null;
  }

  /**
   * The proof of a second factor, from the code beside the first one. Null for users who have none. Without a code it
   * throws TWO_FACTOR_REQUIRED with a challenge, with which the code can follow.
   */
  async require(
    { user, amr, connection }: FirstFactor,
    code: unknown,
    attempt: Attempt,
  ): Promise<ProvedFactor | null> {
    if (!(await this.isEnrolled(user.id))) return null;
    // Forms send what was left empty as an empty string.
    if (code === undefined || code === null || code === '')
      throw await this.#challenge({ user, amr, connection }, attempt);
    return this.#verify(user, code, attempt);
  }

  /**
   * The user of a challenge, once its code is right. A challenge takes five tries and is good for nothing else, and each
   * wrong code counts at the account, whichever challenge it was given with (S34).
   */
  async redeem(token: unknown, code: unknown, attempt: Attempt): Promise<Authentication> {
    const { oneTimeTokens, users, limits, now } = this.#parts;
    const challenge = await oneTimeTokens.find(token, [CHALLENGE_PURPOSE]);
    const { session, amr, generation } = challenge.data;
    const user = await users.find(challenge.userId);
    // For the session that asked, or for a new one: a proof for the one is none for the other.
    if (!user || user.deactivated || session !== (attempt.current?.session.id ?? null)) {
      throw new AccountsError('INVALID_TOKEN');
    }
    // A new password voids what was begun before it (S19), also where the removal of the challenge was cut off or comes
    // too late for one that is used up already.
    const firstHolds = async (): Promise<boolean> => (await this.#generationOf(user.id)) === generation;
    if (!(await firstHolds())) throw new AccountsError('INVALID_TOKEN');
    await attempt.guesses.spend({ userId: user.id });
    if (!(await limits.try(challenge.hash, TRIES, challenge.expiresAt - now()))) {
      throw new AccountsError('INVALID_TOKEN');
    }
    const factor = await this.#verify(user, code, attempt);
    await oneTimeTokens.consume(token, CHALLENGE_PURPOSE);
    const first = Array.isArray(amr) ? amr.filter((method) => typeof method === 'string') : [];
    return {
      user,
      amr: [...first, ...factor.amr],
      secondFactor: true,
      stillHolds: async () => (await factor.stillHolds()) && (await firstHolds()),
    };
  }

  /** Ends the logins of a user that are half done: what stood for their first factor is no proof any more. */
  voidChallenges(userId: string): Promise<void> {
    return this.#parts.oneTimeTokens.voidAll(userId, CHALLENGE_PURPOSE);
  }

  /** That of the user's password now. */
  async #generationOf(userId: string): Promise<number> {
    return generationOf(await this.#parts.users.findIdentity(PASSWORD_SERVICE, userId));
  }

  async #verify(user: UserRecord, code: unknown, { guesses }: Attempt): Promise<ProvedFactor> {
    if (!this.#verifier) throw new AccountsError('TWO_FACTOR_REQUIRED');
    await guesses.spend({ userId: user.id });
    const factor = await this.#verifier.verify(user, code);
    return { ...factor, amr: [...factor.amr, MULTIPLE_FACTORS] };
  }

  async #challenge({ user, amr, connection }: FirstFactor, { current }: Attempt): Promise<AccountsError> {
    if (!this.#verifier) return new AccountsError('TWO_FACTOR_REQUIRED');
    const session = current?.session.id ?? null;
    // Whoever calls asks after this whether the first factor still holds: a password that was replaced before is noticed.
    const generation = await this.#generationOf(user.id);
    const { factors } = this.#verifier;
    const challenge = await this.#parts.oneTimeTokens.create({
      purpose: CHALLENGE_PURPOSE,
      userId: user.id,
      // One for each place that asks: their number is bounded by that of the clients (S29).
      boundTo: session ?? `address ${networkOf(connection.ip)}`,
      lifetime: LIFETIME,
      data: { session, amr: [...amr], generation },
    });
    return new AccountsError('TWO_FACTOR_REQUIRED', undefined, { extensions: { challenge, factors } });
  }
}
