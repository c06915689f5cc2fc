// npm run bench:growth [-- STORE …]: whether anything gets slower as a store fills, and how large it gets.
//
// Two databases of each store of users, with 1,000 and GROWTH_USERS (1,000,000) of them, are asked in turn, round by
// round, in alternating order. What is measured is the time of whole calls of the library, one after the other, with a
// hasher that costs nothing: ratios of one run, nothing else, are comparable.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../src/cli/stores/urls.ts';
import type { AccountsDatabase } from '../src/database/ports.ts';
import { AccountsServer, password } from '../src/index.ts';
import { askMariadb } from '../test/servers/mariadb.ts';
import { MONGO_IS_OURS } from '../test/servers/mongo.ts';
import { askPostgres } from '../test/servers/postgres.ts';
import { STORES } from '../test/servers/stores.ts';
import { fill } from './fill.ts';
import { PASSWORD } from './requests.ts';

const SMALL = 1_000;
const LARGE = Number(process.env.GROWTH_USERS ?? 1_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const CALLS = 200;
const SESSIONS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-growth-'));

interface Sized {
  name: string;
  newUrl(): Promise<string>;
  bytes(url: string): Promise<number | null>;
  close(): Promise<void>;
}

interface Filled {
  users: number;
  db: AccountsDatabase;
  server: ReturnType<typeof createServer>;
  close(): Promise<void>;
}

function starters(wanted: readonly string[]): (() => Promise<Sized | null>)[] {
  let files = 0;
  const sqlite: Sized = {
    name: 'SQLite',
    newUrl: async () => `sqlite:${join(folder, `${++files}`, 'accounts.db')}`,
    bytes: async (url) => {
      const place = join(url.slice('sqlite:'.length), '..');
      return readdirSync(place).reduce((sum, file) => sum + statSync(join(place, file)).size, 0);
    },
    close: async () => {},
  };
  const sizes: { [store: string]: Sized['bytes'] } = {
    PostgreSQL: async (url) => {
      const [row] = await askPostgres(
        url,
        'CHECKPOINT',
        'SELECT pg_database_size(current_database()) AS bytes',
      );
      return Number(row?.bytes);
    },
    MariaDB: async (url) => {
      const database = new URL(url).pathname.slice(1);
      const [row] = await askMariadb(
        url,
        'ANALYZE TABLE accounts_users, accounts_identities, accounts_sessions, accounts_one_time_tokens, accounts_counters',
        `SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables WHERE table_schema = '${database}'`,
      );
      return Number(row?.bytes);
    },
  };
  const servers = STORES.filter(({ name }) => !name.startsWith('Redis')).map(({ name, start }) => ({
    name,
    start: async (): Promise<Sized | null> => {
      const running = await start();
      return (
        running && {
          name,
          newUrl: async () => (await running.newSettings()).DATABASE_URL,
          bytes: sizes[name] ?? (async () => null),
          close: running.close,
        }
      );
    },
  }));
  const all = [{ name: 'SQLite', start: async () => sqlite }, ...servers];
  return all.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map(({ start }) => start);
}

async function measure(store: Sized): Promise<void> {
  console.log(`\n${store.name}`);
  const filled: Filled[] = [];
  try {
    if (store.name === 'MongoDB' && MONGO_IS_OURS) {
      console.log(
        '  not measured: the server of the tests keeps no index but unique ones; set MONGODB_URI to yours',
      );
      return;
    }
    for (const users of [SMALL, LARGE]) filled.push(await make(store, users));
    for (const [name, prepare] of Object.entries(OPERATIONS)) {
      const micros = new Map(filled.map((each) => [each, [] as number[]]));
      for (let round = 0; round <= ROUNDS; round++)
        for (const each of round % 2 === 0 ? filled : filled.toReversed()) {
          const call = await prepare(each);
          const started = performance.now();
          for (let n = 0; n < CALLS; n++) await call(n);
          // Round 0 warms up and is not counted.
          if (round > 0) micros.get(each)?.push(((performance.now() - started) * 1000) / CALLS);
        }
      const [small = 0, large = 0] = filled.map((each) => median(micros.get(each) ?? []));
      console.log(
        `  ${name.padEnd(40)} ${Math.round(small)} µs, ${Math.round(large)} µs: ${(large / small).toFixed(2)}`,
      );
    }
  } finally {
    for (const { close } of filled) await close();
  }
}

async function make({ newUrl, bytes }: Sized, users: number): Promise<Filled> {
  const url = await newUrl();
  const { store: db, close } = await openDatabase(parseDatabaseUrl(url, 'URL'), {
    name: 'URL',
    migrate: true,
  });
  const empty = await bytes(url);
  const started = performance.now();
  await fill(db, 0, users);
  const perSecond = Math.round(users / ((performance.now() - started) / 1000));
  const withUsers = await bytes(url);
  const server = createServer(db);
  // Sessions of many users, of 100 at once.
  for (let n = 0; n < SESSIONS; n += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        logIn(server, { users }, Math.floor(((n + i) * users) / SESSIONS)),
      ),
    );
  const withSessions = await bytes(url);
  const size = (from: number | null, to: number | null, count: number): string =>
    from === null || to === null ? 'not measured' : `${Math.round((to - from) / count)} bytes`;
  console.log(
    `  ${users} users (${perSecond} a second): ${size(empty, withUsers, users)} a user, ${size(withUsers, withSessions, SESSIONS)} a session`,
  );
  return { users, db, server, close };
}

function createServer(db: AccountsDatabase) {
  return new AccountsServer(
    { db, tokenSecret: 'a secret of the benchmark, long enough' },
    {
      password: password({
        hashPassword: async (typed) => typed,
        verifyPassword: async (typed) => typed === PASSWORD,
      }),
    },
  );
}

function logIn(server: Filled['server'], { users }: { users: number }, n: number) {
  return server.loginWithService('password', { user: `user${n % users}@example.com`, password: PASSWORD });
}

/** Users far from each other, never the same twice in a round. */
const spread = ({ users }: Filled, n: number): number => Math.floor((n * users) / CALLS);

const OPERATIONS: { [name: string]: (filled: Filled) => Promise<(n: number) => Promise<unknown>> } = {
  'resumeSession (getUser)': async (filled) => {
    const logins = await loginsOf(filled);
    return (n) => filled.server.resumeSession(logins[n]?.accessToken ?? '');
  },
  login: async (filled) => (n) => logIn(filled.server, filled, spread(filled, n)),
  refreshTokens: async (filled) => {
    const logins = await loginsOf(filled);
    return (n) => filled.server.refreshTokens(logins[n]?.accessToken ?? '', logins[n]?.refreshToken ?? '');
  },
  'invalidateAllSessions of one user': async (filled) => {
    await loginsOf(filled);
    return (n) => filled.db.invalidateAllSessions(`id-${spread(filled, n)}`);
  },
};

async function loginsOf(filled: Filled) {
  const logins = await Promise.all(
    Array.from({ length: CALLS }, (_, n) => logIn(filled.server, filled, spread(filled, n))),
  );
  return logins.map(({ tokens }) => tokens);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const wanted = process.argv.slice(2);
try {
  for (const start of starters(wanted)) {
    const store = await start();
    if (!store) continue;
    try {
      await measure(store);
    } finally {
      await store.close();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
