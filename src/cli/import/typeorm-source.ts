import type { Client, QueryConfig } from 'pg';
import { within } from '../../core/deadline.ts';
import { MINUTE, SECOND } from '../../core/time.ts';
import { needPackage } from '../../need-package.ts';
import { BadConfiguration } from '../bad-configuration.ts';
import type { ForeignUser, UserSource } from './foreign-user.ts';
import { BATCH, CONNECT_TIMEOUT } from './sources.ts';

/** The tables of @accounts/typeorm, and the columns that are read of each. */
const TABLES = {
  user: ['id', 'username', 'deactivated', 'createdAt', 'updatedAt'],
  user_email: ['address', 'verified', 'userId'],
  user_service: ['name', 'options', 'serviceId', 'userId'],
};

/**
 * One query for a user with all that belongs to it: @accounts/typeorm makes no index on the users of addresses and
 * services, so that asking for those of each batch would read the whole tables each time.
 */
const USERS = `
  SELECT "user".*, "user".id::text AS id, emails.emails, services.services
  FROM "user"
  LEFT JOIN (
    SELECT "userId", json_agg(json_build_object('address', address, 'verified', verified)
      ORDER BY verified DESC, address) AS emails
    FROM user_email GROUP BY "userId"
  ) emails ON emails."userId" = "user".id
  LEFT JOIN (
    SELECT "userId", json_agg(json_build_object('name', name, 'id', "serviceId", 'options', options)
      ORDER BY name) AS services
    FROM user_service GROUP BY "userId"
  ) services ON services."userId" = "user".id
  ORDER BY "user".id`;

/** A server that is silent for so long is given up. It sorts and groups whole tables before the first user comes. */
const PATIENCE = { first: 15 * MINUTE, next: MINUTE };

/** The users that @accounts/typeorm has stored in PostgreSQL. */
export async function typeormSource(url: string, patience = PATIENCE): Promise<UserSource> {
  needPackage('pg', 'import');
  const { default: pg } = await import('pg');
  const client: Client = openClient(
    () => new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT }),
  );
  // The connection may be lost between two queries: the next one says so.
  client.on('error', () => {});
  try {
    await client.connect();
    await checkTables(client);
    // Every reading sees the same users, whoever changes them meanwhile.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0');
  } catch (error) {
    await leave(client);
    throw error;
  }
  const ask = (text: string, timeout: number) =>
    client.query<Row>({ text, query_timeout: timeout } as QueryConfig);
  return {
    async *users() {
      await ask(`DECLARE users NO SCROLL CURSOR FOR ${USERS}`, patience.next);
      for (let timeout = patience.first; ; timeout = patience.next) {
        const { rows } = await ask(`FETCH ${BATCH} FROM users`, timeout);
        if (rows.length === 0) break;
        yield rows.map(toForeignUser);
      }
      await ask('CLOSE users', patience.next);
    },
    close: () => leave(client),
  };
}

/** A server that does not answer does not take leave either. */
async function leave(client: Client): Promise<void> {
  await within(SECOND, client.end(), () => {});
}

function openClient(open: () => Client): Client {
  try {
    return open();
  } catch {
    throw new BadConfiguration('--from is no URL of PostgreSQL: give postgres://USER:PASSWORD@HOST/DATABASE');
  }
}

async function checkTables(client: Client): Promise<void> {
  for (const [table, columns] of Object.entries(TABLES)) {
    const { rows } = await client.query<{ attname: string }>(
      'SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped',
      [`"${table}"`],
    );
    const found = new Set(rows.map(({ attname }) => attname));
    const missing = columns.find((column) => !found.has(column));
    if (missing === undefined) continue;
    const what = found.size === 0 ? `no table ${table}` : `no column ${missing} in its table ${table}`;
    throw new BadConfiguration(
      `--from: the database has ${what}, as @accounts/typeorm makes it; give the database of accounts-js`,
    );
  }
}

interface Row {
  id: string;
  username: unknown;
  deactivated: unknown;
  createdAt: unknown;
  updatedAt: unknown;
  emails: unknown;
  services: { name: string; id: string | null; options: object | null }[] | null;
}

function toForeignUser({
  id,
  username,
  emails,
  services,
  deactivated,
  createdAt,
  updatedAt,
  ...custom
}: Row) {
  return {
    ...{ key: id, label: id, id, username, emails, deactivated, createdAt, updatedAt, custom },
    // A service without data and id was unlinked.
    services: (services ?? []).map(({ name, id: subject, options }): [string, unknown] => [
      name,
      subject === null ? options : { ...options, id: subject },
    ]),
  } satisfies ForeignUser;
}
