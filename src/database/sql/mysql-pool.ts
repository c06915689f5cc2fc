import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import { Ages, Lease, lease, type Patience } from './lease.ts';

/** What we use of a mysql2 pool with callbacks. */
export interface Mysql2Pool {
  getConnection(callback: (error: Error | null, connection: Mysql2Connection) => void): void;
  end(callback: (error: Error | null) => void): void;
}

interface Mysql2Connection {
  query(options: object, callback: (error: Error | null, result: unknown) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  off(event: 'error', listener: (error: unknown) => void): unknown;
  release(): void;
  destroy(): void;
}

/** Whatever the host's pool is set to: rows are arrays, and everything is read as the bytes that came. */
const AS_IT_COMES = {
  rowsAsArray: true,
  nestTables: false,
  namedPlaceholders: false,
  typeCast: (field: { buffer(): Buffer | null }): Buffer | null => field.buffer(),
};

const watched = new WeakMap<Mysql2Pool, Ages<Mysql2Connection>>();

/** A pool for Kysely on a pool of mysql2, which may be the host's, that gets no connection back which may be of no use. */
export function carefulMysqlPool(pool: Mysql2Pool, patience: Patience): MysqlPool {
  const ages = watched.get(pool) ?? new Ages<Mysql2Connection>();
  watched.set(pool, ages);
  const lend = (connection: Mysql2Connection): MysqlPoolConnection => {
    const lent = new Lease(connection, ages, { patience });
    connection.on('error', lent.spoil);
    const query = (sql: string, values: readonly unknown[], callback: Callback<unknown>): void =>
      tell(
        lent.query(sql, (to) => ask(to, sql, values), isAnswer, []),
        callback,
      );
    const release = (): void => {
      connection.off('error', lent.spoil);
      if (lent.isSpoilt) connection.destroy();
      else connection.release();
    };
    return { query, release } as unknown as MysqlPoolConnection;
  };
  const connect = async (): Promise<MysqlPoolConnection> =>
    lend(
      await lease(
        () => acquire(pool),
        (connection) => connection.release(),
        (connection) => connection.destroy(),
        { ages, patience },
      ),
    );
  return {
    getConnection: (callback: Callback<MysqlPoolConnection>) => tell(connect(), callback),
    end: (callback: Callback<void>) => tell(Promise.resolve(), callback),
  } as unknown as MysqlPool;
}

type Callback<T> = (error: unknown, result?: T) => void;

function tell<T>(work: Promise<T>, callback: Callback<T>): void {
  work.then(
    (result) => callback(null, result),
    (error: unknown) => callback(error),
  );
}

function acquire(pool: Mysql2Pool): Promise<Mysql2Connection> {
  return new Promise((resolve, reject) => {
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
  });
}

function ask(connection: Mysql2Connection, sql: string, values: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.query({ sql, values, ...AS_IT_COMES }, (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
}

/** The server shuts down, has ended this connection, or is not the one that takes changes. */
const OVER = new Set([1053, 1927, 4031, 1290, 1792, 1836]);

function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || !('sqlState' in error) || !('errno' in error)) return false;
  return !OVER.has(Number(error.errno));
}
