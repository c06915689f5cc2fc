import { AccountsError, type AccountsErrorCode } from '../../errors.ts';
import { NOBODY } from '../user.ts';
import type { AccountGuesses, SpentGuess } from './account-guesses.ts';
import type { Limiter } from './limiter.ts';
import type { Lines, Place } from './lines.ts';
import { networkOf } from './network.ts';

/** Whose secret is guessed: a user's, or that of a name which nobody has, which is delayed alike (S10). */
export type Account = { userId: string } | { unknown: string };

/** From where somebody guesses. */
export interface GuessOrigin {
  /** The client's address, null when it is not known. Undefined: the application itself asks, which has none. */
  address?: string | null | undefined;
  /** Names the device if it has proved to be one of the user's: it has a budget of its own. */
  deviceOf?: ((userId: string) => Promise<string | null>) | undefined;
}

interface GuessesParts {
  accounts: AccountGuesses;
  addresses: Limiter;
  lines: Lines;
  /** How many may be under way at once, for one account and for one address. */
  places: { account: number; address: number };
}

/** What somebody learns from these is that the guess was wrong. */
const WRONG: ReadonlySet<AccountsErrorCode> = new Set<AccountsErrorCode>([
  'INVALID_CREDENTIALS',
  'INVALID_CODE',
  'INVALID_TOKEN',
  'PROVIDER_REFUSED',
]);

/**
 * The guesses of one attempt, at most one at each account. They are spent before anything is verified, so that a
 * hundred at once stay in the budget, and given back when they turn out to be none (S10, S11).
 */
export class Guesses {
  readonly #parts: GuessesParts | null;
  readonly #origin: GuessOrigin;
  readonly #spent = new Map<string, SpentGuess>();
  readonly #places: Place[] = [];

  constructor(parts: GuessesParts | null, origin: GuessOrigin) {
    this.#parts = parts;
    this.#origin = origin;
  }

  /** Does the work of an attempt, and settles its guesses by what became of it. `completed`: all factors were given. */
  async during<T>(work: () => Promise<T>, { completed }: { completed: boolean }): Promise<T> {
    try {
      await this.#spendAddress();
      const result = await work();
      await this.#settle(completed ? 'reset' : 'refund');
      return result;
    } catch (error) {
      const { code, retryable } = error instanceof AccountsError ? error : { code: null, retryable: false };
      const settled = code !== null && WRONG.has(code) ? undefined : this.#settle('refund');
      // A store that hangs would hold the answer up for a second deadline.
      if (!retryable) await settled;
      throw error;
    } finally {
      for (const place of this.#places) place.leave();
    }
  }

  /** To be called before a secret of the account is verified. Throws RATE_LIMITED, and BUSY. */
  async spend(account: Account): Promise<void> {
    if (!this.#parts) return;
    const { accounts, places, lines } = this.#parts;
    const [key, common] = await this.#keysOf(account);
    if (this.#spent.has(key)) return;
    const guess = await this.#spendAt(await lines.enter(key, places.account), () => accounts.spend(key));
    const { refund, reset } = guess;
    // Whoever is in by a device of its own has proved as much as anybody.
    const resetBoth = async (): Promise<void> => void (await Promise.all([reset(), accounts.reset(common)]));
    this.#spent.set(key, key === common ? guess : { refund, reset: resetBoth });
  }

  /** The budget to spend from, and the one that is everybody's. */
  async #keysOf(account: Account): Promise<[key: string, common: string]> {
    const isKnown = 'userId' in account;
    // Asked for a name that nobody has as well: otherwise the time would tell whether it is somebody's (S8).
    const device = await this.#origin.deviceOf?.(isKnown ? account.userId : NOBODY);
    const common = isKnown ? `user ${account.userId}` : `name ${account.unknown}`;
    return [isKnown && device ? `${common} device ${device}` : common, common];
  }

  async #spendAddress(): Promise<void> {
    const { address } = this.#origin;
    if (!this.#parts || address === undefined) return;
    const { addresses, places, lines } = this.#parts;
    const key = networkOf(address);
    await this.#spendAt(await lines.enter(`address ${key}`, places.address), () => addresses.spend(key));
    const refund = (): Promise<void> => addresses.refund(key);
    this.#spent.set(`address ${key}`, { refund, reset: refund });
  }

  /** Spends in turn. What others have spent who are under way may be given back yet, so it is tried again after them. */
  async #spendAt<T>(place: Place, spend: () => Promise<T>): Promise<T> {
    this.#places.push(place);
    for (;;) {
      try {
        return await spend();
      } catch (error) {
        if (!(error instanceof AccountsError && error.code === 'RATE_LIMITED')) throw error;
        if (await place.giveWay()) continue;
        // Nothing that is under way here can change it: a flood is refused at once, and not one after the other.
        place.turnAway(error);
        throw error;
      }
    }
  }

  /** What fails here was reported by the store; the attempt is decided. */
  async #settle(outcome: keyof SpentGuess): Promise<void> {
    await Promise.allSettled([...this.#spent.values()].map((guess) => guess[outcome]()));
  }
}
