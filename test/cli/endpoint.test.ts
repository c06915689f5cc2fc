import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ask, Bench, LOG_IN, PASSWORD, SIGN_UP, send } from './child.ts';

const MIB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const bench = new Bench();
let url: string;
let production: string;

beforeAll(async () => {
  const memory = { DATABASE_URL: 'sqlite::memory:' };
  const secret = 'a secret of the tests that is long enough';
  const [shown, hidden] = await Promise.all([
    bench.start(memory),
    bench.start({ ...memory, NODE_ENV: 'production', TOKEN_SECRET: secret, LOG_LEVEL: 'warn' }),
  ]);
  url = shown.url;
  production = hidden.url;
});
afterAll(() => bench.close());

describe('S49 what the endpoint takes', () => {
  test.each([
    ['application/x-www-form-urlencoded', 'query=%7BgetUser%7Bid%7D%7D'],
    ['multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n{getUser{id}}\r\n--x--'],
    ['text/plain', '{"query":"{getUser{id}}"}'],
    ['text/plain;application/json', '{"query":"{getUser{id}}"}'],
    ['', '{"query":"{getUser{id}}"}'],
  ])('a body of type "%s" is refused', async (type, body) => {
    const headers = type ? { 'content-type': type } : {};
    const { status, text } = await send(url, { method: 'POST', headers, body });
    expect(status).toBe(415);
    expect(codeIn(text)).toBe('BAD_REQUEST');
  });

  test('a query by GET is answered, a mutation is not', async () => {
    const query = await send(`${url}?query=${encodeURIComponent('{ getUser { id } }')}`);
    expect(query).toMatchObject({ status: 200, text: '{"data":{"getUser":null}}' });
    const mutation = await send(`${url}?query=${encodeURIComponent('mutation { logout }')}`);
    expect(mutation.status).toBe(405);
    expect(codeIn(mutation.text)).toBe('BAD_REQUEST');
    const named = 'query Q { getUser { id } } mutation M { logout }';
    const chosen = await send(`${url}?operationName=M&query=${encodeURIComponent(named)}`);
    expect(chosen.status).toBe(405);
  });

  test.each(['PUT', 'DELETE', 'HEAD', 'PATCH'])('%s is refused', async (method) => {
    const { status, headers } = await send(url, { method });
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, POST, OPTIONS');
  });

  test('a batch is refused', async () => {
    const operation = { query: '{ getUser { id } }' };
    const answer = await post(url, JSON.stringify([operation, operation]));
    expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  test('a compressed body is refused', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await send(url, { method: 'POST', headers, body: 'x' })).status).toBe(415);
  });

  test('any origin may ask, and none with credentials', async () => {
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };
    const preflight = await send(url, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'content-type, authorization, *',
    });
    const answer = await ask(url, '{ getUser { id } }', {}, { origin: 'https://app.example.com' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('both media types of GraphQL over HTTP are answered', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*']) {
      const { headers, data } = await ask(url, '{ getUser { id } }', {}, { accept });
      expect(headers.get('content-type')).toContain(accept === '*/*' ? 'json' : accept);
      expect(data).toEqual({ getUser: null });
    }
    const { status, errors } = await ask(url, '{ getUser { id } }', {}, { accept: 'image/png' });
    expect(status).toBe(406);
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST');
  });

  test('other paths are not found', async () => {
    const { origin } = new URL(url);
    for (const path of ['/', '/graphql/', '/graphqlx', '/__proto__', '/constructor', '//', '/%2e%2e/etc/passwd']) {
      expect((await send(origin + path)).status).toBe(404);
    }
  });
});

