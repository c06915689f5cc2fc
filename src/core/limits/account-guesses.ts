import type { CounterStore } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { type Clock, DAY } from '../time.ts';
import { createLimiter, type Limiter, rateLimited } from './limiter.ts';
import type { ResolvedRateLimits } from './options.ts';

/** Wrong guesses are forgotten a day after the first of them. */
const MEMORY = DAY;
/** More often no delay can be doubled. */
const MAX_DOUBLINGS = 30;

/** A guess that was spent and has not turned out to be wrong. */
export interface SpentGuess {
  /** It was none. */
  refund(): Promise<void>;
  /** It was right, and all that were wrong before it are forgotten. */
  reset(): Promise<void>;
}

/**
 * Wrong guesses in a row at one account. With the last one that is free a gate closes for a minute; then it lets one
 * guess through, and closes for twice as long. It always opens again: nobody can shut the owner out for ever (S10).
 */
export class AccountGuesses {
  readonly #limits: ResolvedRateLimits;
  readonly #free: Limiter;
  readonly #gate: Limiter;
  /** How often the gate was closed. */
  readonly #late: Limiter;

  constructor(store: CounterStore, now: Clock, limits: ResolvedRateLimits) {
    this.#limits = limits;
    const limiter = (name: string, points: number, duration: number, weight = 1): Limiter =>
      createLimiter(store, now, { name, points, duration, weight });
    this.#free = limiter('account', limits.accountGuesses - 1, MEMORY);
    // As heavy as the guesses that closed it: a flood of names must not open it.
    this.#gate = limiter('gate', 1, limits.accountMaxDelay, limits.accountGuesses);
    this.#late = limiter('late', 1, MEMORY, limits.accountGuesses);
  }

  /** Throws RATE_LIMITED. */
  async spend(account: string): Promise<SpentGuess> {
    try {
      await this.#free.spend(account);
    } catch (error) {
      if (error instanceof AccountsError && error.code === 'RATE_LIMITED') return this.#passGate(account);
      throw error;
    }
    return {
      refund: () => this.#free.refund(account),
      // The gate is closed by the last free guess at the earliest, and asked by none before it.
      reset: () => this.#free.reset(account),
    };
  }

  /** Forgets what was wrong at an account. */
  async reset(account: string): Promise<void> {
    await Promise.all([this.#free, this.#gate, this.#late].map((limiter) => limiter.reset(account)));
  }

  /** Of all who come at once, one gets through: the gate closes with the same step that lets it in. */
  async #passGate(account: string): Promise<SpentGuess> {
    const { accountDelay, accountMaxDelay } = this.#limits;
    const [gate, late, free] = await Promise.all(
      [this.#gate, this.#late, this.#free].map((limiter) => limiter.look(account)),
    );
    if (gate && gate.spent > 0) throw rateLimited(gate.remaining);
    const doublings = Math.min(late?.spent ?? 0, MAX_DOUBLINGS);
    await this.#gate.spend(account, Math.min(accountDelay * 2 ** doublings, accountMaxDelay));
    // Forgotten together with the free ones.
    await this.#late.penalize(account, free?.remaining || MEMORY);
    return {
      refund: async () => {
        await this.#late.refund(account);
        await this.#gate.reset(account);
      },
      reset: () => this.reset(account),
    };
  }
}
