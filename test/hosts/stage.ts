import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { collect, end, printed } from '../program.ts';
import type { Group, Host } from './hosts.ts';

export const ROOT = join(import.meta.dirname, '../..');
/** Two runs at once need two. */
const STAGE = process.env.HOSTS_STAGE ?? join(ROOT, '.tmp/hosts');
export const SECRET = 'a secret of the hosts that is long enough';

/** Nothing that is built or started here calls home. */
const SILENCE = { NEXT_TELEMETRY_DISABLED: '1' };
/** Next.js prints its own line. */
const ADDRESS = /(?:listening at|Local:) +(http:\/\/[^/\s]+)/;

interface Manifest {
  version: string;
  peerDependencies?: { [name: string]: string };
  scripts?: { [name: string]: string };
}

/** Packs the library. */
export function pack(): string {
  mkdirSync(STAGE, { recursive: true });
  for (const file of tarballs()) rmSync(join(STAGE, file));
  npm(ROOT, 'pack', '--silent', '--ignore-scripts', '--pack-destination', STAGE);
  return join(STAGE, tarballs()[0] ?? '');
}

function tarballs(): string[] {
  return readdirSync(STAGE).filter((file) => file.endsWith('.tgz'));
}

/** Installs what a group of hosts needs from its lock file, and the packed library beside it. */
export function install(group: Group, tarball: string): void {
  const folder = join(STAGE, group);
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    cpSync(join(import.meta.dirname, group, file), join(folder, file));
  npm(folder, 'ci', '--loglevel=error', '--no-audit', '--no-fund');
  npm(folder, 'install', '--no-save', '--loglevel=error', '--no-audit', '--no-fund', tarball);
}

/** The manifest of a package as it is installed in a group. */
export function installed(group: Group, name: string): Manifest {
  return JSON.parse(
    readFileSync(join(STAGE, group, 'node_modules', name, 'package.json'), 'utf8'),
  ) as Manifest;
}

/** A copy of an example, below what it needs. */
export function copy(host: Host, group: Group): string {
  const folder = join(STAGE, group, host.folder);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'examples', host.folder), folder, {
    recursive: true,
    filter: (path) => !/node_modules|\.next$/.test(path),
  });
  cpSync(join(import.meta.dirname, 'broken.mjs'), join(folder, 'broken.mjs'));
  return folder;
}

/** Starts a copy as its README says. */
export async function start(
  folder: string,
  path: string,
): Promise<{ url: string; stop(): Promise<unknown> }> {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  if (scripts?.build) await build(folder);
  const [command = '', ...args] = (scripts?.start ?? '').split(' ');
  const bin = join(folder, '../node_modules/.bin', command);
  const child = spawn(existsSync(bin) ? bin : process.execPath, args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      TOKEN_SECRET: SECRET,
      ...SILENCE,
      NODE_OPTIONS: `--import ${join(folder, 'broken.mjs')}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [, origin = ''] = await printed(child, collect(child), ADDRESS);
  return { url: origin + path, stop: () => end(child) };
}

/** Takes its time, in which others answer. Rejects with what the compiler says. */
async function build(folder: string): Promise<void> {
  const env = { ...process.env, ...SILENCE };
  const child = spawn('npm', ['run', '--silent', 'build'], { cwd: folder, env });
  const read = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the build failed:\n${read()}`);
}

export function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
