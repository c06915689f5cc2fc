import { createRequire } from 'node:module';
import type * as ioredis from 'ioredis';
import {
  ALL_STORES_REQUIRED,
  endProcess,
  freePort,
  programPath,
  removeFolder,
  startProcess,
  type TestServer,
  temporaryFolder,
} from './process.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';

/** By `require`: vitest, which transforms every package, leaves nothing of the named exports of this one. */
export const { Redis, Cluster }: typeof ioredis = createRequire(import.meta.url)('ioredis');
export type Redis = ioredis.Redis;
export type Cluster = ioredis.Cluster;

/** Whether the tests on Redis run: without it they are skipped, or fail where every store is required. */
export const HAS_REDIS = ALL_STORES_REQUIRED || programPath('redis-server') !== null;

/** A server that has to be there, since the test runs. */
export function present<T>(server: T | null): T {
  if (server === null) throw new Error('redis-server is not on this machine: apt-get install redis-server');
  return server;
}

/** Empties a server, or every node of a cluster. */
export async function flushAll(client: Redis | Cluster): Promise<void> {
  // A cluster knows its nodes once it is connected.
  await client.exists('any');
  const nodes = client instanceof Redis ? [client] : client.nodes('master');
  await Promise.all(nodes.map((node) => node.flushall()));
}

export interface RedisSettings {
  /** What redis-server takes beyond our own: `['--maxmemory', '4mb']`. */
  args?: readonly string[];
  password?: string;
}

/** A server that keeps what it has acknowledged when it is killed. Null when this machine has none. */
export async function startRedis({ args = [], password }: RedisSettings = {}): Promise<TestServer | null> {
  const program = programPath('redis-server');
  if (!program) return null;
  const [port, folder] = [await freePort(), temporaryFolder('redis')];
  // `everysec` answers before it has written while the disk is busy, and forgets that when it is killed.
  const kept = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const own = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, ...kept];
  const secret = password === undefined ? [] : ['--requirepass', password];
  const start = () =>
    startProcess(program, [...own.map(String), ...secret, ...args], () => isReady(port, password), {
      cwd: folder,
    });
  let child: Awaited<ReturnType<typeof start>> | null = await start().catch((error) => {
    removeFolder(folder);
    throw error;
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await endProcess(child, signal);
    child = null;
  };
  return {
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start: async () => {
      child ??= await start();
    },
    close: async () => {
      await end('SIGKILL');
      removeFolder(folder);
    },
  };
}

export interface TestReplication {
  primary: TestServer;
  replica: TestServer;
  /** The way from the replica to the primary, which tests can spoil. */
  way: FaultyProxy;
  /** Makes the replica a primary of its own, as Sentinel does when the primary is gone. */
  promote(): Promise<void>;
  close(): Promise<void>;
}

// Without a delay before the first synchronisation, which waits for more replicas to come.
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** A primary with a replica that is up to date. Null when this machine has no Redis. */
export async function startRedisReplication(): Promise<TestReplication | null> {
  // Nothing is started again here: what counts is what the replica has, not what the disk has.
  const args = ['--appendonly', 'no'];
  const primary = await startRedis({ args: [...args, ...AT_ONCE] });
  if (!primary) return null;
  const way = await startProxy(primary.port);
  const replica = present(await startRedis({ args: [...args, '--replicaof', `127.0.0.1 ${way.port}`] }));
  await until(() => isReplicated(primary.port));
  return {
    primary,
    replica,
    way,
    promote: () => ask(replica.port, async (client) => void (await client.replicaof('NO', 'ONE'))),
    close: async () => {
      await Promise.all([primary.close(), replica.close()]);
      await way.close();
    },
  };
}

/** With a write: a replica that has just joined confirms the nothing before it, and then needs a second. */
const isReplicated = (port: number): Promise<boolean> =>
  ask(port, async (client) => {
    await client.flushall();
    return (await client.wait(1, 100)) === 1;
  });

export interface TestCluster {
  /** The primaries first, then the replica of each. */
  nodes: TestServer[];
  /** `redis://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3` */
  url: string;
  close(): Promise<void>;
}

const SLOTS = 16_384;
const PRIMARIES = 3;
const AGAIN = 3_000;

