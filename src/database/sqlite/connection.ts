import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountsError } from '../../errors.ts';
import { gather } from '../../gather.ts';
import { explain, isBusy } from './failures.ts';
import { type OpenFile, openFile } from './file.ts';

/** Prepared once, at its first use. Rows are arrays: objects of twenty keys would cost a fifth of a look-up. */
interface Statement<Row> {
  all(...values: SQLInputValue[]): Row[];
  /** How many rows were changed. */
  run(...values: SQLInputValue[]): number;
}

export interface Connection {
  prepare<Row = never>(sql: string): Statement<Row>;
  /** Runs a query. Readers wait for nobody but in the moments when another process opens or closes the file. */
  read<T>(query: () => T): Promise<T>;
  /** Runs changes, all or nothing: when `change` throws, nothing of it is left. */
  write<T>(change: () => T): Promise<T>;
  /** Writes, and changes nothing: rejects while nothing can be written. */
  ping(): Promise<void>;
  /** Ends what was begun, then closes. */
  close(): Promise<void>;
}

interface Job {
  /** Runs the change and gives what to tell its caller once it is committed. */
  run(): () => void;
  refuse(error: unknown): void;
  deadline: number;
}

/** So much is committed at once; then others have their turn of the event loop. */
const MAX_BATCH = 64;
const MAX_PAUSE = 50;
/** A sign-up takes no more pages of the log than this. */
const PAGES_OF_A_CHANGE = 8;

/**
 * One connection, opened at its first use. SQLite runs on the event loop, so nothing here waits inside of it: who
 * meets a lock of another process tries again after a pause, until `patience` (ms) is over.
 *
 * Writes that come together, or in turns of the event loop that follow at once, are one transaction, from BEGIN to
 * COMMIT within one turn: a burst
 * costs one sync to the disk, and one caller at a time asks for the lock.
 */
export function createConnection(
  path: string,
  options: { patience: number; synchronous: 'full' | 'normal' },
): Connection {
  let file: OpenFile | null = null;
  let state: 'open' | 'closing' | 'closed' = 'open';
  let closing: Promise<void> | null = null;
  let jobs: Job[] = [];
  let drained: Promise<void> | null = null;
  let hasFailed = false;

  const openOnce = (): OpenFile => {
    if (state === 'closed') throw closedError();
    file ??= openFile(path, options.synchronous);
    return file;
  };
  const open = (): DatabaseSync => openOnce().db;
  const prepare = <Row>(sql: string): Statement<Row> => {
    let prepared: StatementSync | undefined;
    const statement = (): StatementSync => {
      if (prepared) return prepared;
      prepared = open().prepare(sql);
      prepared.setReturnArrays(true);
      return prepared;
    };
    return {
      all: (...values) => statement().all(...values) as unknown as Row[],
      run: (...values) => Number(statement().run(...values).changes),
    };
  };
  const begin = prepare('BEGIN IMMEDIATE');
  const commit = prepare('COMMIT');
  const save = prepare('SAVEPOINT job');
  const undo = prepare('ROLLBACK TO job');
  const release = prepare('RELEASE job');

  const deadlineFromNow = (): number => performance.now() + options.patience;

  const read = async <T>(query: () => T): Promise<T> => {
    const deadline = deadlineFromNow();
    for (let attempt = 0; ; attempt++) {
      try {
        open();
        return query();
      } catch (error) {
        if (!isBusy(error)) throw explain(error, path);
        if (performance.now() >= deadline) throw unavailable(error);
      }
      await sleep(pause(attempt));
    }
  };

  const write = <T>(change: () => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (state !== 'open') throw closedError();
      const refuse = (error: unknown): void => reject(explain(error, path));
      const run = (): (() => void) => {
        save.run();
        try {
          const result = change();
          release.run();
          return () => resolve(result);
        } catch (error) {
          // SQLite ends the whole transaction itself when, say, the disk is full.
          if (isBusy(error) || !open().isTransaction) throw error;
          undo.run();
          release.run();
          return () => refuse(error);
        }
      };
      jobs.push({ run, refuse, deadline: deadlineFromNow() });
      drained ??= drain();
    });

  /** Gives what to tell the callers; throws when nothing was committed. */
  const transact = (batch: readonly Job[]): (() => void)[] => {
    const { db, ensureThere } = openOnce();
    begin.run();
    try {
      const outcomes = batch.map((job) => job.run());
      ensureThere();
      commit.run();
      return outcomes;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  const drain = async (): Promise<void> => {
    for (let attempt = 0; jobs.length > 0; ) {
      await (attempt === 0 ? gather(() => jobs.length, MAX_BATCH) : sleep(pause(attempt)));
      const batch = jobs.slice(0, MAX_BATCH);
      try {
        const outcomes = transact(batch);
        jobs = jobs.slice(batch.length);
        attempt = 0;
        for (const tell of outcomes) tell();
      } catch (error) {
        attempt++;
        const busy = isBusy(error);
        hasFailed ||= !busy;
        const now = performance.now();
        const ends = (job: Job): boolean => (busy ? job.deadline <= now : batch.includes(job));
        for (const job of jobs.filter(ends)) job.refuse(busy ? unavailable(error) : error);
        jobs = jobs.filter((job) => !ends(job));
      }
    }
    drained = null;
  };

  const end = async (): Promise<void> => {
    state = 'closing';
    await drained;
    state = 'closed';
    file?.db.close();
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };

  const version = prepare<[number]>('PRAGMA user_version');
  const writePage = (): void => {
    // Read in the same transaction: a newer version of this library may have changed it by now.
    const [[number] = [0]] = version.all();
    open().exec(`PRAGMA user_version = ${number}`);
  };
  const ping = async (): Promise<void> => {
    // On a full disk there may be room for one page, and not for what has failed.
    for (let pages = hasFailed ? PAGES_OF_A_CHANGE : 1; pages > 0; pages--) await write(writePage);
    hasFailed = false;
  };

  return { prepare, read, write, ping, close };
}

function closedError(): Error {
  return new Error('The database is closed.');
}

function unavailable(cause: unknown): AccountsError {
  return new AccountsError('SERVICE_UNAVAILABLE', undefined, { cause });
}

/** Longer from time to time, and never the same in two processes that wait for each other. */
function pause(attempt: number): number {
  return Math.min(2 ** attempt, MAX_PAUSE) * (0.5 + Math.random() / 2);
}
