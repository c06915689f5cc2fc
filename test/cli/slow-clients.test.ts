import type { Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readBody } from '../../src/cli/http/body.ts';
import { type Handler, respond } from '../../src/cli/http/respond.ts';
import { createHttpServer, listen, TIMEOUTS } from '../../src/cli/http/server.ts';
import { codeIn } from './child.ts';

const SHORT = { headers: 100, request: 200, checks: 10, keepAlive: 1_000 };
const HEADERS = 'POST / HTTP/1.1\r\nhost: x\r\n';

let server: Server | undefined;
afterEach(() => server?.close());

test.each([
  ['headers', HEADERS, 'a: b\r\n'],
  ['body', `${HEADERS}content-length: 1000\r\n\r\n`, 'x'],
  ['chunked body', `${HEADERS}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
])('a request whose %s trickles in is ended with 408', async (_, start, drop) => {
  let read: unknown;
  const answer = await trickle(start, drop, async (req, res) => {
    read = await readBody(req, res, 1_000);
    if (read !== 'gone') respond(req, res, 200, {});
  });
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\n/);
  expect(codeIn(answer.slice(answer.indexOf('{')))).toBe('BAD_REQUEST');
  expect(read).toBeOneOf([undefined, 'gone']);
});

test('a request that is slow and comes in time is answered', async () => {
  const answer = await trickle(
    `${HEADERS}content-length: 3\r\nconnection: close\r\n\r\n`,
    'x',
    answerWithBody,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*xxx$/);
});

test('headers have 10 s, a whole request 30 s, unless something else is asked for', () => {
  expect(TIMEOUTS).toEqual({ headers: 10_000, request: 30_000, checks: 2_000, keepAlive: 65_000 });
  expect(createHttpServer(() => {})).toMatchObject({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
  });
});

const answerWithBody: Handler = async (req, res) => {
  const body = await readBody(req, res, 1_000);
  respond(req, res, 200, {}, body);
};

/** Sends a beginning, and then one drop every few milliseconds, until the server closes; what it has answered. */
async function trickle(start: string, drop: string, handler: Handler): Promise<string> {
  server = createHttpServer(handler, SHORT);
  const port = await listen(server, 0, '127.0.0.1');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(start));
    const dripping = setInterval(() => socket.write(drop), 20);
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
      clearInterval(dripping);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearInterval(dripping);
      resolve(answer);
    });
  });
}