describe('a request that asks nothing', () => {
  test.each([
    ['', 'not JSON'],
    ['{"query":', 'not JSON'],
    ['hunter2', 'not JSON'],
    ['null', 'JSON object'],
    ['"hunter2"', 'JSON object'],
    ['{}', 'no "query"'],
    ['{"query":null}', 'no "query"'],
    ['{"query":{"hunter2":1}}', '"query" must be a string'],
    ['{"query":"{getUser{id}}","variables":"hunter2"}', '"variables" must be an object'],
    ['{"query":"{getUser{id}}","variables":["hunter2"]}', '"variables" must be an object'],
    ['{"query":"{getUser{id}}","operationName":{"hunter2":1}}', '"operationName" must be a string'],
    ['{"query":"{getUser{id}}","extensions":"hunter2"}', '"extensions" must be an object'],
    ['{"query":"{getUser{id}}","operationName":"hunter2"}', 'which operation'],
    ['{"query":"query A{getUser{id}} query B{getUser{id}}"}', 'which operation'],
    ['{"query":"fragment F on User{id}"}', ''],
    ['{"query":""}', 'Syntax error at line 1, column 1'],
  ])('%s', async (body, told) => {
    const { status, text, code } = await post(url, body);
    expect(text).toContain(JSON.stringify(told).slice(1, -1));
    expect(text).not.toContain('hunter2');
    expect(code).toMatch(/^(BAD_REQUEST|GRAPHQL_(PARSE|VALIDATION)_FAILED)$/);
    expect(status === 400 || code !== 'BAD_REQUEST').toBe(true);
  });

  test('names of the prototype are names like others (S44)', async () => {
    const body = '{"query":"query($a:String){getUser{id}}","__proto__":{"query":1},"variables":{"__proto__":{"a":1}},"constructor":1}';
    expect((await post(url, body)).code).toBe('GRAPHQL_VALIDATION_FAILED');
    const { errors } = await ask(url, LOG_IN.replace('"password"', '"__proto__"'), login('ada@example.com'));
    expect(errors?.[0]?.extensions.code).toBe('SERVICE_NOT_FOUND');
    expect((await ask(url, '{ __proto__ constructor getUser { id } }')).errors).toBeDefined();
  });

  test('a Host that is none changes nothing', async () => {
    const headers = { host: '[' };
    const { status, text } = await send(`${url}?query=%7BgetUser%7Bid%7D%7D`, { headers });
    expect({ status, text }).toEqual({ status: 200, text: '{"data":{"getUser":null}}' });
  });
});