/** Three primaries that share all slots, each with a replica if wanted. Null when this machine has no Redis. */
export async function startRedisCluster({ replicas = false } = {}): Promise<TestCluster | null> {
  if (!programPath('redis-server')) return null;
  const count = replicas ? 2 * PRIMARIES : PRIMARIES;
  const nodes = await Promise.all(Array.from({ length: count }, startNode));
  const tell = (n: number, ...command: (string | number)[]): Promise<unknown> =>
    ask(portOf(n), (client) => client.call('CLUSTER', command));
  const portOf = (n: number): number => nodes[n]?.server.port ?? 0;
  const share = Math.ceil(SLOTS / PRIMARIES);
  for (let n = 0; n < PRIMARIES; n++)
    await tell(n, 'ADDSLOTSRANGE', n * share, Math.min((n + 1) * share, SLOTS) - 1);
  for (let n = 0; n < count; n++) await tell(n, 'SET-CONFIG-EPOCH', n + 1);
  const meet = async (): Promise<void> => {
    for (const [n] of nodes.entries())
      for (const { server, busPort } of nodes.slice(0, n))
        await tell(n, 'MEET', '127.0.0.1', server.port, busPort);
  };
  await meet();
  // Nodes on a busy machine give up to greet each other.
  for (let n = 0; n < count; n++) await until(() => isWhole(portOf(n), count), { again: meet });
  for (let n = PRIMARIES; n < count; n++) {
    await tell(n, 'REPLICATE', String(await tell(n - PRIMARIES, 'MYID')));
    await until(() => isReplicated(portOf(n - PRIMARIES)));
  }
  const servers = nodes.map(({ server }) => server);
  return {
    nodes: servers,
    url: `redis://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** Moves the slot of a key, which must be the only one in it, to another primary. */
export async function moveKey(client: Cluster, key: string): Promise<void> {
  const slot = Number(await client.cluster('KEYSLOT', key));
  const primaries = await Promise.all(
    client.nodes('master').map(async (node) => ({
      node,
      id: await node.cluster('MYID'),
      isOwner: await node.exists(key).then(
        () => true,
        () => false,
      ),
    })),
  );
  const from = primaries.find(({ isOwner }) => isOwner);
  const to = primaries.find(({ isOwner }) => !isOwner);
  if (!from || !to) throw new Error('there is no primary to move it to');
  await to.node.cluster('SETSLOT', slot, 'IMPORTING', from.id);
  await from.node.cluster('SETSLOT', slot, 'MIGRATING', to.id);
  await from.node.migrate('127.0.0.1', to.node.options.port ?? 0, key, 0, 5_000);
  for (const { node } of [to, from]) await node.cluster('SETSLOT', slot, 'NODE', to.id);
}

async function isWhole(port: number, nodes: number): Promise<boolean> {
  const info = await ask(port, (client) => client.cluster('INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`);
}

async function startNode(): Promise<{ server: TestServer; busPort: number }> {
  const busPort = await freePort();
  // The bus is by default 10,000 above, where no port may be left.
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', busPort, '--cluster-node-timeout', 2_000];
  const server = present(await startRedis({ args: [...cluster.map(String), ...AT_ONCE] }));
  return { server, busPort };
}

/** A whole conversation with one server, that fails at once when nobody is there. */
async function ask<T>(port: number, talk: (client: Redis) => Promise<T>, password?: string): Promise<T> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: null,
    ...(password !== undefined && { password }),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await talk(client);
  } finally {
    client.disconnect();
  }
}

const isReady = (port: number, password?: string): Promise<boolean> =>
  ask(port, async (client) => (await client.ping()) === 'PONG', password);

/** Asks until it is so, and does something again every few seconds meanwhile. */
export async function until(
  isSo: () => Promise<boolean>,
  { patience = 30_000, again = async () => {} }: { patience?: number; again?: () => Promise<void> } = {},
): Promise<void> {
  const began = Date.now();
  let next = began + AGAIN;
  while (!(await isSo())) {
    if (Date.now() > began + patience) throw new Error(`it was not so within ${patience} ms`);
    if (Date.now() > next) {
      await again();
      next = Date.now() + AGAIN;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
