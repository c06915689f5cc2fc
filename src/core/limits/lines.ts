import { AccountsError } from '../../errors.ts';

/** Who waits costs memory. */
const MAX_WAITING = 10_000;

interface Line {
  inside: number;
  waiting: (() => void)[];
}

/**
 * Lets so many at a time do something under one key; the others wait for their turn. A guess is spent before it is
 * known to be wrong: without this, ten right logins at once would look like ten guesses.
 */
export class Lines {
  readonly #lines = new Map<string, Line>();
  #waiting = 0;

  /** Resolves with what lets the next one in. Throws BUSY when too many wait. */
  async enter(key: string, places: number): Promise<() => void> {
    const line = this.#lines.get(key) ?? { inside: 0, waiting: [] };
    this.#lines.set(key, line);
    if (line.inside < places) line.inside++;
    else await this.#wait(line);
    return () => this.#leave(key, line);
  }

  async #wait({ waiting }: Line): Promise<void> {
    if (this.#waiting >= MAX_WAITING) throw new AccountsError('BUSY');
    this.#waiting++;
    await new Promise<void>((resolve) => waiting.push(resolve));
    this.#waiting--;
  }

  /** The place goes to the next one. */
  #leave(key: string, line: Line): void {
    const next = line.waiting.shift();
    if (next) return next();
    if (--line.inside === 0) this.#lines.delete(key);
  }
}
