import { AccountsError } from '../../errors.ts';
import { within } from '../deadline.ts';
import { SECOND } from '../time.ts';

/** Who waits costs memory. */
const MAX_WAITING = 10_000;
/** A flood at one key leaves room to wait at the others. */
const MAX_IN_LINE = 2_000;
/** Whoever asked has given up by then. */
const PATIENCE = 20 * SECOND;
/** Nothing that ends takes longer: what hangs must not keep the others out for ever. */
const LONGEST_STAY = 20 * SECOND;

export interface LinesOptions {
  /** For how many milliseconds somebody waits. */
  patience?: number;
  /** After how many milliseconds a place is somebody else's. */
  longestStay?: number;
}

/** A place that somebody has in a line. */
export interface Place {
  /** Lets the next one in. */
  leave(): void;
  /**
   * Gives the place up until one of the others leaves, and has one again then, before all who wait. False when there is
   * nobody else, or when that took too long.
   */
  giveWay(): Promise<boolean>;
  /** Refuses everybody who waits in the line, for a reason that is theirs as well. */
  turnAway(reason: AccountsError): void;
}

interface Waiting {
  enter(): void;
  refuse(reason: AccountsError): void;
}

/** Those who wait, in their order. */
type Queue = Set<Waiting>;

interface Line {
  inside: number;
  /** Who had a place already. */
  returning: Queue;
  waiting: Queue;
}

/**
 * Lets so many at a time do something under one key, in this process; the others wait for their turn. A guess is spent
 * before it is known to be wrong: without this, ten right logins at once would look like ten guesses.
 */
export class Lines {
  readonly #patience: number;
  readonly #longestStay: number;
  readonly #lines = new Map<string, Line>();
  #waiting = 0;

  constructor({ patience = PATIENCE, longestStay = LONGEST_STAY }: LinesOptions = {}) {
    this.#patience = patience;
    this.#longestStay = longestStay;
  }

  /** Under how many keys there is somebody. */
  get size(): number {
    return this.#lines.size;
  }

  /** Throws BUSY when too many wait, or for too long, and why those who wait are turned away. */
  async enter(key: string, places: number): Promise<Place> {
    const line = this.#lines.get(key) ?? { inside: 0, returning: new Set(), waiting: new Set() };
    this.#lines.set(key, line);
    if (line.inside < places && line.waiting.size + line.returning.size === 0) line.inside++;
    else if (line.waiting.size >= MAX_IN_LINE || this.#waiting >= MAX_WAITING)
      throw new AccountsError('BUSY');
    else if (!(await this.#wait(line.waiting))) throw new AccountsError('BUSY');
    return this.#place(key, line);
  }

  #place(key: string, line: Line): Place {
    let timer: NodeJS.Timeout | null = null;
    const leave = (): void => {
      if (timer === null) return;
      clearTimeout(timer);
      timer = null;
      this.#passOn(key, line);
    };
    const stay = (): void => {
      timer = setTimeout(leave, this.#longestStay).unref();
    };
    stay();
    return {
      leave,
      giveWay: async () => {
        if (timer === null || line.inside < 2) return false;
        clearTimeout(timer);
        timer = null;
        // Not to the next one, for whom nothing has changed either.
        line.inside--;
        const isBack = await this.#wait(line.returning);
        if (isBack) stay();
        return isBack;
      },
      turnAway: (reason) => {
        for (const queue of [line.returning, line.waiting]) {
          for (const { refuse } of queue) refuse(reason);
          queue.clear();
        }
      },
    };
  }

  /** True with a place, false after too long. Rejects when all who wait are turned away. */
  async #wait(queue: Queue): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<true>();
    const waiting: Waiting = { enter: () => resolve(true), refuse: reject };
    queue.add(waiting);
    this.#waiting++;
    try {
      // Who is not in the queue any more has got a place at this very moment.
      return await within(this.#patience, promise, () => !queue.delete(waiting));
    } finally {
      this.#waiting--;
    }
  }

  /** As long as somebody waits there is somebody inside, whose place goes to them. */
  #passOn(key: string, line: Line): void {
    const queue = line.returning.size > 0 ? line.returning : line.waiting;
    const [next] = queue;
    if (next) {
      queue.delete(next);
      next.enter();
    } else if (--line.inside === 0) this.#lines.delete(key);
  }
}
