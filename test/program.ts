import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mail as `MAIL_URL=file:DIR` writes it. */
export interface FileMail {
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string | null;
}

export interface Program {
  /** Where it listens, without a path. */
  origin: string;
  /** Where GraphQL is. */
  url: string;
  /** What it has written so far. */
  output(): string;
  /** The token in the newest mail to an address with a link to that page; waits for the mail. */
  linkTo(address: string, page: string): Promise<string>;
  /** Ends it as an operator does, and removes its data. The exit code. */
  stop(): Promise<number | null>;
}

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
/** Machines are shared: nothing is promised of these times. */
const PATIENCE = 30_000;

/** What of this process's environment a program sees: otherwise the shell of whoever tests decides what it does. */
const BARE = { PATH: process.env.PATH };

/** Starts `npm start` as its users do, in a folder of its own and on a free port. */
export async function startProgram(environment: Record<string, string> = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-program-'));
  const mails = join(folder, 'mails');
  mkdirSync(mails);
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    cwd: folder,
    env: { ...BARE, PORT: '0', MAIL_URL: `file:${mails}`, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = collect(child);
  const stop = async (): Promise<number | null> => {
    const code = await end(child);
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    const [, origin = ''] = await printed(child, read, /listening at (http:\/\/[^/\s]+)\/graphql/);
    const linkTo = (address: string, page: string) => awaitLink(mails, address, page);
    return { origin, url: `${origin}/graphql`, output: read, linkTo, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Keeps what a process writes, on both streams. */
export function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

/** Waits until a process has written something. */
export function printed(child: ChildProcess, read: () => string, sought: RegExp): Promise<RegExpExecArray> {
  return within(`${sought} in the output`, (resolve, reject) => {
    const look = (): void => {
      const match = sought.exec(read());
      if (match) resolve(match);
    };
    const ended = (): void => reject(new Error(`the program ended early:\n${read()}`));
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('close', ended);
    look();
    return () => child.off('close', ended);
  });
}

/** Asks a process to end, and waits for it; one that does not is killed. */
export function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.once('close', (code) => {
      clearTimeout(kill);
      resolve(code);
    });
    child.kill();
  });
}

/** Mails are written after the answer, so they may not be there yet. */
function awaitLink(folder: string, address: string, page: string): Promise<string> {
  return within(`a mail to ${address} with a link to ${page}`, (resolve) => {
    const look = (): void => {
      const token = newestLink(folder, address, page);
      if (token !== undefined) resolve(token);
    };
    const watcher = watch(folder, look);
    look();
    return () => watcher.close();
  });
}

function newestLink(folder: string, address: string, page: string): string | undefined {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  const link = new RegExp(`/${page}/([\\w-]+)$`, 'm');
  return names
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as FileMail)
    .filter(({ to }) => to === address)
    .map(({ text }) => link.exec(text)?.[1])
    .findLast((token) => token !== undefined);
}

/** Something that happens some time, or an error that names it. */
function within<T>(
  what: string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let stop = (): void => {};
    const settle = (done: () => void): void => {
      clearTimeout(late);
      done();
      // `start` may settle before it has returned.
      queueMicrotask(() => stop());
    };
    const late = setTimeout(() => settle(() => reject(new Error(`waited too long for ${what}`))), PATIENCE);
    stop = start(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}
