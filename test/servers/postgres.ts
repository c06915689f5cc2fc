import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
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

/** PostgreSQL refuses to run as root. */
const SYSTEM_USER = 'postgres';

/**
 * A PostgreSQL server with an empty database, whose user may do everything. Null when it is not installed and need
 * not be.
 */
export async function startPostgres(): Promise<TestServer | null> {
  const [initdb, postgres] = [programPath('initdb'), programPath('postgres')];
  if (!initdb || !postgres) {
    if (ALL_STORES_REQUIRED) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
    return null;
  }
  const folder = temporaryFolder('postgres');
  const [port, data, asUser] = [await freePort(), join(folder, 'data'), ownFolder(folder)];
  initialize(initdb, folder, data, asUser);

  const url = `postgres://accounts:secret@127.0.0.1:${port}/accounts`;
  const maintenance = `postgres://accounts:secret@127.0.0.1:${port}/postgres`;
  const settings = [
    ...['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories='],
    // The disk need not keep what the kernel already has: only this machine's power failure would lose it.
    ...['fsync=off', 'full_page_writes=off', 'shared_buffers=32MB', 'max_connections=200'],
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const answers = async (): Promise<boolean> => {
    await askPostgres(maintenance, 'SELECT 1');
    return true;
  };
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = await startProcess(postgres, args, answers, { user: SYSTEM_USER });
  };
  const stop = (): Promise<void> => endProcess(server, 'SIGINT');
  const kill = async (): Promise<void> => {
    const backends = childrenOf(server);
    await endProcess(server, 'SIGKILL');
    // Whoever is left holds the shared memory, and no new server starts on it.
    for (const pid of backends) killIfThere(pid);
  };
  const close = async (): Promise<void> => {
    await stop();
    removeFolder(folder);
  };
  try {
    await start();
    await askPostgres(maintenance, 'CREATE DATABASE accounts');
  } catch (error) {
    await close();
    throw error;
  }
  return { url, port, start, stop, kill, close };
}

/** The URL of a new, empty database on a running server. */
export async function newDatabase(server: TestServer): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await askPostgres(server.url, `CREATE DATABASE ${name}`);
  return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
}

/** Runs statements on a connection of their own and gives the rows of the last one. */
export async function askPostgres(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

function initialize(initdb: string, folder: string, data: string, asUser: readonly string[]): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'secret\n', { mode: 0o644 });
  const options = ['--username=accounts', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const database = ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  const [command = '', ...args] = [...asUser, initdb, '-D', data, ...options, ...database];
  execFileSync(command, args, { stdio: 'pipe', cwd: folder });
}

/** Gives the folder to the user that the server will run as; how to run a program as that user. */
function ownFolder(folder: string): string[] {
  if (process.getuid?.() !== 0) return [];
  const id = (flag: string): number => Number(execFileSync('id', [flag, SYSTEM_USER], { encoding: 'utf8' }));
  chownSync(folder, id('-u'), id('-g'));
  return ['setpriv', '--reuid', SYSTEM_USER, '--regid', SYSTEM_USER, '--clear-groups'];
}

function childrenOf(server: ChildProcess | null): number[] {
  const pid = server?.pid;
  if (pid === undefined || server?.exitCode !== null) return [];
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    // No Linux: they notice the end of their parent by themselves.
    return [];
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended already.
  }
}
