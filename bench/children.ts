import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadOrder, LoadResult } from './load.ts';

/** A server in a process of its own, whose processor time can be asked for. */
export interface Server {
  port: number;
  /** Microseconds of processor time since it was asked last. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

export async function startServer(file: string, ...args: string[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, file), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { port } = await answer<{ port: number }>(child);
  return {
    port,
    async cpu() {
      const told = answer<{ micros: number }>(child);
      child.send('cpu');
      return (await told).micros;
    },
    stop: () => end(child),
  };
}

/** A load generator in a process of its own. */
export function startLoad(): { run(order: LoadOrder): Promise<LoadResult>; stop(): Promise<void> } {
  const child = fork(join(import.meta.dirname, 'load.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    async run(order) {
      const told = answer<LoadResult>(child);
      child.send(order);
      return told;
    },
    stop: () => end(child),
  };
}

/** What a server of the benchmark does for `startServer`. */
export function serveBench(port: number): void {
  let before = process.cpuUsage();
  process.on('message', (message) => {
    if (message !== 'cpu') return;
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    process.send?.({ micros: user + system });
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ port });
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`a child process ended with ${code}`));
    child.once('exit', died);
    child.once('message', (message) => {
      child.off('exit', died);
      resolve(message as T);
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
  });
}
