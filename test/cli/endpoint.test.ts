import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, Bench, codeIn, LOG_IN, PASSWORD, post, SIGN_UP, send } from './child.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const BAD_VARIABLE =
  '{"query":"mutation($a:String!){verifyEmail(token:$a)}","variables":{"a":{"hunter2":1}}}';
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
    [
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n{getUser{id}}\r\n--x--',
    ],
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
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': 'content-type, authorization, *',
      'access-control-max-age': '7200',
    });
    // RFC 9110, 8.6
    expect(preflight.headers).not.toHaveProperty('content-length');
    expect(preflight.headers).not.toHaveProperty('transfer-encoding');
    const answer = await ask(url, '{ getUser { id } }', {}, { origin: 'https://app.example.com' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('S40 the origins of the site and of its front ends may send cookies, which a login by OAuth needs', async () => {
    const redirects = 'https://app.example.com/done, myapp:/done';
    const trusting = await bench.start({
      DATABASE_URL: 'sqlite::memory:',
      RETURN_TO_ORIGINS: 'https://shop.example.com',
      OAUTH_REDIRECT_URIS: redirects,
    });
    for (const origin of ['https://shop.example.com', 'https://app.example.com']) {
      const asked = { origin, 'access-control-request-headers': 'content-type,x-mine' };
      const { headers } = await send(trusting.url, { method: 'OPTIONS', headers: asked });
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'content-type,x-mine',
        vary: 'Origin',
      });
      const answer = await ask(trusting.url, '{ getUser { id } }', {}, { origin });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    }
    for (const origin of [
      'https://evil.example.com',
      'null',
      'https://app.example.com.evil.com',
      'http://app.example.com',
    ]) {
      const answer = await ask(trusting.url, '{ getUser { id } }', {}, { origin });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      expect(answer.headers.get('vary')).toBe('Origin');
    }
  });

  test('both media types of GraphQL over HTTP are answered', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', '*/*']) {
      const { headers, data } = await ask(url, '{ getUser { id } }', {}, { accept });
      expect(headers.get('content-type')).toContain(accept === '*/*' ? 'json' : accept);
      expect(data).toEqual({ getUser: null });
    }
    for (const accept of ['application/json; charset=utf-16', 'image/png', 'application/jsonp']) {
      const { status, errors } = await ask(url, '{ getUser { id } }', {}, { accept });
      expect(status).toBe(406);
      expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST');
    }
  });

  test('what cannot be answered is not executed', async () => {
    const [executed, refused] = ['answered@example.com', 'unanswered@example.com'];
    const signUp = (email: string, headers: object) =>
      ask(url, SIGN_UP, { user: { email, password: PASSWORD } }, headers);
    expect((await signUp(executed, {})).status).toBe(200);
    expect((await signUp(refused, { accept: 'image/png' })).status).toBe(406);
    const logIn = (email: string) => ask(url, LOG_IN, { user: { email }, password: PASSWORD });
    expect((await logIn(executed)).errors).toBeUndefined();
    expect((await logIn(refused)).errors).toHaveLength(1);
  });

  test.each([
    ['text/event-stream', 'event: next\ndata: {"data":{"getUser":null}}\n\nevent: complete\ndata:\n\n'],
    [
      'multipart/mixed',
      '\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{"data":{"getUser":null}}\r\n-----\r\n',
    ],
  ])('a client that takes nothing but %s gets the one result in it', async (accept, text) => {
    const body = '{"query":"{ getUser { id } }"}';
    const answer = await send(url, { method: 'POST', headers: { ...JSON_TYPE, accept }, body });
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers['content-type']).toContain(accept);
    const urql = `application/graphql-response+json, application/json, ${accept}`;
    const plain = await send(url, { method: 'POST', headers: { ...JSON_TYPE, accept: urql }, body });
    expect(plain.headers['content-type']).toContain('application/graphql-response+json');
    expect(plain.text).toBe('{"data":{"getUser":null}}');
  });

  test('variables and extensions in an address are JSON, or refused', async () => {
    const ask = (parameters: string) => send(`${url}?query=%7B__typename%7D&${parameters}`);
    for (const parameters of ['', 'variables=', 'variables=null', 'variables=%7B%7D', 'extensions=%7B%7D']) {
      expect((await ask(parameters)).status).toBe(200);
    }
    for (const name of ['variables', 'extensions']) {
      const { status, text } = await ask(`${name}=hunter2`);
      expect({ status, code: codeIn(text) }).toEqual({ status: 400, code: 'BAD_REQUEST' });
      expect(text).toContain(`\\"${name}\\" must be an object`);
      expect(text).not.toContain('hunter2');
    }
  });

  test('where there is no GraphiQL, GET and HEAD without a query are refused', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const page = await send(production, { headers: browser });
    expect(page).toMatchObject({
      status: 400,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(codeIn(page.text)).toBe('BAD_REQUEST');
    const head = await send(production, { method: 'HEAD', headers: browser });
    expect(head).toMatchObject({ status: 405, headers: { allow: 'GET, POST, OPTIONS' }, text: '' });
  });

  test('other paths are not found', async () => {
    const { origin } = new URL(url);
    for (const path of [
      '/',
      '/graphql/',
      '/graphqlx',
      '/__proto__',
      '/constructor',
      '//',
      '/%2e%2e/etc/passwd',
    ]) {
      expect((await send(origin + path)).status).toBe(404);
    }
  });
});

