import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, Bench, codeIn, post, send } from './child.ts';

const MIB = 1024 * 1024;
const bench = new Bench();
let url: string;

beforeAll(async () => {
  ({ url } = await bench.start({ DATABASE_URL: 'sqlite::memory:' }));
});
afterAll(() => bench.close());

describe('bounds', () => {
  test.each([
    ['20 levels deep', nested(20), 'deeper than 20', false],
    ['21 levels deep', nested(21), 'deeper than 20', true],
    ['30 aliases', aliased(30), 'more than 30 aliases', false],
    ['31 aliases', aliased(31), 'more than 30 aliases', true],
    ['a field 400 times', `{ ${'getUser { id } '.repeat(400)} }`, 'more than 30 aliases', true],
    ['4 × 10 aliases in a fragment', fragments(4, 10), 'more than 30 aliases', true],
    ['fragments that double 40 times', doubling(40), 'more than 30 aliases', true],
    [
      'a field once each in 32 inline fragments',
      `{ ${'...{ getUser { id } } '.repeat(32)} }`,
      'aliases',
      true,
    ],
    [
      'a field once each in 31 inline fragments',
      `{ ${'...{ getUser { id } } '.repeat(31)} }`,
      'aliases',
      false,
    ],
    ['a field once each in 32 fragments', onceEach(32), 'more than 30 aliases', true],
    [
      'different fields in fragments',
      `{ ...{ a: getUser { id } } ...{ getUser { ...{ username } } } }`,
      'x',
      false,
    ],
    ['levels hidden in fragments', hiddenDepth(21), 'deeper than 20', true],
    ['2,000 tokens', `{ getUser { ${'id '.repeat(2000 - 5)} } }`, 'more than 2000 tokens', false],
    ['2,001 tokens', `{ getUser { ${'id '.repeat(2001 - 5)} } }`, 'more than 2000 tokens', true],
    ['64 Ki characters', commented(64 * 1024), 'characters', false],
    ['one character more', commented(64 * 1024 + 1), 'more than 65536 characters', true],
  ])('%s', async (_, query, told, isRefused) => {
    const { errors = [] } = await ask(url, query);
    expect(errors.some(({ message }) => message.includes(told))).toBe(isRefused);
    if (isRefused) expect(errors[0]?.extensions.code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
  });

  test.each([
    ['a field', (name: string) => `{ ${name} }`],
    ['a type', (name: string) => `query ($a: ${name}) { getUser { id } }`],
    ['a fragment', (name: string) => `{ ...${name} }`],
    ['a directive', (name: string) => `{ getUser @${name} { id } }`],
    ['a variable', (name: string) => `mutation ($${name}: String!) { verifyEmail(token: $${name}) }`],
  ])('a name as long as the document comes back cut: %s', async (_, query) => {
    const { errors } = await ask(url, query('n'.repeat(30_000)));
    expect(JSON.stringify(errors).length).toBeLessThan(500);
    expect(errors?.some(({ message }) => message.includes(`${'n'.repeat(100)}…`))).toBe(true);
  });

  test.each([
    ['1,000 values', 'hold more than 1000 values', { list: Array(998).fill(1) }, false],
    ['1,001 values', 'hold more than 1000 values', { list: Array(999).fill(1) }, true],
    ['20 levels', 'nested deeper than 20', lists(20), false],
    ['21 levels', 'nested deeper than 20', lists(21), true],
  ])('variables of %s', async (_, told, variables, isRefused) => {
    const { status, errors } = await ask(url, '{ getUser { id } }', variables);
    if (!isRefused) return expect(errors).toBeUndefined();
    expect({ status, errors }).toMatchObject({
      status: 400,
      errors: [{ message: expect.stringContaining(told), extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  test.each([
    ['90,000 unknown keys', JSON.stringify(unknownKeys(90_000))],
    ['400,000 lists in each other', `{"user":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    ['150,000 objects in each other', `{"user":${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}}`],
  ])('variables of %s are refused before anybody prints them', async (_, variables) => {
    const query = 'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }';
    const answer = await post(url, `{"query":${JSON.stringify(query)},"variables":${variables}}`);
    expect(answer).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' });
    expect(answer.text).toContain('The variables');
  });

  // Each error prints the whole object, with everything in it.
  test('of what is wrong with the variables only the first is looked for', async () => {
    const query = 'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId } }';
    const user = { ...unknownKeys(60).user, email: 'x'.repeat(100_000) };
    const { status, errors } = await ask(url, query, { user });
    expect({ status, errors }).toMatchObject({
      status: 400,
      errors: [
        { message: 'The variable "$user" does not fit its type.', extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
    expect(errors).toHaveLength(1);
  });

  test('fragments in a circle are refused as such', async () => {
    const query = '{ getUser { ...A } } fragment A on User { id ...B } fragment B on User { id ...A }';
    const { errors } = await ask(url, query);
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('itself') });
  });

  test('a refused document is refused again, and a good one stays good', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await ask(url, '{ nothing }')).errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect((await ask(url, '{ getUser { id } }')).data).toEqual({ getUser: null });
    }
  });

  test('a body of 1 MiB is read, one byte more is 413', async () => {
    expect((await post(url, padded(MIB))).status).toBe(200);
    expect(await post(url, padded(MIB + 1))).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
  });

  test('a body announced as too large is refused before it is sent', async () => {
    const answer = await speak(url, `content-length: ${MIB + 1}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]+PAYLOAD_TOO_LARGE/);
    const invited = await speak(url, `content-length: ${MIB + 1}\r\nexpect: 100-continue\r\n\r\n`);
    expect(invited).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body of unknown length is refused while it comes', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(17);
    const answer = await speak(url, `transfer-encoding: chunked\r\n\r\n${chunks}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]+connection: close[\s\S]+PAYLOAD_TOO_LARGE/);
  });

  test('a header too large is refused', async () => {
    const headers = { authorization: `Bearer ${'x'.repeat(100_000)}` };
    const { status, text } = await send(url, { headers });
    expect({ status, code: codeIn(text) }).toEqual({ status: 431, code: 'PAYLOAD_TOO_LARGE' });
  });
});

/** Sends a request that is not finished, and reads until the server closes. */
function speak(to: string, rest: string): Promise<string> {
  const { port, hostname } = new URL(to);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${rest}`);
    });
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}

function padded(length: number): string {
  const body = JSON.stringify({ query: '{ getUser { id } }', extensions: { padding: '' } });
  return body.replace('""', `"${'x'.repeat(length - body.length)}"`);
}

/** Not valid against the schema, which is not judged before the depth is. */
function nested(depth: number): string {
  return `${'{ a '.repeat(depth)}${'}'.repeat(depth)}`;
}

function aliased(count: number): string {
  return `{ ${Array.from({ length: count }, (_, number) => `a${number}: getUser { id }`).join(' ')} }`;
}

function fragments(spreads: number, aliases: number): string {
  const fields = Array.from({ length: aliases }, (_, number) => `a${number}: id`).join(' ');
  const users = Array(spreads).fill('... on Query { getUser { ...F } }').join(' ');
  return `{ ${users} } fragment F on User { ${fields} }`;
}

function onceEach(count: number): string {
  const names = Array.from({ length: count }, (_, n) => `F${n}`);
  const definitions = names.map((name) => `fragment ${name} on Query { getUser { id } }`);
  return `{ ${names.map((name) => `...${name}`).join(' ')} } ${definitions.join(' ')}`;
}

/** Lines of comments, which are no tokens. */
function commented(length: number): string {
  const query = '{ getUser { id } }';
  return query + '#\n'.repeat(length).slice(0, length - query.length);
}

function unknownKeys(count: number) {
  return { user: Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1])) };
}

/** The variables themselves are the first level. */
function lists(depth: number): object {
  let list: unknown = 1;
  for (let level = 0; level < depth; level++) list = [list];
  return { list };
}

function doubling(times: number): string {
  const links = Array.from(
    { length: times },
    (_, n) => `fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`,
  );
  return `{ getUser { ...F0 } } ${links.join(' ')} fragment F${times} on User { a: id }`;
}

function hiddenDepth(depth: number): string {
  const links = Array.from({ length: depth - 1 }, (_, n) => `fragment F${n} on A { a { ...F${n + 1} } }`);
  return `{ ...F0 } ${links.join(' ')} fragment F${depth - 1} on A { a }`;
}
