import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newDatabase as newMariadb, startMariadb } from './mariadb.ts';
import { freshDatabase, startMongo } from './mongo.ts';
import { newDatabase as newPostgres, startPostgres } from './postgres.ts';
import type { TestServer } from './process.ts';
import { startRedis, startRedisCluster } from './redis.ts';

/** The variables that name a store to the program. */
export interface StoreSettings {
  DATABASE_URL: string;
  SESSIONS_URL?: string;
}

/** A store on a real server, as the program uses it. */
export interface RunningStore {
  /** The servers that keep what is under test; a way to the first can be spoiled. */
  servers: readonly TestServer[];
  /** Names a fresh database without tables. */
  newSettings(): Promise<StoreSettings>;
  close(): Promise<void>;
}

export interface StoreUnderTest {
  name: string;
  /** Null when the server's program is not on this machine. */
  start(): Promise<RunningStore | null>;
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'graphql-accounts-store-'));

async function oneServer(
  server: TestServer | null,
  newUrl: (server: TestServer) => Promise<string>,
): Promise<RunningStore | null> {
  if (!server) return null;
  return {
    servers: [server],
    newSettings: async () => ({ DATABASE_URL: await newUrl(server) }),
    close: () => server.close(),
  };
}

/** Sessions in Redis, users in a SQLite file. */
function withRedis(servers: readonly TestServer[], url: string, close: () => Promise<void>): RunningStore {
  const files = folder();
  let count = 0;
  return {
    servers,
    newSettings: async () => ({
      DATABASE_URL: `sqlite:${join(files, `accounts-${++count}.db`)}`,
      SESSIONS_URL: url,
    }),
    close: async () => {
      await close();
      rmSync(files, { recursive: true, force: true });
    },
  };
}

/** A file, which needs no server. */
export const SQLITE: StoreUnderTest = {
  name: 'SQLite',
  start: async () => {
    const files = folder();
    let count = 0;
    return {
      servers: [],
      newSettings: async () => ({ DATABASE_URL: `sqlite:${join(files, `accounts-${++count}.db`)}` }),
      close: async () => rmSync(files, { recursive: true, force: true }),
    };
  },
};

/** Those on servers. */
export const STORES: readonly StoreUnderTest[] = [
  { name: 'PostgreSQL', start: async () => oneServer(await startPostgres(), newPostgres) },
  { name: 'MariaDB', start: async () => oneServer(await startMariadb(), newMariadb) },
  {
    name: 'MongoDB',
    start: async () => oneServer(await startMongo(), async ({ url }) => freshDatabase(url)),
  },
  {
    name: 'Redis',
    start: async () => {
      const server = await startRedis();
      return server && withRedis([server], server.url, () => server.close());
    },
  },
  {
    name: 'Redis cluster',
    start: async () => {
      const cluster = await startRedisCluster();
      return cluster && withRedis(cluster.nodes, cluster.url, cluster.close);
    },
  },
];

/** The same settings, by way of a proxy in front of the server. */
export function through(settings: StoreSettings, server: TestServer, port: number): StoreSettings {
  const entries = Object.entries(settings).map(([name, url]) => [
    name,
    String(url).replace(`127.0.0.1:${server.port}`, `127.0.0.1:${port}`),
  ]);
  return Object.fromEntries(entries) as StoreSettings;
}
