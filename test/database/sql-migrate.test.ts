import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import mysql from 'mysql2/promise';
import { describe, expect, test } from 'vitest';
import { aUser } from '../../src/database/conformance/records.ts';
import { NotMigrated } from '../../src/database/not-migrated.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { type SqlSource, sqlDatabase } from '../../src/database/sql/index.ts';
import { expectSchema1Session, expectSchema2 } from './fixtures/schemas.ts';
import { onSqlServers, readFixture } from './fixtures/sql.ts';

const FILES = ['0001-accounts', '0002-counters'];
/** Each has a fixture for each kind of database, as that release made and filled it. */
const SCHEMAS = FILES.map((file) => file.slice(0, 4));

function statementsIn(folder: string, file: string): string[] {
  const text = readFileSync(new URL(`../../migrations/${folder}/${file}.sql`, import.meta.url), 'utf8');
  return text.split(/;\s*\n/).filter((statement) => statement.trim() !== '');
}

async function messageOf(work: Promise<unknown> | undefined): Promise<string> {
  const error: unknown = await work?.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message : 'it went well';
}

async function using<T>(source: SqlSource, work: (db: AccountsDatabase) => Promise<T>): Promise<T> {
  const db = sqlDatabase(source);
  try {
    return await work(db);
  } finally {
    await db.close?.();
  }
}

const refusalOfMigrate = (source: SqlSource): Promise<string> =>
  using(source, (db) => messageOf(db.migrate?.()));

/** Every way in says the same. */
async function refusalOfUse(source: SqlSource): Promise<string> {
  return using(source, async (db) => {
    const refusals = await Promise.all([
      messageOf(db.ping?.()),
      messageOf(db.users.findMany(['ada'])),
      messageOf(db.users.create(aUser('ada'), [])),
      messageOf(db.sessions.revoke('1', 1)),
      messageOf(db.oneTimeTokens.find('hash')),
    ]);
    expect(new Set(refusals).size).toBe(1);
    return refusals[0] ?? '';
  });
}

const NO_TABLES =
  'The database cannot be used: it has no tables of graphql-accounts yet. Call `db.migrate()`';
const EMPTY = `${NO_TABLES}, or run \`npx graphql-accounts migrate --database-url …\`.`;
const OLDER =
  'The database cannot be used: its tables are of an older version. Call `db.migrate()`, or run `npx graphql-accounts migrate --database-url …`.';
const NEWER =
  'The database cannot be used: a newer version of graphql-accounts wrote it (schema 3, this one knows 2). Install that version.';
const changed = (table: string) =>
  `The database cannot be used: its table ${table} was changed by hand. Undo that, or restore it from a backup.`;
const foreign = (table: string) =>
  `The database cannot be used: its table ${table} is none that graphql-accounts has made. Rename that table, or give another database.`;
const NO_PERMISSION =
  'The database cannot be used: its user lacks a permission. GRANT it, or give another user.';

const FIRST_USER = {
  id: 'ada',
  version: 3,
  username: 'Ada',
  emails: [{ address: 'Ada@example.org', canonical: 'ada@example.org', verified: true, claimed: true }],
  deactivated: false,
  profile: { name: 'Ada 😀' },
  createdAt: Date.parse('2026-01-02T03:04:05.678Z'),
  updatedAt: Date.parse('2026-01-02T03:04:06Z'),
};

/** What the fixture of a released schema holds is found under the names that it was stored under. */
async function expectFirstUser(source: SqlSource, schema: string): Promise<void> {
  await using(source, async (db) => {
    await db.migrate?.();
    await db.ping?.();
    expect(await db.users.findMany(['ada'])).toEqual([FIRST_USER]);
    expect((await db.identities.find('email', 'ada@example.org'))?.userId).toBe('ada');
    await expectSchema1Session(db, { rotation: 2, userAgent: 'Browser' });
    await expectSchema2(db, schema >= '0002' ? 7 : 0);
    await db.oneTimeTokens.remove('another key');
    expect((await db.oneTimeTokens.find('hash'))?.data).toEqual({ a: 1 });
    await db.oneTimeTokens.remove('reset ada');
    expect(await db.oneTimeTokens.find('hash')).toBe(null);
  });
}

/** What a human does to tables, and which table the refusal names. */
const BY_HAND = [
  ['ALTER TABLE accounts_users ADD COLUMN age integer', 'accounts_users'],
  ['ALTER TABLE accounts_sessions DROP COLUMN user_agent', 'accounts_sessions'],
  ['ALTER TABLE accounts_sessions DROP COLUMN amr', 'accounts_sessions'],
  ['DROP TABLE accounts_one_time_tokens', 'accounts_one_time_tokens'],
  ['DROP TABLE accounts_counters', 'accounts_counters'],
] as const;

