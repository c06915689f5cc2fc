import type { DatabaseSync } from 'node:sqlite';
import type { Dialect } from 'kysely';
import { needPackage } from '../../need-package.ts';
import type { Connection } from './connection.ts';
import { type ConnectionSource, kyselyConnection } from './kysely-connection.ts';
import { MYSQL } from './mysql.ts';
import { carefulMysqlPool, type Mysql2Pool } from './mysql-pool.ts';
import { nodeSqliteConnection } from './node-sqlite.ts';
import { openMysqlPool, openPgPool, openSqliteFile, type PoolOptions } from './own.ts';
import { carefulPgPool, type PgPool } from './pg-pool.ts';
import { POSTGRES } from './postgres.ts';
import { SQLITE } from './sqlite.ts';

/** A `pg.Pool`, as far as it is looked at. */
export interface PgPoolSource {
  connect(...args: never[]): unknown;
  readonly totalCount: number;
}

/** A pool of mysql2, with callbacks or promises, as far as it is looked at. */
export interface MysqlPoolSource {
  getConnection(...args: never[]): unknown;
}

/**
 * Where the tables are: the URL of a server (`postgres://`, `mysql://`, `mariadb://`) or of a file (`sqlite:PATH`), or
 * the application's own `pg.Pool`, mysql2 pool, `DatabaseSync` of `node:sqlite` or dialect of Kysely.
 */
export type SqlSource = string | PgPoolSource | MysqlPoolSource | DatabaseSync | Dialect;

const US = 'graphql-accounts/database/sql';

export function connectTo(source: SqlSource, options: PoolOptions): Connection {
  if (typeof source === 'string') return connectToUrl(source, options);
  if (isDialect(source))
    return kyselyConnection(dialectOf(source), { ...ofHost(() => source), opensOnce: true }, options);
  if (isPgPool(source))
    return postgres(
      ofHost(
        ({ PostgresDialect }, patience) => new PostgresDialect({ pool: carefulPgPool(source, patience) }),
      ),
      options,
    );
  if (isMysqlPool(source)) {
    const pool = withCallbacks(source);
    return mysql(
      ofHost(({ MysqlDialect }, patience) => new MysqlDialect({ pool: carefulMysqlPool(pool, patience) })),
      options,
    );
  }
  if (isDatabaseSync(source)) return nodeSqliteConnection(() => source, { ...options, close: () => {} });
  throw new TypeError(
    'source must be a URL, a pg.Pool, a pool of mysql2, a DatabaseSync of node:sqlite or a dialect of Kysely',
  );
}

function connectToUrl(url: string, options: PoolOptions): Connection {
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 'sqlite') {
    const file = openSqliteFile(url.slice('sqlite:'.length));
    return nodeSqliteConnection(file.open, { ...options, close: file.close });
  }
  // Never the URL itself: a password stands in it.
  if (!URL.canParse(url)) throw new TypeError('source is not a URL');
  if (scheme === 'postgres' || scheme === 'postgresql') {
    needPackage('pg', `${US} with ${scheme}://`);
    return postgres(openPgPool(url, options), options);
  }
  if (scheme === 'mysql' || scheme === 'mariadb') {
    needPackage('mysql2', `${US} with ${scheme}://`);
    return mysql(openMysqlPool(url, options), options);
  }
  throw new TypeError('source must be a URL that starts with postgres://, mysql://, mariadb:// or sqlite:');
}

const postgres = (source: ConnectionSource, options: PoolOptions): Connection =>
  kyselyConnection(POSTGRES, source, options);
const mysql = (source: ConnectionSource, options: PoolOptions): Connection =>
  kyselyConnection(MYSQL, source, options);

/** What is the host's is closed by the host. */
const ofHost = (open: ConnectionSource['open']): ConnectionSource => ({ open, close: async () => {} });

/** By what it can, not by its class: there may be two copies of Kysely, and classes lose their names in a bundle. */
function dialectOf(source: Dialect) {
  const adapter = source.createAdapter();
  if (!adapter.supportsOutput) {
    if (adapter.supportsTransactionalDdl) return POSTGRES;
    return adapter.supportsReturning ? SQLITE : MYSQL;
  }
  throw new TypeError('source must be a dialect of PostgreSQL, MySQL or SQLite');
}

const has = (value: object, ...methods: string[]): boolean =>
  methods.every((method) => typeof Reflect.get(value, method) === 'function');

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function isDialect(source: unknown): source is Dialect {
  return isObject(source) && has(source, 'createDriver', 'createAdapter', 'createQueryCompiler');
}

function isPgPool(source: unknown): source is PgPool {
  return isObject(source) && has(source, 'connect', 'query', 'on') && 'totalCount' in source;
}

function isMysqlPool(source: unknown): source is MysqlPoolSource {
  return isObject(source) && has(source, 'getConnection', 'query');
}

/** A pool with promises has the one with callbacks inside. */
function withCallbacks(source: MysqlPoolSource): Mysql2Pool {
  const inner: unknown = Reflect.get(source, 'pool');
  return (isMysqlPool(inner) ? inner : source) as Mysql2Pool;
}

function isDatabaseSync(source: unknown): source is DatabaseSync {
  return isObject(source) && has(source, 'prepare', 'exec') && 'isTransaction' in source;
}
