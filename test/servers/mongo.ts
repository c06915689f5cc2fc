import { type ChildProcess, execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

const PROJECT = join(import.meta.dirname, 'mongo-server');
const TARGET = join(PROJECT, 'target');
const SOURCES = ['pom.xml', 'src/main/java/TestServer.java'];

/** A real server that the tests run against instead of their own. They make databases of their own on it. */
export const MONGODB_URI = process.env.MONGODB_URI;

/** Whether this run has a server: the one at MONGODB_URI, or one that Java and Maven make. */
export const HAS_MONGO =
  MONGODB_URI !== undefined ||
  ALL_STORES_REQUIRED ||
  (programPath('java') !== null && programPath('mvn') !== null);

/** Whether the server may be stopped and killed: not the one at MONGODB_URI, which is somebody's. */
export const MONGO_IS_OURS = MONGODB_URI === undefined;

/**
 * Starts mongo-java-server, which speaks MongoDB's wire protocol as a standalone server of wire version 9 does. Its data
 * is in a file: what it has acknowledged is there after `kill` and `start`. It knows no transactions, no sharding and no
 * replica set. Built with Maven at the first start. Null when the machine has no Java or no Maven.
 */
export async function startMongo(): Promise<TestServer | null> {
  if (!HAS_MONGO) return null;
  if (MONGODB_URI !== undefined) return foreignServer(MONGODB_URI);
  const build = await buildServer();
  const folder = temporaryFolder('mongo');
  const port = await freePort();
  const classPath = [join(build, 'classes'), join(build, 'lib', '*')].join(':');
  // Little memory: everything else that a test runs needs some beside it.
  const options = ['-Xmx512m', '-XX:+UseSerialGC', '-cp', classPath];
  const args = [...options, 'TestServer', String(port), join(folder, 'data.mv')];
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    child = await startProcess('java', args, () => accepts(port));
  };
  const end = (signal: NodeJS.Signals) => endProcess(child, signal);
  await start();
  return {
    url: `mongodb://127.0.0.1:${port}`,
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start,
    close: async () => {
      await end('SIGKILL');
      removeFolder(folder);
    },
  };
}

/** The URL of a database that nobody has used. */
export function freshDatabase(serverUrl: string): string {
  const [, servers = '', , query = ''] =
    /^(mongodb(?:\+srv)?:\/\/[^/?]*)(\/[^?]*)?(\?.*)?$/.exec(serverUrl) ?? [];
  return `${servers}/test_${randomBytes(8).toString('hex')}${query}`;
}

function foreignServer(url: string): TestServer {
  const refuse = async (): Promise<void> => {
    throw new Error('the server at MONGODB_URI is not ours to stop');
  };
  const port = Number(/:(\d+)(?:[/?]|$)/.exec(url)?.[1] ?? 27_017);
  return { url, port, stop: refuse, kill: refuse, start: refuse, close: async () => {} };
}

/** The folder of the built server. Two who build at once build each for itself; the first to be ready is used. */
async function buildServer(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) hash.update(readFileSync(join(PROJECT, source)));
  const built = join(TARGET, hash.digest('hex').slice(0, 16));
  if (existsSync(built)) return built;
  mkdirSync(TARGET, { recursive: true });
  const own = join(TARGET, `build-${process.pid}-${randomBytes(4).toString('hex')}`);
  const args = ['--batch-mode', '--quiet', `-Dbuild.folder=${own}`, 'process-classes'];
  try {
    await promisify(execFile)('mvn', args, { cwd: PROJECT, timeout: 300_000 });
    renameSync(own, built);
  } catch (error) {
    removeFolder(own);
    if (!existsSync(built)) throw error;
  }
  return built;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
