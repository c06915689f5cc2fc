import { AccountsError, type AccountsErrorCode } from '../../errors.ts';
import type { AccountGuesses } from './account-guesses.ts';
import type { Limiter } from './limiter.ts';
import type { Lines } from './lines.ts';
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
const WRONG: ReadonlySet<AccountsErrorCode> = new Set<AccountsErrorCode>(['INVALID_CREDENTIALS', 'INVALID_CODE', 'INVALID_TOKEN']);

/**
 * The guesses of one attempt, at most one at each account. They are spent before anything is verified, so that a
 * hundred at once stay in the budget, and given back when they turn out to be none (S10, S11).
 */
export class Guesses {
  readonly #parts: GuessesParts | null;
  readonly #origin: GuessOrigin;
  readonly #spent = new Map<string, () => Promise<void>>();
  readonly #leave: (() => void)[] = [];

  constructor(parts: GuessesParts | null, origin: GuessOrigin) {
    this.#parts = parts;
    this.#origin = origin;
  }

  /** Does the work of an attempt, and settles its guesses by what became of it. `completed`: all factors were given. */
  async during<T>(work: () => Promise<T>, { completed }: { completed: boolean }): Promise<T> {
    try {
      await this.#spendAddress();
      const result = await work();
      await this.#settle(completed ? (account) => this.#parts?.accounts.reset(account) : 'refund');
      return result;
    } catch (error) {
      if (!(error instanceof AccountsError && WRONG.has(error.code))) await this.#settle('refund');
      throw error;
    } finally {
      for (const leave of this.#leave) leave();
    }
  }

  /** To be called before a secret of the account is verified. Throws RATE_LIMITED. */
  async spend(account: Account): Promise<void> {
    if (!this.#parts) return;
    const { accounts, lines, places } = this.#parts;
    const key = await this.#keyOf(account);
    if (this.#spent.has(key)) return;
    this.#leave.push(await lines.enter(key, places.account));
    this.#spent.set(key, await accounts.spend(key));
  }

  async #keyOf(account: Account): Promise<string> {
    if ('unknown' in account) return `name ${account.unknown}`;
    const device = await this.#origin.deviceOf?.(account.userId);
    return device ? `user ${account.userId} device ${device}` : `user ${account.userId}`;
  }

  async #spendAddress(): Promise<void> {
    const { address } = this.#origin;
    if (!this.#parts || address === undefined) return;
    const { addresses, lines, places } = this.#parts;
    const key = networkOf(address);
    this.#leave.push(await lines.enter(`address ${key}`, places.address));
    await addresses.spend(key);
    this.#refundAddress = () => addresses.refund(key);
  }

  #refundAddress: () => Promise<void> = async () => undefined;

  /** What fails here was reported by the store; the attempt is decided. */
  async #settle(accounts: 'refund' | ((account: string) => Promise<void> | undefined)): Promise<void> {
    const settled = [...this.#spent].map(([key, refund]) =>
      accounts === 'refund' ? refund() : accounts(key),
    );
    await Promise.allSettled([this.#refundAddress(), ...settled]);
  }
}
