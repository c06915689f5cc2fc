import { AccountsError } from '../errors.ts';
import type { Background } from './background.ts';
import type { Limits } from './limits/limits.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import { SECOND } from './time.ts';
import { NOBODY } from './user.ts';

interface DiscretionParts {
  background: Background;
  oneTimeTokens: OneTimeTokens;
  limits: Limits;
  /** Whether known and unknown addresses are answered alike. */
  ambiguous: boolean;
}

/** Work about an address whose outcome, and whose time, a stranger must not see (S7, S8). */
export class Discretion {
  readonly #parts: DiscretionParts;

  constructor(parts: DiscretionParts) {
    this.#parts = parts;
  }

  /** Runs work about an address once the answer is out, one piece after the other for each address. */
  afterAnswer(canonical: string, work: () => Promise<void>): void {
    this.#parts.background.run(`email ${canonical}`, work);
  }

  /**
   * Runs the work that a requested mail is. With ambiguous errors on it runs after the answer, and a USER_NOT_FOUND
   * costs as much as a user who is found; otherwise before the answer, and throws. One mail too many to a recipient is
   * answered as for an address that nobody has.
   */
  async mail(canonical: string, work: () => Promise<void>): Promise<void> {
    const { background, limits, ambiguous } = this.#parts;
    const limited = async (): Promise<void> => {
      if (!(await limits.mailTo(canonical))) throw new AccountsError('USER_NOT_FOUND');
      await work();
    };
    if (!ambiguous) return limited();
    // The same for everybody: otherwise a flood would make the mail of one vanish without a word.
    if (background.isFull) throw new AccountsError('BUSY');
    this.afterAnswer(canonical, async () => {
      try {
        await limited();
      } catch (error) {
        if (!(error instanceof AccountsError && error.code === 'USER_NOT_FOUND')) throw error;
        // The next request of the same stranger waits as long as after a token that was stored.
        await this.writeNothing();
      }
    });
  }

  /** Costs what storing something costs, where there is nothing to store. */
  async writeNothing(): Promise<void> {
    const nothing = { purpose: 'none', userId: NOBODY, boundTo: '', lifetime: SECOND };
    await this.#parts.oneTimeTokens.create(nothing);
  }
}
