// Hosts set their pools up for themselves. Nothing of it may change what we store, find or read.
import { DatabaseSync } from 'node:sqlite';
import { type Dialect, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { aSession, aUser } from '../../src/database/conformance/records.ts';
import { type SqlSource, sqlDatabase } from '../../src/database/sql/index.ts';
import { exercised } from '../stores.ts';
import { emptied, onSqlServers } from './fixtures/sql.ts';

const ODD = 'what no reader of ours expects';
/** For every type, the text types too. */
const ODD_TYPES = { getTypeParser: () => () => ODD };
const ODD_SESSION = [
  ...['timezone=Asia/Kolkata', 'datestyle=German', 'intervalstyle=sql_standard', 'bytea_output=escape'],
  ...['extra_float_digits=-15', 'standard_conforming_strings=off'],
  'default_transaction_isolation=serializable',
];

const ODD_MYSQL_OPTIONS = {
  timezone: '+05:30',
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  decimalNumbers: true,
  namedPlaceholders: true,
  charset: 'latin1',
} as const;
const ODD_MYSQL_SESSION = [
  "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE'",
  "SET SESSION time_zone = '+05:30'",
  'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE',
];

onSqlServers("hosts' pools on", ({ name, newUrl, ask }) => {
  beforeAll(() => exercised(name));
  const conform = async (
    title: string,
    makeSource: (url: string) => { source: SqlSource; end(): Promise<void> },
  ) => {
    describe(title, async () => {
      const url = await newUrl();
      const { source, end } = makeSource(url);
      afterAll(end);
      databaseConformance(
        { describe, test, expect },
        emptied(
          () => sqlDatabase(source),
          (statement) => ask(url, statement),
        ),
      );
    });
  };
  const pgPool = (url: string, options: pg.PoolConfig = {}): pg.Pool =>
    new pg.Pool({ connectionString: url, ...options });
  const mysqlPool = (url: string, options: mysql.PoolOptions = {}): mysql.Pool => {
    const pool = mysql.createPool({ uri: url, ...options });
    pool.on('connection', (connection) => {
      for (const statement of ODD_MYSQL_SESSION) connection.query(statement);
    });
    return pool;
  };
  const endOf = (pool: mysql.Pool) => (): Promise<void> =>
    new Promise((resolve) => pool.end(() => resolve()));

  if (name === 'PostgreSQL') {
    describe('a pg.Pool', () => {
      conform('with type parsers and a session of its own', (url) => {
        const options = ODD_SESSION.map((setting) => `-c ${setting}`).join(' ');
        const pool = pgPool(url, { types: ODD_TYPES, options });
        return { source: pool, end: () => pool.end() };
      });
      conform('in a dialect of Kysely', (url) => {
        const pool = pgPool(url);
        return { source: new PostgresDialect({ pool }), end: () => pool.end() };
      });
    });
  } else {
    describe('a pool of mysql2', () => {
      conform('with rows as arrays, options and a session of its own', (url) => {
        const typeCast = (): string => ODD;
        const pool = mysqlPool(url, { ...ODD_MYSQL_OPTIONS, rowsAsArray: true, typeCast });
        return { source: pool, end: endOf(pool) };
      });
      conform('with nested tables', (url) => {
        const pool = mysqlPool(url, { ...ODD_MYSQL_OPTIONS, nestTables: true });
        return { source: pool, end: endOf(pool) };
      });
      conform('in a dialect of Kysely, with options and a session of its own', (url) => {
        const pool = mysqlPool(url, { ...ODD_MYSQL_OPTIONS, typeCast: false });
        return { source: new MysqlDialect({ pool }), end: endOf(pool) };
      });
    });

    test('a dialect of Kysely whose pool changes what is read is refused', async () => {
      const url = await newUrl();
      for (const options of [{ typeCast: (): string => ODD }, { nestTables: true } as const]) {
        const pool = mysqlPool(url, options);
        const db = sqlDatabase(new MysqlDialect({ pool }));
        await expect(db.migrate?.()).rejects.toThrow(
          'The database cannot be used: settings of its connections change what is read. Give the pool itself.',
        );
        await endOf(pool)();
      }
      expect(await ask(url, 'SHOW TABLES')).toEqual([]);
    });

    test('what the server quotes is taken out of its errors, quotes in it too', async () => {
      const db = sqlDatabase(await newUrl());
      await db.migrate?.();
      const token = { purpose: 'p', userId: 'u', data: {}, createdAt: 1e12, expiresAt: 1e12 };
      await db.oneTimeTokens.put({ ...token, key: 'a', hash: 'one' });
      await db.oneTimeTokens.put({ ...token, key: 'b', hash: "it's hunter2's" });
      const failure: unknown = await db.oneTimeTokens
        .put({ ...token, key: 'a', hash: "it's hunter2's" })
        .then(String, (error: unknown) => error);
      expect(failure).toMatchObject({ code: 'ER_DUP_ENTRY' });
      expect(JSON.stringify(failure, [...Object.getOwnPropertyNames(failure), 'cause'])).not.toContain(
        'hunter2',
      );
      await db.close?.();
    });

    test.each(['ssl-mode=VERIFY_IDENTITY', 'ssl-mode=VERIFY_CA', 'sslmode=verify-identity', 'ssl=true'])(
      'a URL that asks for TLS by %s is not served without',
      async (parameter) => {
        const db = sqlDatabase(`${await newUrl()}?${parameter}`);
        await expect(db.migrate?.()).rejects.toThrow(/secure|certificate/i);
        await db.close?.();
      },
    );

    test.each(['ssl-mode=DISABLED', 'ssl=false'])('a URL may ask for no TLS by %s', async (parameter) => {
      const db = sqlDatabase(`${await newUrl()}?${parameter}`);
      await db.migrate?.();
      await db.close?.();
    });

    test('what is too long for its column is refused, not cut', async () => {
      const url = await newUrl();
      const pool = mysqlPool(url);
      const db = sqlDatabase(pool);
      await db.migrate?.();
      await expect(db.users.create(aUser('x'.repeat(3_073)), [])).rejects.toThrow(RangeError);
      await expect(db.users.create(aUser('ada', { username: 'x'.repeat(65_536) }), [])).rejects.toThrow(
        RangeError,
      );
      await expect(db.sessions.create(aSession('1', 'ada', { expiresAt: 1e15 }))).rejects.toThrow(RangeError);
      expect(await ask(url, 'SELECT * FROM accounts_users')).toEqual([]);
      await endOf(pool)();
    });
  }

  test("the host's pool stays open when the database is closed", async () => {
    const url = await newUrl();
    const pool = name === 'PostgreSQL' ? pgPool(url) : mysqlPromise.createPool({ uri: url });
    const [first, second] = [sqlDatabase(pool), sqlDatabase(pool)];
    await first.migrate?.();
    await first.close?.();
    await first.close?.();
    await expect(first.users.findMany(['ada'])).rejects.toThrow('The database is closed.');
    expect(await second.users.findMany(['ada'])).toEqual([null]);
    await second.close?.();
    await (pool instanceof pg.Pool ? pool.query('SELECT 1') : pool.query('SELECT 1'));
    await pool.end();
  });

  test('an error of the server holds nothing of what was to be stored', async () => {
    const db = sqlDatabase(await newUrl());
    await db.migrate?.();
    const token = {
      purpose: 'p',
      userId: 'u',
      data: { secret: 'hunter2' },
      createdAt: 1e12,
      expiresAt: 1e12,
    };
    const failures = await Promise.all([
      db.identities
        .insert({ ...token, service: 'email', subject: 'eve@example.org', userId: 'nobody', version: 1 })
        .then(String, (error: unknown) => error),
      db.sessions
        .create(aSession('1', 'ada'))
        .then(() => db.sessions.create(aSession('1', 'ada', { userAgent: 'eve@example.org' })))
        .then(String, (error: unknown) => error),
    ]);
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(Error);
      const told = JSON.stringify(failure, [...Object.getOwnPropertyNames(failure), 'cause']);
      expect(told).not.toMatch(/eve@example|hunter2|nobody/);
      expect(told).not.toContain(Buffer.from('eve@example.org').toString('hex'));
    }
    await db.close?.();
  });
});

