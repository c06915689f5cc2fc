import type { CounterStore } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { Connection } from '../connection.ts';
import { type Clock, HOUR } from '../time.ts';
import { AccountGuesses } from './account-guesses.ts';
import { Guesses, type GuessOrigin } from './guesses.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import { Lines } from './lines.ts';
import { networkOf } from './network.ts';
import type { ResolvedRateLimits } from './options.ts';

interface Rates {
  limits: ResolvedRateLimits;
  accounts: AccountGuesses;
  addresses: Limiter;
  signUps: Limiter;
  mails: Limiter;
  recipients: Limiter;
}

/** How often what may be done (S10, S11, S12). */
export class Limits {
  readonly #store: CounterStore;
  readonly #now: Clock;
  readonly #rates: Rates | null;
  readonly #lines = new Lines();

  /** `limits` null: only what belongs to a secret that is short is limited, which is not safe without. */
  constructor(store: CounterStore, now: Clock, limits: ResolvedRateLimits | null) {
    this.#store = store;
    this.#now = now;
    this.#rates = limits && createRates(store, now, limits);
  }

  /** For one attempt. */
  guesses(origin: GuessOrigin): Guesses {
    if (!this.#rates) return new Guesses(null, origin);
    const { accounts, addresses, limits } = this.#rates;
    // Half of what is free: the right logins of two processes at once do not look like guesses to each other.
    const half = (guesses: number): number => Math.max(1, Math.floor(guesses / 2));
    const places = { account: half(limits.accountGuesses), address: half(limits.addressGuesses) };
    return new Guesses({ accounts, addresses, lines: this.#lines, places }, origin);
  }

  /**
   * For one attempt in a session of the account that is guessed at: that session is the device. Without one it is the
   * application that asks, which need not have an address.
   */
  guessesIn(session: { id: string } | null, { ip }: Connection): Guesses {
    const address = session ? ip : (ip ?? undefined);
    return this.guesses({ address, deviceOf: async () => session?.id ?? null });
  }

  /** Spends a sign-up. Throws RATE_LIMITED. */
  async signUp(address: string | null): Promise<void> {
    await this.#rates?.signUps.spend(networkOf(address));
  }

  /** Spends a mail that a client asks for. Throws RATE_LIMITED. */
  async mailFrom(address: string | null): Promise<void> {
    await this.#rates?.mails.spend(networkOf(address));
  }

  /**
   * Spends a mail to a recipient, known or not. False when there were enough: whoever asks is answered as for an
   * address that is not known.
   */
  async mailTo(canonical: string): Promise<boolean> {
    try {
      await this.#rates?.recipients.spend(canonical);
      return true;
    } catch (error) {
      if (error instanceof AccountsError && error.code === 'RATE_LIMITED') return false;
      throw error;
    }
  }

  /**
   * Spends one of the few tries that a short secret has, whether or not rates are limited. False when there is none
   * left. `life`: the milliseconds that the secret lives.
   */
  async try(secret: string, tries: number, life: number): Promise<boolean> {
    const limiter = createLimiter(this.#store, this.#now, { name: 'try', points: tries, duration: life });
    return (await limiter.penalize(secret)) <= tries;
  }
}

function createRates(store: CounterStore, now: Clock, limits: ResolvedRateLimits): Rates {
  const limiter = (name: string, points: number, duration: number): Limiter =>
    createLimiter(store, now, { name, points, duration });
  return {
    limits,
    accounts: new AccountGuesses(store, now, limits),
    addresses: limiter('address', limits.addressGuesses, limits.addressGuessWindow),
    signUps: limiter('sign-up', limits.addressSignUps, HOUR),
    mails: limiter('mail', limits.addressMails, HOUR),
    recipients: limiter('recipient', limits.recipientMails, HOUR),
  };
}
