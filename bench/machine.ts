import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** What the figures of a run were measured on. */
export interface Machine {
  processor: string;
  cores: number;
  /** Gigabytes. */
  memory: number;
  system: string;
  node: string;
  commit: string;
  versions: { [name: string]: string };
}

const ROOT = join(import.meta.dirname, '..');
const PEERS = join(import.meta.dirname, 'peers');
const OURS = ['graphql', 'graphql-yoga', 'jsonwebtoken', '@node-rs/argon2'];
const THEIRS = ['@accounts/server', '@accounts/graphql-api', '@accounts/password', 'better-auth'];

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: commit(),
    versions: Object.fromEntries([
      ...OURS.map((name) => [name, versionOf(ROOT, name)]),
      ...THEIRS.map((name) => [name, versionOf(PEERS, name)]),
      ['graphql of accounts-js', versionOf(PEERS, 'graphql')],
    ]),
  };
}

function versionOf(folder: string, name: string): string {
  try {
    return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return 'not installed';
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', 'src', 'bench', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ', with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** Processor time since the machine started, in its own ticks. */
interface Ticks {
  all: number;
  /** Spent on anybody's work. */
  busy: number;
  /** Spent on this process, those that it has started, and theirs. */
  own: number;
  /** Taken away by whoever runs this virtual machine. */
  stolen: number;
}

/** Starts to watch; the answer is which share of the machine others have taken since then. Null outside of Linux. */
export function watchOthers(): () => number | null {
  const before = ticks();
  return () => {
    const after = ticks();
    if (!before || !after) return null;
    const spent = (name: keyof Ticks): number => after[name] - before[name];
    return Math.max(0, spent('busy') - spent('own') + spent('stolen')) / Math.max(1, spent('all'));
  };
}

function ticks(): Ticks | null {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = line
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const busy = user + nice + system + hard + soft;
    return { all: busy + idle + waiting + stolen, busy, stolen, own: ownTicks() };
  } catch {
    return null;
  }
}

function ownTicks(): number {
  const processes = readdirSync('/proc').flatMap((pid) =>
    /^\d+$/.test(pid) ? (readProcess(pid) ?? []) : [],
  );
  const own = new Set([process.pid]);
  // Until no more are found: a child may stand before its parent.
  for (let size = 0; size < own.size; ) {
    size = own.size;
    for (const { pid, parent } of processes) if (own.has(parent)) own.add(pid);
  }
  return processes.reduce((sum, { pid, spent }) => (own.has(pid) ? sum + spent : sum), 0);
}

/** With what its children that have ended had spent. */
function readProcess(pid: string): { pid: number; parent: number; spent: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its name, which may hold anything, is in parentheses before the rest.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const spent = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
    return { pid: Number(pid), parent: fields[1] ?? 0, spent };
  } catch {
    // It has ended meanwhile.
    return null;
  }
}