describe('the statuses of GraphQL over HTTP', () => {
  const NEW = 'application/graphql-response+json';
  const OLD = 'application/json';

  // With the newer type the status tells that nothing was executed; with the older one a bad document is 200 as well.
  test.each([
    ['a good operation', '{"query":"{ getUser { id } }"}', undefined, 200, 200],
    [
      'an operation whose field fails',
      '{"query":"mutation{verifyEmail(token:\\"x\\")}"}',
      'INVALID_TOKEN',
      200,
      200,
    ],
    ['a document that does not parse', '{"query":"{"}', 'GRAPHQL_PARSE_FAILED', 400, 200],
    ['a document that does not fit', '{"query":"{ nothing }"}', 'GRAPHQL_VALIDATION_FAILED', 400, 200],
    ['a subscription', '{"query":"subscription { __typename }"}', 'GRAPHQL_VALIDATION_FAILED', 400, 200],
    ['a variable of another type', BAD_VARIABLE, 'BAD_USER_INPUT', 400, 400],
    [
      'an operation that is not there',
      '{"query":"{ getUser { id } }","operationName":"A"}',
      'BAD_REQUEST',
      400,
      400,
    ],
    ['no operation', '{}', 'BAD_REQUEST', 400, 400],
    ['no JSON', '{', 'BAD_REQUEST', 400, 400],
  ])('%s', async (_, body, code, newer, older) => {
    for (const [accept, type, status] of [
      [NEW, NEW, newer],
      [`${NEW}, ${OLD};q=0.9`, NEW, newer],
      [OLD, OLD, older],
      [`${OLD}, ${NEW};q=0.9`, OLD, older],
      ['*/*', OLD, older],
      [undefined, OLD, older],
    ] as const) {
      const headers = { ...JSON_TYPE, ...(accept !== undefined && { accept }) };
      const answer = await send(url, { method: 'POST', headers, body });
      expect(answer).toMatchObject({ status, headers: { 'content-type': `${type}; charset=utf-8` } });
      expect(codeIn(answer.text)).toBe(code);
    }
  });

  test('a mutation by GET is 405, and says how it is asked', async () => {
    const mutation = await send(`${url}?query=mutation%7Blogout%7D`, { headers: { accept: NEW } });
    expect(mutation).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(mutation.headers['content-type']).toContain(NEW);
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
    const body =
      '{"query":"query($a:String){getUser{id}}","__proto__":{"query":1},"variables":{"__proto__":{"a":1}},"constructor":1}';
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
  for (const operation of ['mutation SignUp', 'mutation LogIn', 'query GetUser'])
    expect(html).toContain(operation);
  expect(html).not.toMatch(/<(script|link)[^>]+(src|href)="?https?:/);
});

const login = (email: string) => ({ user: { email }, password: PASSWORD });
