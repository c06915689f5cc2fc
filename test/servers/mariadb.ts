import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
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

const SET_UP = `
CREATE DATABASE IF NOT EXISTS accounts;
CREATE USER IF NOT EXISTS accounts@'%' IDENTIFIED BY 'secret';
GRANT ALL ON *.* TO accounts@'%' WITH GRANT OPTION;
`;

/**
 * A MariaDB server with an empty database, whose user may do everything. Null when it is not installed and need not
 * be.
 */
export async function startMariadb(): Promise<TestServer | null> {
  const [install, mariadbd] = [programPath('mariadb-install-db'), programPath('mariadbd')];
  if (!install || !mariadbd) {
    if (ALL_STORES_REQUIRED) throw new Error('MariaDB is not installed: apt-get install mariadb-server');
    return null;
  }
  const folder = temporaryFolder('mariadb');
  const [port, data, setUp] = [await freePort(), join(folder, 'data'), join(folder, 'set-up.sql')];
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const system = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync(install, ['--no-defaults', ...user, `--datadir=${data}`, ...system], { stdio: 'pipe' });
  writeFileSync(setUp, SET_UP);

  const url = `mysql://accounts:secret@127.0.0.1:${port}/accounts`;
  const args = [
    ...['--no-defaults', ...user, `--datadir=${data}`, `--init-file=${setUp}`],
    ...['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 's')}`, '--skip-name-resolve'],
    // A commit is with the kernel, not on the disk: only this machine's power failure would lose it.
    ...['--innodb-flush-log-at-trx-commit=2', '--innodb-flush-method=nosync', '--skip-innodb-doublewrite'],
    ...['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=64M', '--max-connections=200'],
  ];
  const answers = async (): Promise<boolean> => {
    await askMariadb(url, 'SELECT 1');
    return true;
  };
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = await startProcess(mariadbd, args, answers);
  };
  const stop = (): Promise<void> => endProcess(server, 'SIGTERM');
  const kill = (): Promise<void> => endProcess(server, 'SIGKILL');
  const close = async (): Promise<void> => {
    await stop();
    removeFolder(folder);
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { url, port, start, stop, kill, close };
}

/** The URL of a new, empty database on a running server. */
export async function newDatabase(server: TestServer): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await askMariadb(server.url, `CREATE DATABASE ${name}`);
  return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
}

/** Runs statements on a connection of their own and gives the rows of the last one. */
export async function askMariadb(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const connection = await createConnection({ uri: url, connectTimeout: 2_000 });
  connection.on('error', () => undefined);
  try {
    let rows: RowDataPacket[] = [];
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement);
    return rows;
  } finally {
    await connection.end();
  }
}
