import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
const TOOLS = join(import.meta.dirname, 'node_modules');

/** One thing that a package has to be. Throws a Failure with what is wrong. */
export type Check = (stage: Stage) => void | Promise<void>;

export class Failure extends Error {}

/** The packed library, and projects that have installed it. */
export interface Stage {
  readonly folder: string;
  readonly tarball: string;
  /** Projects by the version of graphql beside the library. */
  readonly projects: { readonly [major: string]: string };
  /** The library as it is installed in the project with the newest graphql. */
  readonly installed: string;
  /** Every name by which it can be imported. */
  readonly subpaths: readonly string[];
}

export interface Manifest {
  name: string;
  version: string;
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  repository?: { url?: string };
  publishConfig?: { access?: string; provenance?: boolean };
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Packs what lies in dist/, and installs it beside each graphql that its peer range allows. */
export function prepare(): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-quality-'));
  npm(ROOT, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!name) throw new Failure('npm pack made no archive');
  const tarball = join(folder, name);
  const beside = ['graphql-yoga', '@graphql-tools/schema', '@types/node'].map(exactly);
  const drivers = ['kysely', 'pg', '@types/pg', 'mysql2', 'mongoose', 'ioredis'].map(exactly);
  // What is said where a driver is missing shows beside the older one.
  const versions: [string, string[]][] = [
    ['16', ['graphql@^16']],
    ['17', [exactly('graphql'), ...drivers]],
  ];
  const projects = Object.fromEntries(
    versions.map(([major, packages]) => {
      const project = join(folder, `graphql-${major}`);
      mkdirSync(project);
      writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
      npm(project, 'install', '--silent', '--no-audit', '--no-fund', tarball, ...packages, ...beside);
      cpSync(join(import.meta.dirname, 'consumers'), project, { recursive: true });
      return [major, project];
    }),
  );
  const installed = join(projects['17'] ?? '', 'node_modules/graphql-accounts');
  return { folder, tarball, projects, installed, subpaths: subpathsOf(installed) };
}

/** What stands in `exports`, with every host in the place of the star. */
function subpathsOf(installed: string): string[] {
  const { name, exports } = manifestOf(installed);
  const keys = Object.keys(exports).filter((key) => key !== './package.json');
  return keys.flatMap((key) => {
    const subpath = key.replace('.', name);
    if (!key.endsWith('/*')) return [subpath];
    const folder = join(installed, 'dist/graphql/hosts');
    const files = readdirSync(folder).filter((file) => file.endsWith('.js'));
    return files.map((file) => subpath.replace('*', file.replace('.js', '')));
  });
}

/** The version that the checkout has. */
function exactly(name: string): string {
  return `${name}@${manifestOf(join(ROOT, 'node_modules', name)).version}`;
}

function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Where a tool of test/package lies. */
export function tool(path: string): string {
  return join(TOOLS, path);
}

/** What a command prints. Throws a Failure with it when the command does. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; input?: string } = {},
): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 300_000,
      ...options,
    });
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
    throw new Failure([stdout, stderr].join('\n').trim() || message);
  }
}
