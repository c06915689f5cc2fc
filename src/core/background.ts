import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from './report.ts';
import { SECOND } from './time.ts';

/** More work than this waits nowhere: a mailer that hangs must not fill the memory. */
const MAX_PENDING = 10_000;

/**
 * Work that goes on after the answer, so that neither its time nor its failure tells a stranger anything (S8, S58).
 * Tasks of one key run one after the other, in the order in which they came.
 */
export class Background {
  readonly #chains = new Map<string, Promise<void>>();
  readonly #report: Report;
  #pending = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** How many tasks have not ended: a bounded number. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether more work would be dropped. */
  get isFull(): boolean {
    return this.#pending >= MAX_PENDING;
  }

  run(key: string, task: () => Promise<unknown>): void {
    if (this.isFull) {
      this.#report(
        new Error(`${MAX_PENDING} tasks are waiting already`),
        'work after the answer was dropped',
      );
      return;
    }
    this.#pending++;
    const chain = (this.#chains.get(key) ?? nextTurn())
      .then(task)
      .catch((error: unknown) => this.#report(error, 'work after the answer'))
      .then(() => {
        this.#pending--;
        if (this.#chains.get(key) === chain) this.#chains.delete(key);
      });
    this.#chains.set(key, chain);
  }

  /**
   * Does work that must follow what is done already. When it fails, the caller goes on, and it is tried again after the
   * answer until the store is well.
   */
  async insist(key: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch {
      this.run(key, () => retried(work));
    }
  }

  /**
   * Asks whether what is done may stay, such as whether the session still lives that wanted it: a thief who was thrown
   * out meanwhile must leave nothing behind. Where it may not, `undo` is insisted on, and the reason is thrown.
   */
  async keepIf<T>(mayStay: () => Promise<T>, key: string, undo: () => Promise<unknown>): Promise<T> {
    try {
      return await mayStay();
    } catch (error) {
      await this.insist(key, undo);
      throw error;
    }
  }

  /** Resolves when nothing is left to do. */
  async settled(): Promise<void> {
    while (this.#chains.size > 0) await Promise.all(this.#chains.values());
  }
}

/** The answer goes out first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** At once, then after 1, 2, 4, 8 and 16 seconds. */
async function retried(work: () => Promise<unknown>): Promise<void> {
  for (let pause = SECOND; ; pause *= 2) {
    try {
      await work();
      return;
    } catch (error) {
      if (pause > 16 * SECOND) throw error;
      await sleep(pause, undefined, { ref: false });
    }
  }
}
