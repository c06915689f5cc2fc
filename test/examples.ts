// Packs the library, installs it into a copy of each example as its README says, and uses what runs there.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, LOG_IN, PASSWORD, SIGN_UP, tokensOf } from './cli/child.ts';
import { collect, end, printed } from './program.ts';
import { startMongo } from './servers/mongo.ts';
import { startRedis } from './servers/redis.ts';

const ROOT = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-examples-'));
const [mongo, redis] = await Promise.all([startMongo(), startRedis()]);
if (!mongo || !redis)
  throw new Error('the example needs the servers of MongoDB and Redis that the tests use');

try {
  npm(ROOT, {}, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '';
  const project = join(folder, 'mongodb-redis');
  cpSync(join(ROOT, 'examples/mongodb-redis'), project, { recursive: true });
  const env = {
    TOKEN_SECRET: 'a secret of the tests that is long enough',
    DATABASE_URL: `${mongo.url}/example`,
    SESSIONS_URL: redis.url,
    PORT: '0',
  };
  npm(project, env, 'install', '--silent', '--no-audit', '--no-fund', join(folder, tarball));
  npm(project, env, 'run', '--silent', 'migrate');

  const child = spawn(process.execPath, ['server.ts'], {
    cwd: project,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const [, url = ''] = await printed(child, collect(child), /listening at (http\S+)/);
    await story(url);
  } finally {
    await end(child);
  }
  console.log('examples/mongodb-redis: works');
} finally {
  await Promise.all([mongo.close(), redis.close()]);
  rmSync(folder, { recursive: true, force: true });
}

async function story(url: string): Promise<void> {
  const email = 'ada@example.com';
  await ask(url, SIGN_UP, { user: { email, password: PASSWORD } });
  const { accessToken } = tokensOf(await ask(url, LOG_IN, { user: { email }, password: PASSWORD }));
  const bearer = { authorization: `Bearer ${accessToken}` };
  const greet = (headers: object) => ask(url, '{ greeting }', {}, headers);
  expectEqual((await greet(bearer)).data, { greeting: `Hello, ${email}!` });
  expectEqual((await greet({})).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
  await ask(url, 'mutation { logout }', {}, bearer);
  expectEqual((await greet(bearer)).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
}

function expectEqual(found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one} instead of ${other}`);
}

function npm(cwd: string, env: { [name: string]: string }, ...args: string[]): void {
  execFileSync('npm', args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
}