const BY_HAND_THERE = {
  PostgreSQL: [
    ['ALTER TABLE accounts_identities DROP CONSTRAINT accounts_identities_pkey', 'accounts_identities'],
    ['DROP INDEX accounts_one_time_tokens_by_hash', 'accounts_one_time_tokens'],
    // With these, an address could be two users', and a hash two tokens'.
    [
      'ALTER TABLE accounts_identities DROP CONSTRAINT accounts_identities_pkey, ADD PRIMARY KEY (id, created_at)',
      'accounts_identities',
    ],
    [
      `DROP INDEX accounts_one_time_tokens_by_hash;
       CREATE UNIQUE INDEX accounts_one_time_tokens_by_hash ON accounts_one_time_tokens (hash) WHERE purpose = 'x'`,
      'accounts_one_time_tokens',
    ],
    ['ALTER TABLE accounts_users ALTER COLUMN version TYPE integer', 'accounts_users'],
    ['ALTER TABLE accounts_users ALTER COLUMN emails DROP NOT NULL', 'accounts_users'],
  ],
  MariaDB: [
    ['ALTER TABLE accounts_identities DROP PRIMARY KEY', 'accounts_identities'],
    // With these, an address could be two users', and a hash two tokens'.
    [
      'ALTER TABLE accounts_identities DROP PRIMARY KEY, ADD PRIMARY KEY (id, created_at)',
      'accounts_identities',
    ],
    [
      `ALTER TABLE accounts_one_time_tokens DROP KEY accounts_one_time_tokens_by_hash,
         ADD UNIQUE KEY accounts_one_time_tokens_by_hash (hash, purpose)`,
      'accounts_one_time_tokens',
    ],
    ['DROP INDEX accounts_one_time_tokens_by_hash ON accounts_one_time_tokens', 'accounts_one_time_tokens'],
    ['ALTER TABLE accounts_sessions MODIFY id VARCHAR(255) NOT NULL', 'accounts_sessions'],
  ],
} as const;