describe('S45 nothing is echoed', () => {
  test.each([
    ['an unquoted password', 'password: hunter2'],
    ['an unquoted password of two words', 'password: hunter2 horse'],
    ['a password that is a number', 'password: 4711hunter2'],
    ['a password in an object', 'password: { hunter2: 1 }'],
    ['a password in a list', 'password: ["hunter2"]'],
    ['a string that is not closed', 'password: "hunter2'],
    ['a bad escape', 'password: "hunter2\\q"'],
    ['an unknown field', 'hunter2: "x"'],
    ['a field twice', 'password: "hunter2", password: "hunter2"'],
  ])('%s', async (_, field) => {
    const query = `mutation { authenticate(serviceName: "password", params: { user: { email: "a@b.example" }, ${field} }) { sessionId } }`;
    const { text, code } = await post(url, JSON.stringify({ query }));
    expect(text).not.toMatch(/hunter2|4711|horse/);
    expect(code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
    expect((JSON.parse(text) as Answer).errors?.[0]?.locations?.length).toBeGreaterThan(0);
  });

  test('a number where a string belongs', async () => {
    const { text, code } = await post(url, '{"query":"mutation{verifyEmail(token:47114711)}"}');
    expect(text).not.toContain('4711');
    expect(code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test.each([
    { user: { email: 'ada@example.com' }, password: { hunter2: 1 } },
    { user: { email: 'ada@example.com' }, password: ['hunter2'] },
    { user: { hunter2: 'x' }, password: 'x' },
    { user: 'hunter2', password: 'x' },
    { user: {}, password: null },
    {},
  ])('the variables %o', async (variables) => {
    const { errors, status } = await ask(url, LOG_IN, variables, { accept: 'application/graphql-response+json' });
    expect(JSON.stringify(errors)).not.toContain('hunter2');
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toMatch(/"\$(user|password)"/);
    expect(status).toBe(400);
  });

  test('a variable that is null where a default was meant', async () => {
    const query = 'mutation ($token: String = "x") { verifyEmail(token: $token) }';
    const { errors } = await ask(url, query, { token: null });
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  test('a syntax error tells its position', async () => {
    const { errors } = await ask(url, '{\n  getUser { id }}}');
    expect(errors).toEqual([
      {
        message: 'Syntax error at line 2, column 18.',
        locations: [{ line: 2, column: 18 }],
        extensions: { code: 'GRAPHQL_PARSE_FAILED' },
      },
    ]);
  });
});

describe('bounds', () => {
  test.each([
    ['20 levels deep', nested(20), 'deeper than 20', false],
    ['21 levels deep', nested(21), 'deeper than 20', true],
    ['30 aliases', aliased(30), 'more than 30 aliases', false],
    ['31 aliases', aliased(31), 'more than 30 aliases', true],
    ['a field 400 times', `{ ${'getUser { id } '.repeat(400)} }`, 'more than 30 aliases', true],
    ['4 × 10 aliases in a fragment', fragments(4, 10), 'more than 30 aliases', true],
    ['fragments that double 40 times', doubling(40), 'more than 30 aliases', true],
    ['levels hidden in fragments', hiddenDepth(21), 'deeper than 20', true],
    ['2,000 tokens', `{ getUser { ${'id '.repeat(2000 - 5)} } }`, 'more than 2000 tokens', false],
    ['2,001 tokens', `{ getUser { ${'id '.repeat(2001 - 5)} } }`, 'more than 2000 tokens', true],
  ])('%s', async (_, query, told, isRefused) => {
    const { errors = [] } = await ask(url, query);
    expect(errors.some(({ message }) => message.includes(told))).toBe(isRefused);
    if (isRefused) expect(errors[0]?.extensions.code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
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

test('an answer with tokens is kept by no cache', async () => {
  await ask(url, SIGN_UP, { user: { email: 'cache@example.com', password: PASSWORD } });
  const { headers, data } = await ask(url, LOG_IN, login('cache@example.com'));
  expect(data?.authenticate).toMatchObject({ tokens: { accessToken: expect.any(String) } });
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

describe('what production hides', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }';

  test('introspection', async () => {
    expect((await ask(url, INTROSPECTION)).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    const { data, errors } = await ask(production, INTROSPECTION);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await ask(production, '{ __typename }')).data).toEqual({ __typename: 'Query' });
  });

  test('suggestions', async () => {
    expect(JSON.stringify(await ask(url, '{ getUse { id } }'))).toContain('getUser');
    expect(JSON.stringify(await ask(production, '{ getUse { id } }'))).not.toContain('getUser');
  });

  test('GraphiQL', async () => {
    const page = await fetch(production, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).not.toContain('html');
  });
});

test('GraphiQL has a sign-up, a login and a getUser in its tabs, and needs no other server', async () => {
  const page = await fetch(url, { headers: { accept: 'text/html,*/*' } });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  const html = await page.text();
  for (const operation of ['mutation SignUp', 'mutation LogIn', 'query GetUser']) expect(html).toContain(operation);
  expect(html).not.toMatch(/<(script|link)[^>]+(src|href)="?https?:/);
});

const login = (email: string) => ({ user: { email }, password: PASSWORD });

async function post(to: string, body: string) {
  const { status, text } = await send(to, { method: 'POST', headers: JSON_TYPE, body });
  return { status, text, code: codeIn(text) };
}

function codeIn(text: string): string | undefined {
  return (JSON.parse(text) as Answer).errors?.[0]?.extensions.code;
}

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

function doubling(times: number): string {
  const links = Array.from({ length: times }, (_, n) => `fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`);
  return `{ getUser { ...F0 } } ${links.join(' ')} fragment F${times} on User { a: id }`;
}

function hiddenDepth(depth: number): string {
  const links = Array.from({ length: depth - 1 }, (_, n) => `fragment F${n} on A { a { ...F${n + 1} } }`);
  return `{ ...F0 } ${links.join(' ')} fragment F${depth - 1} on A { a }`;
}
