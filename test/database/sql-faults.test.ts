import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { anIdentity, aSession, aUser } from '../../src/database/conformance/records.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { type SqlOptions, type SqlSource, sqlDatabase } from '../../src/database/sql/index.ts';
import { type FaultyProxy, startProxy } from '../servers/proxy.ts';
import { onSqlServers } from './fixtures/sql.ts';

const open: { close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close?.();
});

async function migrated(source: SqlSource, options?: SqlOptions): Promise<AccountsDatabase> {
  const db = sqlDatabase(source, options);
  open.push(db);
  await db.migrate?.();
  return db;
}

/** Makes the tables, and leaves nothing open. */
async function migrate(url: string): Promise<void> {
  const db = sqlDatabase(url);
  await db.migrate?.();
  await db.close?.();
}

/** Ten at once, so that each connection of a pool is used. */
const askTen = (db: AccountsDatabase): Promise<unknown[]> =>
  Promise.all(Array.from({ length: 10 }, () => db.users.findMany(['ada'])));

onSqlServers('failures of', ({ name, server, newUrl, ask }) => {
  const proxied = async (): Promise<{ url: string; proxy: FaultyProxy }> => {
    const proxy = await startProxy(server.port);
    open.push(proxy);
    const url = (await newUrl()).replace(`:${server.port}/`, `:${proxy.port}/`);
    return { url, proxy };
  };
  const poolOf = (url: string, size: number) => {
    const pool =
      name === 'PostgreSQL'
        ? new pg.Pool({ connectionString: url, max: size })
        : mysql.createPool({ uri: url, connectionLimit: size });
    open.push({ close: () => pool.end() });
    return pool;
  };
  const sleeping = name === 'PostgreSQL' ? 'SELECT pg_sleep(1)' : 'SELECT sleep(1)';

  test('after a restart and after a kill of the server the next calls are answered', async () => {
    const url = await newUrl();
    const [own, hosts] = [await migrated(url), await migrated(poolOf(url, 10))];
    await own.users.create(aUser('ada'), []);
    for (const end of [server.stop, server.kill]) {
      for (const db of [own, hosts]) await askTen(db);
      await end();
      for (const db of [own, hosts]) await expect(db.users.findMany(['ada'])).rejects.toThrow();
      await server.start();
      for (const db of [own, hosts]) {
        await vi.waitFor(() => askTen(db), { timeout: 5_000 });
        expect((await db.users.findMany(['ada']))[0]?.id).toBe('ada');
      }
    }
  });

  test('a server that is silent makes calls unavailable, and is well again at once', async () => {
    const { url, proxy } = await proxied();
    const [own, hosts] = [
      await migrated(url, { patience: 300 }),
      await migrated(poolOf(url, 10), { patience: 300 }),
    ];
    for (const db of [own, hosts]) await askTen(db);
    await proxy.turn('silent');
    for (const db of [own, hosts])
      await expect(db.users.findMany(['ada'])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    // Connections that lost packets are dead for good, though the way is open again.
    await proxy.turn('open');
    for (const db of [own, hosts]) expect(await askTen(db)).toEqual(Array.from({ length: 10 }, () => [null]));
  });

  test('a connection that is cut in a transaction leaves nothing, and does not go back to the pool', async () => {
    const { url, proxy } = await proxied();
    const db = await migrated(url, { poolSize: 1 });
    for (let round = 0; round < 5; round++) {
      await askTen(db);
      await proxy.turn('reset');
      await expect(db.users.create(aUser('ada'), [anIdentity('ada', 'a')])).rejects.toThrow();
      await proxy.turn('open');
      expect(await db.users.findMany(['ada'])).toEqual([null]);
    }
    expect(await db.users.create(aUser('ada'), [anIdentity('ada', 'a')])).toBe(null);
  });

  test('who waits too long for a connection of an exhausted pool is refused, and the pool is whole after', async () => {
    const url = await newUrl();
    const pool = poolOf(url, 2);
    const db = await migrated(pool, { patience: 200 });
    await db.users.findMany(['ada']);
    const occupy = () => (pool instanceof pg.Pool ? pool.query(sleeping) : pool.query(sleeping));
    const occupied = [occupy(), occupy()];
    await expect(db.users.findMany(['ada'])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await Promise.all(occupied);
    expect(await askTen(db)).toEqual(Array.from({ length: 10 }, () => [null]));
  });

  test('an idle connection that the server ends does not end the process', async () => {
    const url = await newUrl();
    const [own, hosts] = [await migrated(url), await migrated(poolOf(url, 3))];
    for (const db of [own, hosts]) await askTen(db);
    if (name === 'PostgreSQL')
      await ask(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    else {
      const rows = await ask(
        url,
        'SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()',
      );
      await ask(url, ...rows.map(({ id }) => `KILL ${id}`));
    }
    for (const db of [own, hosts]) {
      await vi.waitFor(() => askTen(db), { timeout: 5_000 });
      expect(await askTen(db)).toEqual(Array.from({ length: 10 }, () => [null]));
    }
  });

  test('queries that nobody waits for any more do not fill the server while a table is locked', async () => {
    const url = await newUrl();
    const db = await migrated(url, { poolSize: 5, patience: 200 });
    await askTen(db);
    const locker = poolOf(url, 1);
    const query = (text: string) => (locker instanceof pg.Pool ? locker.query(text) : locker.query(text));
    const [lock, unlock] =
      name === 'PostgreSQL'
        ? (['BEGIN; LOCK TABLE accounts_users', 'COMMIT'] as const)
        : (['LOCK TABLES accounts_users WRITE', 'UNLOCK TABLES'] as const);
    await query(lock);
    for (let round = 0; round < 6; round++)
      await expect(askTen(db)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const connections = async (): Promise<number> => {
      const [row] = await ask(
        url,
        name === 'PostgreSQL'
          ? 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database()'
          : 'SELECT count(*) AS n FROM information_schema.processlist WHERE db = database()',
      );
      return Number(row?.n);
    };
    // Who locks, who asks, and a pool.
    await vi.waitFor(async () => expect(await connections()).toBeLessThanOrEqual(7), { timeout: 5_000 });
    await query(unlock);
    await vi.waitFor(() => askTen(db), { timeout: 5_000 });
  });

  test.runIf(name === 'MariaDB')('the server waits for a row hardly longer than we do', async () => {
    const url = await newUrl();
    const db = await migrated(url, { poolSize: 1, patience: 200 });
    await db.sessions.create(aSession('1', 'ada'));
    const locker = mysql.createPool({ uri: url, connectionLimit: 1 });
    open.push({ close: () => locker.end() });
    await locker.query('BEGIN');
    await locker.query("UPDATE accounts_sessions SET ip = 'x' WHERE id = '1'");
    await expect(db.sessions.revoke('1', 7)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const waiting =
      "SELECT id FROM information_schema.processlist WHERE info LIKE 'UPDATE accounts_sessions%'";
    await vi.waitFor(async () => expect(await ask(url, waiting)).toEqual([]), { timeout: 5_000 });
    await locker.query('COMMIT');
    expect((await db.sessions.findMany(['1']))[0]?.revokedAt).toBe(null);
  });

  test('closing ends while the server is silent and calls wait', async () => {
    const { url, proxy } = await proxied();
    const db = await migrated(url, { poolSize: 3, patience: 300 });
    await askTen(db);
    await proxy.turn('silent');
    const calls = Promise.allSettled(Array.from({ length: 10 }, () => db.users.findMany(['ada'])));
    await Promise.race([calls, new Promise((resolve) => setImmediate(resolve))]);
    await db.close?.();
    expect((await calls).every(({ status }) => status === 'rejected')).toBe(true);
  });

  test('a call that was begun before the end opens nothing after it', async () => {
    const { url, proxy } = await proxied();
    await migrate(url);
    const before = proxy.connections().ever;
    const db = sqlDatabase(url);
    const call = db.users.findMany(['ada']);
    await db.close?.();
    await expect(call).rejects.toThrow('The database is closed.');
    expect(proxy.connections().ever).toBe(before);
  });

  test('a pool of ours has no more connections than it may have', async () => {
    const { url, proxy } = await proxied();
    const db = await migrated(url, { poolSize: 3 });
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => db.sessions.create(aSession(`session ${n}`, 'ada'))),
    );
    expect(proxy.connections().ever).toBeLessThanOrEqual(3);
  });

  test('creators who claim the same identities in different orders do not stop each other', async () => {
    const db = await migrated(await newUrl(), { poolSize: 20 });
    const subjects = Array.from({ length: 6 }, (_, n) => `subject ${n}`);
    for (let round = 0; round < 20; round++) {
      const claims = subjects.map((subject) => `${subject} of ${round}`);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => {
          const id = `user ${n} of ${round}`;
          const order = claims.toSorted(() => Math.random() - 0.5);
          return db.users.create(
            aUser(id),
            order.map((subject) => anIdentity(id, subject)),
          );
        }),
      );
      expect(answers.filter((answer) => answer === null).length).toBe(1);
    }
  });
});
