import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { AccountsError } from '../../errors.ts';
import { rethrow } from '../../need-package.ts';
import { closedError } from './connection.ts';
import type { ConnectionSource } from './kysely-connection.ts';
import { inTime } from './lease.ts';
import { carefulMysqlPool, type Mysql2Pool } from './mysql-pool.ts';
import { readMysqlUrl } from './mysql-url.ts';
import { carefulPgPool, type PgPool } from './pg-pool.ts';

/** A connection that nobody needs is given back to the server after so many milliseconds. */
const IDLE = 30_000;

/** So that it is we who give up first, and say it in our way. Timers last 2^31 ms at most. */
const longerThan = (patience: number): number => Math.min(patience + 1_000, 2 ** 31 - 1);

export interface PoolOptions {
  poolSize: number;
  patience: number;
}

/** A pool of our own on PostgreSQL, made at its first use. */
export function openPgPool(url: string, { poolSize, patience }: PoolOptions): ConnectionSource {
  const pool = once(async (): Promise<PgPool> => {
    const { default: pg } = await import('pg').catch(rethrow);
    return new pg.Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: longerThan(patience),
      idleTimeoutMillis: IDLE,
      keepAlive: true,
    }) as unknown as PgPool;
  });
  return {
    open: async ({ PostgresDialect }, waiting) =>
      new PostgresDialect({ pool: carefulPgPool(await pool.get(), waiting) }),
    close: () => pool.end(patience, (made) => made.end()),
  };
}

/** A pool of our own on MySQL or MariaDB, made at its first use. */
export function openMysqlPool(url: string, { poolSize, patience }: PoolOptions): ConnectionSource {
  const address = readMysqlUrl(url);
  const pool = once(async (): Promise<Mysql2Pool> => {
    const { createPool } = await import('mysql2').catch(rethrow);
    const made = createPool({
      ...address,
      connectionLimit: poolSize,
      connectTimeout: longerThan(patience),
      idleTimeout: IDLE,
      enableKeepAlive: true,
      charset: 'utf8mb4',
    });
    // A server does not see that a connection has gone while it waits for a row, 50 s if nothing is said.
    const rowPatience = Math.ceil(longerThan(patience) / 1_000);
    made.on('connection', (connection) =>
      connection.query(`SET SESSION innodb_lock_wait_timeout = ${rowPatience}`, () => {}),
    );
    return made as unknown as Mysql2Pool;
  });
  return {
    open: async ({ MysqlDialect }, waiting) =>
      new MysqlDialect({ pool: carefulMysqlPool(await pool.get(), waiting) }),
    close: () =>
      pool.end(
        patience,
        (made) => new Promise((resolve, reject) => made.end((error) => (error ? reject(error) : resolve()))),
      ),
  };
}

/** A file of our own, opened at its first use. Readers and one writer do not stop each other. */
export function openSqliteFile(path: string): { open(): DatabaseSync; close(): void } {
  let db: DatabaseSync | null = null;
  return {
    open: () => {
      if (path !== ':memory:') createFile(path);
      // Not imported: whoever uses another database would be told that node:sqlite is experimental.
      const opened = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(path);
      opened.exec('PRAGMA busy_timeout = 0; PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL');
      db = opened;
      return opened;
    },
    close: () => db?.close(),
  };
}

interface Once<P> {
  get(): Promise<P>;
  end(patience: number, end: (pool: P) => Promise<void>): Promise<void>;
}

/** Makes a pool at its first use, and none after its end: nobody would end that one. */
function once<P>(make: () => Promise<P>): Once<P> {
  let made: Promise<P> | null = null;
  let ended = false;
  return {
    get: async () => {
      if (ended) throw closedError();
      made ??= make();
      return made;
    },
    end: async (patience, end) => {
      ended = true;
      if (!made) return;
      try {
        await inTime(patience, 'the end of a pool', end(await made));
      } catch (error) {
        // Whoever had a connection has waited as long, and it was destroyed. A pool of mysql2 never hears of that.
        if (!(error instanceof AccountsError)) throw error;
      }
    },
  };
}

/** For its owner's eyes only; SQLite itself would give everybody the right to read it. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
