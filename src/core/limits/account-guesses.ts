import type { CounterStore } from '../../database/ports.ts';
import { type Clock, DAY } from '../time.ts';
import { createLimiter, type Limiter, rateLimited } from './limiter.ts';
import type { ResolvedRateLimits } from './options.ts';

/** Wrong guesses are forgotten a day after the first of them. */
const MEMORY = DAY;

/**
 * Wrong guesses in a row at one account. After the last one that is free, a gate closes for a minute; then it lets one
 * guess through, and closes for twice as long. It always opens again: nobody can shut the owner out for ever (S10).
 */
export class AccountGuesses {
  readonly #limits: ResolvedRateLimits;
  readonly #guesses: Limiter;
  readonly #gate: Limiter;

  constructor(store: CounterStore, now: Clock, limits: ResolvedRateLimits) {
    this.#limits = limits;
    const points = limits.accountGuesses;
    this.#guesses = createLimiter(store, now, { name: 'account', points, duration: MEMORY });
    this.#gate = createLimiter(store, now, { name: 'gate', points: 1, duration: limits.accountDelay });
  }

  /** Spends a guess; what takes it back. Throws RATE_LIMITED. */
  async spend(account: string): Promise<() => Promise<void>> {
    const [gate, { spent }] = await Promise.all([this.#gate.look(account), this.#guesses.look(account)]);
    if (gate.spent > 0) throw rateLimited(gate.remaining);
    const free = this.#limits.accountGuesses - 1;
    if (spent < free) {
      if ((await this.#guesses.penalize(account)) <= free) return () => this.#guesses.refund(account);
      // Others were faster.
      await this.#guesses.refund(account);
    }
    return this.#passGate(account, Math.max(spent, free));
  }

  /** Forgets what was wrong before. */
  async reset(account: string): Promise<void> {
    await Promise.all([this.#guesses.reset(account), this.#gate.reset(account)]);
  }

  /** Of all who come at once, one gets through: the gate closes with the same step that lets it in. */
  async #passGate(account: string, spent: number): Promise<() => Promise<void>> {
    const { accountDelay, accountMaxDelay, accountGuesses } = this.#limits;
    const doublings = Math.min(spent + 1 - accountGuesses, 30);
    await this.#gate.spend(account, Math.min(accountDelay * 2 ** doublings, accountMaxDelay));
    await this.#guesses.penalize(account);
    return async () => {
      await this.#guesses.refund(account);
      await this.#gate.reset(account);
    };
  }
}
