import { anyPlaceOf } from '../../core/limits/network.ts';
import type { OneTimeTokens } from '../../core/one-time-tokens.ts';
import { MINUTE } from '../../core/time.ts';
import { NOBODY } from '../../core/user.ts';
import type { OneTimeTokenRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';

export const CHALLENGE_LIFETIME = 5 * MINUTE;

const REGISTRATION = 'passkeyRegistration';
const LOGIN = 'passkeyLogin';

/** What a passkey signs: a one-time token, so that no answer of a passkey is good twice. */
export class Challenges {
  readonly #tokens: OneTimeTokens;

  constructor(tokens: OneTimeTokens) {
    this.#tokens = tokens;
  }

  /** One for each session: the newest alone is good. */
  forRegistration(userId: string, session: string | null): Promise<string> {
    return this.#tokens.create({
      ...{ purpose: REGISTRATION, userId, boundTo: session ?? 'application', lifetime: CHALLENGE_LIFETIME },
      data: { session },
    });
  }

  /** Of nobody: who will log in is not known yet. */
  forLogin(address: string | null): Promise<string> {
    return this.#tokens.create({
      ...{ purpose: LOGIN, userId: NOBODY, lifetime: CHALLENGE_LIFETIME },
      boundTo: anyPlaceOf(address),
    });
  }

  /** Uses the challenge up, also where it turns out not to be the user's. Throws INVALID_TOKEN. */
  async useForRegistration(challenge: string, userId: string, session: string | null): Promise<void> {
    const { userId: owner, data } = await this.#consume(challenge, REGISTRATION);
    if (owner !== userId || data.session !== session) throw invalidChallenge();
  }

  /** Uses the challenge up. Throws INVALID_TOKEN. */
  async useForLogin(challenge: unknown): Promise<void> {
    await this.#consume(challenge, LOGIN);
  }

  async #consume(challenge: unknown, purpose: string): Promise<OneTimeTokenRecord> {
    try {
      return await this.#tokens.consume(challenge, purpose);
    } catch (error) {
      throw error instanceof AccountsError && error.code === 'INVALID_TOKEN' ? invalidChallenge() : error;
    }
  }
}

function invalidChallenge(): AccountsError {
  return new AccountsError('INVALID_TOKEN', 'The challenge is not valid, was already used or has expired.');
}
