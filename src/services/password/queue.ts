import { AccountsError } from '../../errors.ts';

/** Runs at most so many pieces of work at once, lets so many others wait, and refuses the rest. */
export interface WorkQueue {
  /** @throws AccountsError `BUSY` when as many are waiting as may; `work` is not begun then. */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/** Makes a first-in-first-out queue with `concurrency` lanes and `limit` places to wait. */
export function createQueue(concurrency: number, limit: number): WorkQueue {
  const waiting: (() => void)[] = [];
  let running = 0;

  function leave(): void {
    // The lane goes straight to the one who waited longest, so that a newcomer cannot slip in between.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  return {
    async run(work) {
      if (running < concurrency) running += 1;
      else if (waiting.length < limit) await new Promise<void>((enter) => waiting.push(enter));
      else throw new AccountsError('BUSY');
      try {
        return await work();
      } finally {
        leave();
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting.length;
    },
  };
}
