import { renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { healthCheck } from '../../src/cli/http/health.ts';
import { Bench } from './child.ts';

let server: Server | undefined;
afterEach(() => server?.close());

test('a running program is healthy, and no cache keeps that', async () => {
  const bench = new Bench();
  const { origin } = await bench.start({ DATABASE_URL: 'sqlite::memory:' });
  const response = await fetch(`${origin}/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok' });
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect((await fetch(`${origin}/health`, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${origin}/health`, { method: 'POST' })).status).toBe(405);
  await bench.close();
});

test.each([
  ['the file was deleted', (path: string) => void rmSync(path)],
  ['the file was moved', (path: string) => void renameSync(path, `${path}.moved`)],
  [
    'another process writes for long',
    (path: string) => {
      const other = new DatabaseSync(path);
      other.exec('BEGIN IMMEDIATE');
      return other;
    },
  ],
])('it is 503 while nothing can be written: %s', async (_, breakIt) => {
  const bench = new Bench();
  const { origin } = await bench.start({ DATABASE_URL: 'sqlite:./accounts.db' });
  expect((await fetch(`${origin}/health`)).status).toBe(200);
  const other = breakIt(join(bench.folder, 'accounts.db'));
  await sleep(500);
  expect((await fetch(`${origin}/health`)).status).toBe(503);
  if (other) {
    other.exec('ROLLBACK');
    other.close();
    await expect.poll(async () => (await fetch(`${origin}/health`)).status, { timeout: 5_000 }).toBe(200);
  }
  await bench.close();
});

test('a store that fails makes it 503', async () => {
  const url = await listen(() => Promise.reject(new Error('down')));
  const response = await fetch(url);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: 'unavailable' });
});

test('a store that hangs makes it 503 within 3 s', async () => {
  const url = await listen(() => new Promise(() => {}));
  const start = performance.now();
  expect((await fetch(url)).status).toBe(503);
  expect(performance.now() - start).toBeLessThan(3_000);
});

test('many that ask at once ask the store once', async () => {
  let asked = 0;
  const url = await listen(async () => void asked++);
  const responses = await Promise.all(Array.from({ length: 50 }, () => fetch(url)));
  expect(responses.every(({ status }) => status === 200)).toBe(true);
  expect(asked).toBe(1);
});

async function listen(ping: () => Promise<void>): Promise<string> {
  const listening = createServer(healthCheck(ping));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}
