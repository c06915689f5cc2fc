import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Users } from './users.ts';

/** How many ways into an account a service is. */
export type CountWays = (user: UserRecord) => Promise<number> | number;

/** Keeps everybody from locking themselves out. */
export class WaysIn {
  readonly #users: Users;
  readonly #counts: CountWays[] = [];

  constructor(users: Users) {
    this.#users = users;
  }

  register(count: CountWays): void {
    this.#counts.push(count);
  }

  async count(user: UserRecord): Promise<number> {
    const ways = await Promise.all(this.#counts.map((count) => count(user)));
    return ways.reduce((sum, some) => sum + some, 0);
  }

  /**
   * Removes one way into the account of a user. Throws LAST_WAY_IN, with nothing removed, when it is the last one. Two
   * that remove one each at the same time may both be refused; they never leave none. `restore` undoes `remove`.
   */
  async remove(userId: string, remove: () => Promise<void>, restore: () => Promise<unknown>): Promise<void> {
    await this.#users.inTurn(userId, async () => {
      if ((await this.#waysOf(userId)) <= 1) throw new AccountsError('LAST_WAY_IN');
      await remove();
      // Another process may have removed another one.
      if ((await this.#waysOf(userId)) > 0) return;
      await restore();
      throw new AccountsError('LAST_WAY_IN');
    });
  }

  async #waysOf(userId: string): Promise<number> {
    return this.count(await this.#users.require(userId));
  }
}
