import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { printed } from '../program.ts';
import { ask, Bench, PASSWORD, SIGN_UP } from './child.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const SECONDS = 1_000;

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets the request in flight finish and takes no other',
  async (signal) => {
    const { child, url, output } = await bench.start();
    const body = JSON.stringify({ query: '{ getUser { id } }' });
    const sent = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' },
    });
    const answer = new Promise<string>((resolve, reject) => {
      sent.once('error', reject);
      sent.once('response', async (response) => resolve((await response.toArray()).join('')));
    });
    sent.flushHeaders();
    // From here on the server has the request, and waits for its body.
    await new Promise((resolve) => sent.once('continue', resolve));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await printed(child, output, /stopping/);
    await expect(fetch(url)).rejects.toThrow();
    sent.end(body);
    expect(await answer).toBe('{"data":{"getUser":null}}');
    expect(await ended).toBe(0);
  },
);

test('idle connections do not hold the end up', async () => {
  const { url, stop } = await bench.start();
  await ask(url, '{ getUser { id } }');
  const start = performance.now();
  expect(await stop()).toBe(0);
  expect(performance.now() - start).toBeLessThan(3 * SECONDS);
});

test('a request that never comes to its end is cut off, and the program ends within 10 s', async () => {
  const { child, url, stop } = await bench.start();
  const sent = request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': 100, expect: '100-continue' },
  });
  const cut = new Promise<Error>((resolve) => sent.once('error', resolve));
  sent.flushHeaders();
  await new Promise((resolve) => sent.once('continue', resolve));
  const start = performance.now();
  expect(await stop()).toBe(0);
  expect(child.signalCode).toBeNull();
  expect(performance.now() - start).toBeLessThan(10 * SECONDS);
  await cut;
});

test('the mail of the last request is sent before the end', async () => {
  const { url, output, stop } = await bench.start();
  await ask(url, SIGN_UP, { user: { email: 'ada@example.com', password: PASSWORD } });
  await ask(url, 'mutation { sendResetPasswordEmail(email: "ada@example.com") }');
  await stop();
  expect(output()).toMatch(/\/reset-password\/[\w-]{43}$/m);
});
