import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench, codeIn } from './child.ts';

const bench = new Bench();
let origin: string;

beforeAll(async () => {
  ({ origin } = await bench.start({ DATABASE_URL: 'sqlite::memory:' }));
});
afterAll(() => bench.close());

const JSON_BODY = '{"query":"{ getUser { id } }"}';
const POST = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${JSON_BODY.length}\r\n`;

test.each([
  ['an expectation that nobody knows', `${POST}expect: foo\r\n\r\n${JSON_BODY}`, 417],
  ['a request without Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
  ['one that expects to be continued', 'POST /graphql HTTP/1.1\r\nexpect: 100-continue\r\n\r\n', 400],
  ['what is no HTTP', 'hello\r\n\r\n', 400],
  ['two lengths', `${POST}content-length: 5\r\n\r\n${JSON_BODY}`, 400],
])('%s is refused with a code', async (_, request, status) => {
  const answer = await speak(request);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toMatch(/connection: close/i);
  expect(codeIn(answer.slice(answer.indexOf('{')))).toBe('BAD_REQUEST');
});

test('a request of HTTP/1.0 needs no Host', async () => {
  expect(await speak('GET /health HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK/);
});

/** Sends it as it is, and reads until the server closes. */
function speak(request: string): Promise<string> {
  const { port, hostname } = new URL(origin);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}
