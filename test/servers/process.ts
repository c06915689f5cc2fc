import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A server of a database that runs for one test file, on a loopback port of its own. */
export interface TestServer {
  url: string;
  port: number;
  /** Ends it as an operator does. Its data stays, for `start`. */
  stop(): Promise<void>;
  /** Ends it as a power failure does. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with its data. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

/** Where Debian puts servers that are not in everybody's PATH. */
const FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/lib/postgresql/17/bin',
  '/usr/lib/postgresql/16/bin',
  '/usr/lib/postgresql/15/bin',
];

/** The path of a program of the machine, or null. */
export function programPath(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Whether a store must be tested: `.ci/run` sets it, so that a server that is missing fails the run. */
export const ALL_STORES_REQUIRED = process.env.REQUIRE_ALL_STORES === '1';

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `graphql-accounts-${name}-`));
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * A port of the loopback interface that is free, and stays so while its server is away: it is below those that the
 * connections of others are given.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(16_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * Starts a program that ends with this process, even if that is killed, and waits until `ready` resolves. Throws with
 * the program's output when it ends before.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  {
    patience = 60_000,
    ...options
  }: { cwd?: string; env?: NodeJS.ProcessEnv; patience?: number; user?: string } = {},
): Promise<ChildProcess> {
  const child = spawn(...dying(command, args, options.user), {
    cwd: options.cwd,
    env: options.env ?? { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000);
    });
  let ended: string | null = null;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended ??= `exit ${code ?? signal}`;
  });
  const deadline = Date.now() + patience;
  for (;;) {
    if (ended !== null) throw new Error(`${command} ended before it was ready (${ended}):\n${output}`);
    if (await ready().catch(() => false)) return child;
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${command} was not ready in ${patience} ms:\n${output}`);
    }
    // Polls a process that has no other way to say it is ready.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sends a signal to a program, and waits for its end. */
export async function endProcess(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(late);
}

/** With `setpriv` a killed test leaves no server behind, and a server that refuses root runs as its own user. */
function dying(command: string, args: readonly string[], user?: string): [string, string[]] {
  const setpriv = programPath('setpriv');
  if (!setpriv) return [command, [...args]];
  const asUser = user && process.getuid?.() === 0 ? ['--reuid', user, '--regid', user, '--clear-groups'] : [];
  return [setpriv, [...asUser, '--pdeathsig', 'KILL', command, ...args]];
}
