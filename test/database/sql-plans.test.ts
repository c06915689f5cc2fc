// Every statement of a look-up finds its rows by an index, so that it costs the same among a million.
import { DatabaseSync } from 'node:sqlite';
import mysql from 'mysql2';
import pg from 'pg';
import { expect, test } from 'vitest';
import {
  aCounter,
  anIdentity,
  aSession,
  aToken,
  aUser,
  NOW,
} from '../../src/database/conformance/records.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { sqlDatabase } from '../../src/database/sql/index.ts';
import { onSqlServers } from './fixtures/sql.ts';

const ROWS = 3_000;

async function fill(db: AccountsDatabase): Promise<void> {
  await db.migrate?.();
  const expired = (n: number) => ({ expiresAt: NOW + (n % 100 === 0 ? -1_000 : 1e9) });
  for (let from = 0; from < ROWS; from += 100)
    await Promise.all(
      Array.from({ length: 100 }, async (_, place) => {
        const n = from + place;
        await db.users.create(aUser(`user ${n}`), [anIdentity(`user ${n}`, `subject ${n}`)]);
        await db.sessions.create(aSession(`session ${n}`, `user ${n}`, expired(n)));
        await db.oneTimeTokens.put(aToken(`key ${n}`, `hash ${n}`, { userId: `user ${n}`, ...expired(n) }));
        await db.counters?.put(aCounter(`counter ${n}`, expired(n)));
      }),
    );
}

/** Every call but those that only insert. */
const CALLS: { [name: string]: (db: AccountsDatabase) => Promise<unknown> } = {
  'users.findMany': (db) => db.users.findMany(['user 1', 'user 2']),
  'users.update': (db) => db.users.update(aUser('user 1', { version: 9 })),
  'identities.find': (db) => db.identities.find('email', 'subject 1'),
  'identities.findByUser': (db) => db.identities.findByUser('user 1'),
  'identities.update': (db) => db.identities.update(anIdentity('user 1', 'subject 1', { version: 9 })),
  'identities.remove': (db) => db.identities.remove('email', 'subject 1', 9),
  'sessions.findMany': (db) => db.sessions.findMany(['session 1', 'session 2']),
  'sessions.findWithUsers': async (db) => db.sessions.findWithUsers?.(['session 1', 'session 2']),
  'sessions.update': (db) => db.sessions.update(aSession('session 1', 'user 1', { version: 9 })),
  'sessions.revoke': (db) => db.sessions.revoke('session 1', NOW),
  'sessions.revokeAll': (db) => db.sessions.revokeAll('user 2', NOW, ['session 1']),
  'sessions.findByUser': (db) => db.sessions.findByUser('user 3'),
  'sessions.removeExpired': (db) => db.sessions.removeExpired(NOW - 1e6),
  'oneTimeTokens.find': (db) => db.oneTimeTokens.find('hash 1'),
  'oneTimeTokens.consume': (db) => db.oneTimeTokens.consume('hash 2', 'reset-password'),
  'oneTimeTokens.remove': (db) => db.oneTimeTokens.remove('key 3'),
  'oneTimeTokens.removeByUser': (db) => db.oneTimeTokens.removeByUser('user 4'),
  'oneTimeTokens.removeByUser of one purpose': (db) => db.oneTimeTokens.removeByUser('user 4', 'enrol'),
  'oneTimeTokens.removeExpired': (db) => db.oneTimeTokens.removeExpired(NOW - 1e6),
  'counters.find': async (db) => db.counters?.find('counter 1'),
  'counters.remove': async (db) => db.counters?.remove('counter 2'),
  'counters.removeExpired': async (db) => db.counters?.removeExpired(NOW - 1e6),
};

interface Asked {
  text: string;
  values: readonly unknown[];
}

/** Calls each, and gives the statements of each; those that read the schema come before. */
async function statementsOf(db: AccountsDatabase, asked: Asked[]): Promise<[string, Asked][]> {
  const statements: [string, Asked][] = [];
  for (const [name, call] of Object.entries(CALLS)) {
    asked.length = 0;
    await call(db);
    expect(asked.length).toBeGreaterThan(0);
    for (const one of asked) statements.push([name, one]);
  }
  return statements;
}

onSqlServers('plans of', ({ name, newUrl }) => {
  test.runIf(name === 'PostgreSQL')('name an index for every look-up', async () => {
    const pool = new pg.Pool({ connectionString: await newUrl(), max: 5 });
    const asked: Asked[] = [];
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      client.query = ((...args: [Asked]) => {
        asked.push(args[0]);
        return query(...args);
      }) as typeof client.query;
    });
    const db = sqlDatabase(pool);
    await fill(db);
    const statements = await statementsOf(db, asked);
    await pool.query('ANALYZE');
    for (const [call, { text, values }] of statements) {
      const { rows } = await pool.query({ text: `EXPLAIN ${text}`, values: [...values] });
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect.soft(plan, call).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
      expect.soft(plan, call).not.toMatch(/Seq Scan/);
    }
    await pool.end();
  });

  test.runIf(name === 'MariaDB')('name an index for every look-up', async () => {
    const pool = mysql.createPool({ uri: await newUrl(), connectionLimit: 5 });
    const asked: Asked[] = [];
    pool.on('connection', (connection) => {
      const query = connection.query.bind(connection) as (...args: unknown[]) => unknown;
      connection.query = ((one: { sql: string; values: unknown[] }, callback: unknown) => {
        asked.push({ text: one.sql, values: one.values });
        return query(one, callback);
      }) as typeof connection.query;
    });
    const db = sqlDatabase(pool);
    await fill(db);
    const statements = await statementsOf(db, asked);
    const promised = pool.promise();
    await promised.query(
      'ANALYZE TABLE accounts_users, accounts_identities, accounts_sessions, accounts_one_time_tokens, accounts_counters',
    );
    for (const [call, { text, values }] of statements) {
      const [rows] = await promised.query<mysql.RowDataPacket[]>(`EXPLAIN ${text}`, [...values]);
      // A primary key that is not there is known before there is a plan.
      for (const { type, key, Extra } of rows)
        if (key === null) expect.soft(Extra, `${call} (${type})`).toMatch(/Impossible WHERE|no matching row/);
      for (const { type } of rows) expect.soft(type, call).not.toBe('ALL');
    }
    await promised.end();
  });
});

test('plans of SQLite name an index for every look-up', async () => {
  const host = new DatabaseSync(':memory:');
  const asked: Asked[] = [];
  const prepare = host.prepare.bind(host);
  host.prepare = (text) => {
    asked.push({ text, values: [] });
    return prepare(text);
  };
  const db = sqlDatabase(host);
  await fill(db);
  const texts: [string, string][] = [];
  for (const [name, call] of Object.entries(CALLS)) {
    // Another one each time: it prepares its statements at their first use.
    const fresh = sqlDatabase(host);
    await fresh.sessions.create(aSession(`of ${name}`, 'nobody'));
    asked.length = 0;
    await call(fresh);
    for (const { text } of asked) texts.push([name, text]);
  }
  host.exec('ANALYZE');
  for (const [call, text] of texts) {
    const plan = prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map(({ detail }) => String(detail));
    const ours = plan.filter((line) => line.includes('accounts_'));
    expect.soft(ours.length, call).toBeGreaterThan(0);
    for (const line of ours) expect.soft(line, call).toMatch(/^SEARCH .* USING/);
  }
});
