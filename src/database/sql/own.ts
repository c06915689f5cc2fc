import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ConnectionSource } from './kysely-connection.ts';
import { carefulMysqlPool, type Mysql2Pool } from './mysql-pool.ts';
import { carefulPgPool, type PgPool } from './pg-pool.ts';

/** A connection that nobody needs is given back to the server after so many milliseconds. */
const IDLE = 30_000;

interface PoolOptions {
  poolSize: number;
  patience: number;
}

/** A pool of our own on PostgreSQL, made at its first use. */
export function openPgPool(url: string, { poolSize, patience }: PoolOptions): ConnectionSource {
  const pool = once(async (): Promise<PgPool> => {
    const { default: pg } = await import('pg');
    return new pg.Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: patience,
      idleTimeoutMillis: IDLE,
      keepAlive: true,
    }) as unknown as PgPool;
  });
  return {
    open: async ({ PostgresDialect }, waiting) =>
      new PostgresDialect({ pool: carefulPgPool(await pool.get(), waiting) }),
    close: async () => (await pool.made())?.end(),
  };
}

/** A pool of our own on MySQL or MariaDB, made at its first use. */
export function openMysqlPool(url: string, { poolSize, patience }: PoolOptions): ConnectionSource {
  const pool = once(async (): Promise<Mysql2Pool> => {
    const { createPool } = await import('mysql2');
    return createPool({
      uri: url.replace(/^mariadb:/i, 'mysql:'),
      connectionLimit: poolSize,
      connectTimeout: patience,
      idleTimeout: IDLE,
      enableKeepAlive: true,
      charset: 'utf8mb4',
    }) as unknown as Mysql2Pool;
  });
  return {
    open: async ({ MysqlDialect }, waiting) =>
      new MysqlDialect({ pool: carefulMysqlPool(await pool.get(), waiting) }),
    close: async () => {
      const made = await pool.made();
      if (made)
        await new Promise<void>((resolve, reject) =>
          made.end((error) => (error ? reject(error) : resolve())),
        );
    },
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

function once<T>(make: () => Promise<T>): { get(): Promise<T>; made(): Promise<T | null> } {
  let made: Promise<T> | null = null;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    made: async () => made,
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