describe('hosts of SQLite', () => {
  describe('a dialect of Kysely', () => {
    databaseConformance({ describe, test, expect }, async () => {
      const db = sqlDatabase(sqliteDialect(new DatabaseSync(':memory:')));
      await db.migrate?.();
      return db;
    });
  });

  test('a change waits for the end of a transaction of the host, and is not taken back with it', async () => {
    const host = new DatabaseSync(':memory:', { readBigInts: true });
    const db = sqlDatabase(host);
    await db.migrate?.();
    await db.sessions.create(aSession('1', 'ada'));
    host.exec('BEGIN');
    const changes = Promise.all([db.sessions.revoke('1', 7), db.users.create(aUser('ada'), [])]);
    expect((await db.sessions.findMany(['1']))[0]?.revokedAt).toBe(null);
    host.exec('ROLLBACK');
    expect(await changes).toEqual([true, null]);
    expect((await db.sessions.findMany(['1']))[0]?.revokedAt).toBe(7);
    expect(await db.users.findMany(['ada'])).toEqual([aUser('ada')]);
  });

  test('a transaction of the host that does not end makes changes unavailable', async () => {
    const host = new DatabaseSync(':memory:');
    const db = sqlDatabase(host, { patience: 50 });
    await db.migrate?.();
    host.exec('BEGIN');
    await expect(db.users.create(aUser('ada'), [])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    host.exec('COMMIT');
    expect(await db.users.create(aUser('ada'), [])).toBe(null);
  });

  test('asking whether it is ready leaves nothing behind', async () => {
    const host = new DatabaseSync(':memory:');
    const prepare = vi.spyOn(host, 'prepare');
    const db = sqlDatabase(host);
    await db.migrate?.();
    await db.ping?.();
    const prepared = prepare.mock.calls.length;
    for (let n = 0; n < 10; n++) await db.ping?.();
    expect(prepare.mock.calls.length).toBe(prepared);
  });

  test("the host's connection stays open when the database is closed", async () => {
    const host = new DatabaseSync(':memory:');
    const db = sqlDatabase(host);
    await db.migrate?.();
    await db.close?.();
    await expect(db.users.findMany(['ada'])).rejects.toThrow('The database is closed.');
    expect(host.isOpen).toBe(true);
  });
});

test.each([
  '',
  'accounts',
  'redis://localhost',
  'mssql://localhost/x',
  'postgres:// secret:pass@/',
  'mysql://ada:pass@localhost/x?ssl-mode=maybe',
  null,
  {},
  { connect: () => 1 },
  [],
])('%j is no source', (source) => {
  expect(() => sqlDatabase(source as SqlSource)).toThrow(TypeError);
  expect(() => sqlDatabase(source as SqlSource)).not.toThrow(/pass/);
});

test.each([
  { poolSize: 0 },
  { poolSize: 1.5 },
  { patience: 0 },
  { patience: Number.NaN },
  { patience: 2 ** 31 },
])('%j are no options', (options) => {
  expect(() => sqlDatabase('sqlite::memory:', options)).toThrow(TypeError);
});

/** As for better-sqlite3, on node:sqlite. */
function sqliteDialect(db: DatabaseSync): Dialect {
  return new SqliteDialect({
    database: {
      close: () => db.close(),
      prepare: (sql) => {
        const statement = db.prepare(sql);
        const values = (given: readonly unknown[]) => given as never[];
        return {
          reader: statement.columns().length > 0,
          all: (given) => statement.all(...values(given)),
          run: (given) => statement.run(...values(given)),
          iterate: (given) => statement.iterate(...values(given)),
        };
      },
    },
  });
}
