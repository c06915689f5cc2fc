import { setTimeout as sleep } from 'node:timers/promises';
import { AccountsError } from '../../errors.ts';
import type { SqlDialect } from './dialect.ts';
import type { Query, Result } from './statement.ts';

/**
 * The statements of a transaction, each yielded for its result. A generator, because the same steps run in one turn of
 * the event loop on node:sqlite, and are awaited one by one on a server.
 */
export type Steps<T> = Generator<Query, T, Result>;

export interface Connection {
  readonly dialect: SqlDialect;
  /** Runs one statement, which is atomic. */
  run(query: Query): Promise<Result>;
  /** Runs the steps, all or nothing: when they throw, nothing of them is left. May run them again from their start. */
  transact<T>(steps: () => Steps<T>): Promise<T>;
  /** The same for what takes its time: on a server each answer is waited for as long as a migration may last. */
  migrate<T>(steps: () => Steps<T>): Promise<T>;
  /** Gives back what was opened here. */
  close(): Promise<void>;
}

const MAX_PAUSE = 50;

/** Tries again while the server says that nothing was done and that it may be, for `patience` milliseconds. */
export async function untilDone<T>(
  { isTransient }: SqlDialect,
  patience: number,
  attempt: () => T | Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) && !(error instanceof Occupied)) throw error;
      if (performance.now() >= deadline)
        throw new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause: error });
    }
    // Never the same in two who stand in each other's way.
    await sleep(Math.min(2 ** tries, MAX_PAUSE) * (0.5 + Math.random() / 2));
  }
}

/** Somebody else's transaction is open on the one connection that there is. */
export class Occupied extends Error {
  constructor() {
    super('another transaction is open on this connection');
  }
}

export function closedError(): Error {
  return new Error('The database is closed.');
}

/** Runs the steps one by one. An error of one is thrown into them. */
export async function play<T>(steps: Steps<T>, performStep: (query: Query) => Promise<Result>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    let result: Result;
    try {
      result = await performStep(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}
