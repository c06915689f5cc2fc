import type { RedisClient } from './client.ts';

const OLDEST = 6;

interface Node extends RedisClient {
  options?: { host?: unknown; port?: unknown };
  info(): Promise<string>;
  config(command: 'GET', name: string): Promise<unknown>;
  cluster(command: 'INFO'): Promise<string>;
}

/** Throws when a primary does not answer, or cannot keep our sessions. */
export async function pingPrimaries(client: RedisClient, anyKey: string): Promise<void> {
  for (const { name, node, info } of await infoOfPrimaries(client, anyKey)) {
    const version = info.get('redis_version') ?? '';
    if (Number.parseInt(version, 10) < OLDEST)
      throw new Error(`${name} is Redis ${version}: redisSessions needs Redis ${OLDEST} or newer`);
    if (info.get('role') !== 'master')
      throw new Error(`${name} is a replica: redisSessions needs the primary`);
    if (info.get('redis_mode') !== 'cluster') continue;
    const cluster = parse(await node.cluster('INFO'));
    if (!client.isCluster && cluster.get('cluster_size') !== '1')
      throw new Error(`${name} is one of a cluster: name several of its nodes, for a client that knows all`);
    if (cluster.get('cluster_state') !== 'ok')
      throw new Error(`${name} says that its cluster is down: see CLUSTER INFO there`);
  }
  await client.exists(anyKey);
}

/** One line for each setting of a primary under which sessions may be lost, or may come back. */
export async function findWarnings(client: RedisClient, anyKey: string): Promise<string[]> {
  const primaries = await infoOfPrimaries(client, anyKey);
  const warnings = await Promise.all(
    primaries.map(async ({ name, node, info }) => {
      const found = [mayEvict(info) && EVICTS, await forgets(node, info)];
      return found.flatMap((warning) => (warning ? [`${name} ${warning}`] : []));
    }),
  );
  return warnings.flat();
}

const EVICTS =
  'removes sessions when its memory is full: set maxmemory-policy noeviction to keep users logged in';
const FORGETS =
  'forgets its last minutes when it is restarted, so that revoked sessions live again: set appendonly yes and appendfsync always';
const FORGETS_SECONDS =
  'may forget its last two seconds when it dies, so that revoked sessions live again: set appendfsync always';

function mayEvict(info: Info): boolean {
  return info.get('maxmemory') !== '0' && info.get('maxmemory_policy') !== 'noeviction';
}

async function forgets(node: Node, info: Info): Promise<string | null> {
  if (info.get('aof_enabled') === '0') return FORGETS;
  // Not everybody may read the configuration.
  const setting = await node.config('GET', 'appendfsync').catch(() => null);
  // A list of names and values, or an object of them, as the client is set up.
  return /everysec|no$/.test(Object.values(setting ?? {}).join()) ? FORGETS_SECONDS : null;
}

type Info = Map<string, string>;

async function infoOfPrimaries(
  client: RedisClient,
  anyKey: string,
): Promise<{ name: string; node: Node; info: Info }[]> {
  // A cluster knows its nodes once it is connected.
  if (client.isCluster) await client.exists(anyKey);
  return Promise.all(
    primariesOf(client).map(async (node) => {
      const { host, port } = node.options ?? {};
      return { name: `Redis at ${host}:${port}`, node, info: parse(await node.info()) };
    }),
  );
}

function primariesOf(client: RedisClient): Node[] {
  const { nodes } = client as RedisClient & { nodes?(role: 'master'): Node[] };
  return client.isCluster && nodes ? nodes.call(client, 'master') : [client as Node];
}

function parse(info: string): Info {
  return new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
}
