import { type ChildProcess, fork } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import type { LoadOrder, LoadResult } from './load.ts';

/** A process of the benchmark that is asked for something, one thing at a time. */
export interface Child {
  /** What its `serveBench` has for this command. */
  ask<T>(command: string, argument?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** A server in a process of its own, whose processor time can be asked for. */
export interface Server extends Child {
  port: number;
  /** Microseconds of processor time since it was asked last. */
  cpu(): Promise<number>;
}

/** A load generator in a process of its own. */
export interface Load {
  run(order: LoadOrder): Promise<LoadResult>;
  stop(): Promise<void>;
}

interface Question {
  command: string;
  argument?: unknown;
}

type Answer = { value: unknown } | { error: string };

export async function startServer(file: string, ...args: string[]): Promise<Server> {
  const child = start(file, args);
  const { value: port } = await answer<number>(child);
  const ask = asker(child);
  return { port, ask, cpu: () => ask('cpu'), stop: () => end(child) };
}

export async function startLoad(): Promise<Load> {
  const child = start('load.ts', []);
  await answer(child);
  const ask = asker(child);
  return { run: (order) => ask('run', order), stop: () => end(child) };
}

/** What a server of the benchmark does for `startServer`, and for whoever asks it for more. */
export function serveBench(
  port: number,
  commands: { [command: string]: (argument: never) => unknown } = {},
): void {
  let before = process.cpuUsage();
  const cpu = (): number => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    return user + system;
  };
  const known: { [command: string]: (argument: never) => unknown } = { ...commands, ...profiling(), cpu };
  process.on('message', async ({ command, argument }: Question) => {
    try {
      process.send?.({ value: await known[command]?.(argument as never) } satisfies Answer);
    } catch (error) {
      process.send?.({ error: String((error as Error).stack) } satisfies Answer);
    }
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ value: port } satisfies Answer);
}

/** V8's own profiler: `profile` starts it, and `profiled` ends it and gives what it has seen. */
function profiling() {
  const session = new Session();
  return {
    async profile() {
      session.connect();
      await session.post('Profiler.enable');
      // Microseconds.
      await session.post('Profiler.setSamplingInterval', { interval: 200 });
      await session.post('Profiler.start');
    },
    async profiled() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    },
  };
}

function start(file: string, args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, file), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
}

function asker(child: ChildProcess): Child['ask'] {
  return async <T>(command: string, argument?: unknown): Promise<T> => {
    const told = answer<T>(child);
    child.send({ command, argument } satisfies Question);
    return (await told).value;
  };
}

function answer<T>(child: ChildProcess): Promise<{ value: T }> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void =>
      reject(new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}`));
    child.once('exit', died);
    child.once('message', (message: Answer) => {
      child.off('exit', died);
      if ('error' in message) reject(new Error(message.error));
      else resolve(message as { value: T });
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill();
  });
}
