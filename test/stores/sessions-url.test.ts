import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSessions } from '../../src/cli/stores/open.ts';
import { parseSessionsUrl } from '../../src/cli/stores/urls.ts';
import { aSession } from '../../src/database/conformance/records.ts';
import { freePort, programPath, removeFolder, temporaryFolder } from '../servers/process.ts';
import { HAS_REDIS, present, Redis, startRedis, startRedisCluster, until } from '../servers/redis.ts';
import { exercised } from '../stores.ts';

describe.skipIf(!HAS_REDIS)('SESSIONS_URL', () => {
  const ends: (() => unknown)[] = [];
  beforeAll(() => exercised('Redis'));
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const started = async <T extends { close(): Promise<void> }>(starting: Promise<T | null>): Promise<T> => {
    const server = present(await starting);
    ends.push(() => server.close());
    return server;
  };
  const open = async (url: string) => {
    const opened = await openSessions(parseSessionsUrl(url));
    ends.push(opened.close);
    return opened;
  };
  const ask = async <T>(url: string, talk: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(url);
    return talk(client).finally(() => client.disconnect());
  };

  test('of a server whose connection is cut without a word: another is made', async () => {
    const server = await started(startRedis());
    const way = await forgetfulWay(server.port);
    ends.push(way.close);
    const { store } = await open(`redis://127.0.0.1:${way.port}`);
    await store.create(aSession('1', 'ada'));
    way.forget();
    await expect(store.findMany(['1'])).rejects.toThrow();
    expect((await store.findMany(['1']))[0]?.id).toBe('1');
  }, 30_000);

  test('of a cluster that is gone: requests fail at once instead of piling up, until it is back', async () => {
    const cluster = await started(startRedisCluster());
    const { store } = await open(cluster.url);
    await store.create(aSession('1', 'ada'));
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await until(() => isTold(store.findMany(['1']), /enableOfflineQueue/));
    const began = performance.now();
    for (let n = 0; n < 1_000; n++) await expect(store.findMany(['1'])).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(2_000);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await until(() =>
      store.findMany(['1']).then(
        ([session]) => session?.id === '1',
        () => false,
      ),
    );
  }, 90_000);

  test('that cannot be used says why, without the password', async () => {
    const cluster = await started(startRedisCluster());
    const single = await started(startRedis());
    for (const { url } of cluster.nodes)
      await ask(url, (client) => client.config('SET', 'requirepass', 'hunter2'));
    const nodes = cluster.url.replace('redis://', '');
    const [first = ''] = nodes.split(',');
    const nobody = `127.0.0.1:${await freePort()}`;
    const told = [
      [`redis://:hunter3@${nodes}`, /cannot be used: WRONGPASS/],
      [`redis://${nodes}`, /cannot be used: NOAUTH/],
      [
        `redis://:hunter2@${first}`,
        /cannot be used: Redis at \S+ is one of a cluster: name several of its nodes/,
      ],
      [`redis://127.0.0.1:${single.port},127.0.0.1:${single.port}`, /cluster support disabled/],
      [`redis://:hunter2@${nobody},${nobody}`, /cannot be used: no node can be reached/],
    ] as const;
    for (const [url, reason] of told) {
      const failure = await open(url).then(
        () => 'it can be used',
        (error: Error) => error.message,
      );
      expect(failure).toMatch(reason);
      expect(failure).toMatch(/^SESSIONS_URL: redis:\/\/127\.0\.0\.1:\d+/);
      expect(failure).not.toContain('hunter');
    }
  }, 60_000);

  test.skipIf(!programPath('openssl'))(
    'of a cluster with TLS, whose certificates are for names',
    async () => {
      const folder = temporaryFolder('tls');
      ends.push(() => removeFolder(folder));
      const { certificate, key } = selfSigned(folder);
      const authorities = getCACertificates();
      setDefaultCACertificates([...authorities, readFileSync(certificate, 'utf8')]);
      ends.push(() => setDefaultCACertificates(authorities));
      const [port, busPort] = [await freePort(), await freePort()];
      const settings = {
        'tls-port': port,
        'tls-cert-file': certificate,
        'tls-key-file': key,
        'tls-ca-cert-file': certificate,
        'tls-auth-clients': 'no',
        'tls-cluster': 'yes',
        'cluster-enabled': 'yes',
        'cluster-port': busPort,
        'cluster-announce-hostname': 'localhost',
        'cluster-preferred-endpoint-type': 'hostname',
      };
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const node = await started(startRedis({ args }));
      await ask(node.url, async (client) => {
        await client.cluster('ADDSLOTSRANGE', 0, 16_383);
        await until(async () => String(await client.cluster('INFO')).includes('cluster_state:ok'));
      });
      const { store } = await open(`rediss://localhost:${port},localhost:${port}`);
      await store.create(aSession('1', 'ada'));
      expect((await store.findMany(['1']))[0]?.id).toBe('1');
    },
    30_000,
  );
});

const isTold = (call: Promise<unknown>, told: RegExp): Promise<boolean> =>
  call.then(
    () => false,
    (error: Error) => told.test(error.message),
  );

/** A way to a server that can forget its connections, as a firewall does: nothing comes, and nobody is told. */
async function forgetfulWay(target: number) {
  const known: { isForgotten: boolean }[] = [];
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const pair = { isForgotten: false };
    known.push(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk) => !pair.isForgotten && to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    forget: () => {
      for (const pair of known) pair.isForgotten = true;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function selfSigned(folder: string): { certificate: string; key: string } {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['-keyout', key, '-out', certificate, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...made, ...names], {
    stdio: 'ignore',
  });
  return { certificate, key };
}