onSqlServers('migrations on', ({ name, ask, newUrl, fixture }) => {
  const migrated = async (): Promise<string> => {
    const url = await newUrl();
    await using(url, async (db) => db.migrate?.());
    return url;
  };
  const tables = async (url: string): Promise<unknown[]> => {
    const schema = name === 'PostgreSQL' ? 'current_schema()' : 'database()';
    const rows = await ask(
      url,
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema} ORDER BY 1`,
    );
    return rows.map((row) => row.name);
  };

  test('an empty database is refused with a line that names the command, and nothing is written', async () => {
    const url = await newUrl();
    expect(await refusalOfUse(url)).toBe(EMPTY);
    expect(await tables(url)).toEqual([]);
  });

  test('a database is used as soon as it is migrated, also by whoever was refused before', async () => {
    await using(await newUrl(), async (db) => {
      await expect(db.ping?.()).rejects.toBeInstanceOf(NotMigrated);
      expect(await messageOf(db.users.findMany(['ada']))).toBe(EMPTY);
      await db.migrate?.();
      await db.migrate?.();
      expect(await db.users.findMany(['ada'])).toEqual([null]);
    });
  });

  test('a migration makes six tables, and tells which and when', async () => {
    const url = await migrated();
    expect(await tables(url)).toEqual([
      'accounts_counters',
      'accounts_identities',
      'accounts_migrations',
      'accounts_one_time_tokens',
      'accounts_sessions',
      'accounts_users',
    ]);
    const checksum = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(await ask(url, 'SELECT * FROM accounts_migrations ORDER BY version')).toMatchObject([
      { name: '0001-accounts', checksum },
      { name: '0002-counters', checksum },
    ]);
  });

  test.each(SCHEMAS)('the released schema %s is accepted with what it holds', async (schema) => {
    const url = await newUrl();
    await ask(url, ...fixture(schema));
    await expectFirstUser(url, schema);
  });

  test('a database of schema 1 is refused until it is migrated, and so is one that was changed by hand', async () => {
    const url = await newUrl();
    await ask(url, ...fixture('0001'));
    expect(await refusalOfUse(url)).toBe(OLDER);
    await ask(url, 'ALTER TABLE accounts_sessions ADD COLUMN by_hand integer');
    expect(await refusalOfMigrate(url)).toBe(changed('accounts_sessions'));
    await ask(url, 'ALTER TABLE accounts_sessions DROP COLUMN by_hand');
    await ask(url, 'CREATE TABLE accounts_counters (id integer)');
    expect(await refusalOfMigrate(url)).toBe(foreign('accounts_counters'));
    // Nothing was done.
    expect(await refusalOfUse(url)).toBe(OLDER);
    await ask(url, 'DROP TABLE accounts_counters');
    await expectFirstUser(url, '0001');
  });

  test('a process of schema 1 that is still at work makes sessions that are good', async () => {
    const url = await migrated();
    const [at, end] = ["'2026-01-02 03:04:05.678'", "'2099-01-02 03:04:05.678'"];
    await ask(
      url,
      `INSERT INTO accounts_sessions
         (id, user_id, version, rotation, rotated_at, created_at, idle_expires_at, expires_at)
       VALUES ('later', 'ada', 1, 1, ${at}, ${at}, ${end}, ${end})`,
    );
    const found = await using(url, (db) => db.sessions.findMany(['later']));
    expect(found).toMatchObject([{ authenticatedAt: found[0]?.createdAt, amr: [] }]);
  });

  const folder = name === 'PostgreSQL' ? 'postgres' : 'mysql';

  test.each([1, 2])('a database whose files were run by hand, %i of them, is taken over', async (count) => {
    const url = await newUrl();
    for (const file of FILES.slice(0, count)) await ask(url, ...statementsIn(folder, file));
    expect(await refusalOfUse(url)).toBe(EMPTY);
    expect(await refusalOfMigrate(url)).toBe('it went well');
    expect(await using(url, (db) => messageOf(db.ping?.()))).toBe('it went well');
  });

  test('a newer version is refused and left as it is', async () => {
    const url = await migrated();
    const now = name === 'PostgreSQL' ? 'now()' : 'utc_timestamp(3)';
    await ask(
      url,
      `INSERT INTO accounts_migrations VALUES (3, '0003', 'x', ${now})`,
      'ALTER TABLE accounts_users ADD COLUMN newer integer',
    );
    expect(await refusalOfUse(url)).toBe(NEWER);
    expect(await refusalOfMigrate(url)).toBe(NEWER);
    expect((await ask(url, 'SELECT * FROM accounts_migrations')).length).toBe(3);
  });

  test.each([...BY_HAND, ...BY_HAND_THERE[name]])('%s: is noticed and refused', async (statement, table) => {
    const url = await migrated();
    await ask(url, statement);
    expect(await refusalOfUse(url)).toBe(changed(table));
    expect(await refusalOfMigrate(url)).toBe(changed(table));
  });

  test('an index that was added by hand is welcome', async () => {
    const url = await migrated();
    await ask(url, 'CREATE INDEX ours ON accounts_users (created_at)');
    expect(await using(url, (db) => messageOf(db.ping?.()))).toBe('it went well');
  });

  test.each(['accounts_users', 'accounts_migrations'])(
    "somebody else's table %s is refused and left as it is",
    async (table) => {
      const url = await newUrl();
      await ask(url, `CREATE TABLE ${table} (id integer)`, `INSERT INTO ${table} VALUES (1)`);
      expect(await refusalOfUse(url)).toBe(foreign(table));
      expect(await refusalOfMigrate(url)).toBe(foreign(table));
      expect(await tables(url)).toEqual([table]);
      expect(await ask(url, `SELECT * FROM ${table}`)).toEqual([{ id: 1 }]);
    },
  );

  test('a user who may make no tables is told so, and nothing is written', async () => {
    const url = await newUrl();
    const database = new URL(url).pathname.slice(1);
    const guest = `guest_${database}`.slice(0, 30);
    await ask(
      url,
      ...(name === 'PostgreSQL'
        ? [`CREATE ROLE ${guest} LOGIN PASSWORD 'secret'`]
        : [`CREATE USER ${guest} IDENTIFIED BY 'secret'`, `GRANT SELECT ON ${database}.* TO ${guest}`]),
    );
    expect(await refusalOfMigrate(Object.assign(new URL(url), { username: guest }).href)).toBe(NO_PERMISSION);
    expect(await tables(url)).toEqual([]);
  });

  test('a wrong password is told without the password', async () => {
    const url = Object.assign(new URL(await newUrl()), { password: 'hunter2' }).href;
    const refusal = await refusalOfMigrate(url);
    expect(refusal).toMatch(/password|denied/i);
    expect(refusal).not.toContain('hunter2');
  });

  test.runIf(name === 'MariaDB')('a migration that was cut anywhere is finished by the next', async () => {
    const statements = fixture('0001').filter((statement) => statement.includes('CREATE TABLE'));
    for (let cut = 0; cut <= statements.length; cut++) {
      const url = await newUrl();
      await ask(url, ...statements.slice(0, cut));
      expect(await refusalOfUse(url)).toBe(EMPTY);
      expect(await refusalOfMigrate(url)).toBe('it went well');
      expect(await using(url, (db) => messageOf(db.users.create(aUser('ada'), [])))).toBe('it went well');
    }
  });

  test.runIf(name === 'MariaDB')('one that was cut on the way from schema 1 to 2 as well', async () => {
    const statements = statementsIn('mysql', '0002-counters');
    expect(statements.length).toBeGreaterThan(2);
    for (let cut = 0; cut <= statements.length; cut++) {
      const url = await newUrl();
      await ask(url, ...fixture('0001'), ...statements.slice(0, cut));
      expect(await refusalOfUse(url)).toBe(OLDER);
      await expectFirstUser(url, '0001');
    }
  });

  test.runIf(name === 'MariaDB')('connections that commit nothing by themselves are refused', async () => {
    const pool = mysql.createPool({ uri: await newUrl() });
    pool.pool.on('connection', (connection) => connection.query('SET autocommit = 0'));
    expect(await refusalOfMigrate(pool)).toBe(
      'The database cannot be used: autocommit is off. Give a pool whose connections leave it on.',
    );
    await pool.end();
  });

  test.runIf(name === 'PostgreSQL')(
    'a replica, and a database of another encoding, are refused',
    async () => {
      const url = await newUrl();
      const database = new URL(url).pathname.slice(1);
      await ask(url, `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
      expect(await refusalOfMigrate(url)).toBe(
        'The database cannot be used: it takes no changes. Give the primary server, not a replica.',
      );
      await ask(
        await newUrl(),
        `CREATE DATABASE latin_${database} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
      );
      expect(
        await refusalOfMigrate(Object.assign(new URL(url), { pathname: `latin_${database}` }).href),
      ).toBe("The database cannot be used: its encoding is not UTF8. Make one WITH ENCODING 'UTF8'.");
    },
  );
});

describe('migrations on SQLite', () => {
  const migrated = async (): Promise<DatabaseSync> => {
    const db = new DatabaseSync(':memory:');
    await using(db, async (accounts) => accounts.migrate?.());
    return db;
  };

  test('an empty database is refused with a line that names the command, and nothing is written', async () => {
    const db = new DatabaseSync(':memory:');
    expect(await refusalOfUse(db)).toBe(`${NO_TABLES}.`);
    expect(db.prepare('SELECT * FROM sqlite_schema').all()).toEqual([]);
  });

  test.each(SCHEMAS)('the released schema %s is accepted with what it holds', async (schema) => {
    const db = new DatabaseSync(':memory:');
    for (const statement of readFixture(`sqlite-${schema}`)) db.exec(statement);
    if (schema < '0002') expect(await refusalOfUse(db)).toMatch(/its tables are of an older version/);
    await expectFirstUser(db, schema);
  });

  test.each([1, 2])('a database whose files were run by hand, %i of them, is taken over', async (count) => {
    const db = new DatabaseSync(':memory:');
    for (const file of FILES.slice(0, count))
      for (const statement of statementsIn('sqlite', file)) db.exec(statement);
    expect(await refusalOfMigrate(db)).toBe('it went well');
    expect(await using(db, (accounts) => messageOf(accounts.ping?.()))).toBe('it went well');
  });

  test('a newer version is refused and left as it is', async () => {
    const db = await migrated();
    db.exec("INSERT INTO accounts_migrations VALUES (3, '0003', 'x', 0)");
    expect(await refusalOfUse(db)).toBe(NEWER);
    expect(await refusalOfMigrate(db)).toBe(NEWER);
  });

  test.each(BY_HAND)('%s: is noticed and refused', async (statement, table) => {
    const db = await migrated();
    db.exec(statement);
    expect(await refusalOfUse(db)).toBe(changed(table));
    expect(await refusalOfMigrate(db)).toBe(changed(table));
  });

  test.each([
    'CREATE UNIQUE INDEX accounts_one_time_tokens_by_hash ON accounts_one_time_tokens (hash, purpose)',
    "CREATE UNIQUE INDEX accounts_one_time_tokens_by_hash ON accounts_one_time_tokens (hash) WHERE purpose = 'x'",
  ])('%s: is noticed and refused', async (statement) => {
    const db = await migrated();
    db.exec('DROP INDEX accounts_one_time_tokens_by_hash');
    db.exec(statement);
    expect(await refusalOfUse(db)).toBe(changed('accounts_one_time_tokens'));
  });

  test("somebody else's table is refused and left as it is", async () => {
    const db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE accounts_users (id INTEGER)');
    expect(await refusalOfUse(db)).toBe(foreign('accounts_users'));
    expect(await refusalOfMigrate(db)).toBe(foreign('accounts_users'));
    expect(db.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'accounts_users' }]);
  });

  test('a file that cannot be written is refused with what to do', async () => {
    const db = new DatabaseSync(':memory:');
    db.exec('PRAGMA query_only = ON');
    expect(await refusalOfMigrate(db)).toMatch(/^The database cannot be used: it cannot be written\./);
  });
});
