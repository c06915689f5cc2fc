// A token in a header, or in what a socket was opened with, of the wrong form.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createContext } from '../../../src/graphql/context.ts';
import { codeIn, createGateway } from '../gateway.ts';

const WHO = '{ hello getUser { id } }';
const NOBODY = { data: { hello: 'world', getUser: null } };

async function start() {
  const gateway = createGateway();
  const id = await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  await gateway.signUp({ email: 'eve@example.com' });
  const other = await gateway.logIn('eve@example.com');
  return { ...gateway, id, token: tokens.accessToken, other: other.tokens.accessToken };
}

describe('a header of the wrong form', () => {
  test.each<[string, (token: string, other: string) => string]>([
    ['a tab', (token) => `Bearer\t${token}`],
    ['a tab and a space', (token) => `Bearer \t${token}`],
    ['quotes', (token) => `Bearer "${token}"`],
    ['single quotes', (token) => `Bearer '${token}'`],
    ['a colon', (token) => `Bearer: ${token}`],
    ['an equals sign', (token) => `Bearer=${token}`],
    ['the scheme twice', (token) => `Bearer Bearer ${token}`],
    ['a list', (token, other) => `Bearer ${token}, Bearer ${other}`],
    ['a list of one', (token) => `Bearer ${token}, Bearer ${token}`],
    ['a list without spaces', (token, other) => `Bearer ${token},Bearer ${other}`],
    ['a list behind another scheme', (token) => `Basic YTpi, Bearer ${token}`],
    ['a list without schemes', (token, other) => `${token}, ${other}`],
    ['a trailing comma', (token) => `Bearer ${token},`],
    ['letters beyond ASCII', (token) => `Bearer ${token}é`],
    ['a space of another kind', (token) => `Bearer\u00a0${token}`],
    ['two tokens', (token, other) => `Bearer ${token} ${other}`],
    ['a token cut short', (token) => `Bearer ${token.slice(0, -1)}`],
    ['a token in upper case', (token) => `Bearer ${token.toUpperCase()}`],
    ['padding', (token) => `Bearer ${token}=`],
  ])('makes nobody a user, and says so: %s', async (_, write) => {
    const { post, token, other, server } = await start();
    const authorization = write(token, other);
    expect(await (await post({ query: WHO }, undefined, { authorization })).json()).toEqual(NOBODY);
    const refused = await (await post({ query: '{ secret }' }, undefined, { authorization })).json();
    expect(refused.errors).toMatchObject([
      { message: expect.stringMatching(/^The token is not valid/), extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    const context = await createContext(server)(
      new Request('http://localhost/', { headers: { authorization } }),
    );
    expect(context).toMatchObject({ user: null, session: null, authError: { code: 'UNAUTHENTICATED' } });
  });

  test.each<[string, (token: string) => string]>([
    ['nothing', () => ''],
    ['the scheme alone', () => 'Bearer'],
    ['the scheme and spaces', () => 'Bearer   '],
    ['another scheme', (token) => `Basic ${token}`],
    ['a scheme that begins as ours', (token) => `Bearers ${token}`],
    ['a scheme with parameters', (token) => `Digest username="${token}", realm="x"`],
  ])('with no token of ours is that of a stranger: %s', async (_, write) => {
    const { post, token } = await start();
    const authorization = write(token);
    expect(await (await post({ query: WHO }, undefined, { authorization })).json()).toEqual(NOBODY);
    const refused = await (await post({ query: '{ secret }' }, undefined, { authorization })).json();
    expect(codeIn(refused)).toBe('UNAUTHENTICATED');
  });

  test.each<[string, (token: string) => string]>([
    ['in lower case', (token) => `bearer ${token}`],
    ['in upper case', (token) => `BEARER ${token}`],
    ['with several spaces', (token) => `Bearer    ${token}`],
    ['without a scheme, as clients of accounts-js send it', (token) => token],
  ])('is none %s', async (_, write) => {
    const { post, token, id } = await start();
    const answer = await post({ query: WHO }, undefined, { authorization: write(token) });
    expect(await answer.json()).toEqual({ data: { hello: 'world', getUser: { id } } });
  });

  test('of 64 KB is refused before anything is looked up, and what needs no user still answers', async () => {
    const { post, token, server } = await start();
    for (const authorization of [
      `Bearer ${'x'.repeat(65_536)}`,
      `Bearer ${token}${'A'.repeat(65_536)}`,
      `Bearer ${'a.'.repeat(32_768)}`,
      `Bearer ${', '.repeat(32_768)}`,
      `${','.repeat(65_536)}`,
      `Bearer x${' '.repeat(65_536)}x`,
      `x${', '.repeat(32_768)}Bearer ${token}`,
    ]) {
      const answer = await post({ query: WHO }, undefined, { authorization });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual(NOBODY);
      const refused = await (await post({ query: '{ secret }' }, undefined, { authorization })).json();
      expect(codeIn(refused)).toBe('UNAUTHENTICATED');
      expect(JSON.stringify(refused)).not.toContain('xxx');
      const request = new Request('http://localhost/', { headers: { authorization } });
      const { authError } = await createContext(server)(request);
      expect(authError?.message).toMatch(/^The token is not valid/);
    }
  });
});

describe('over a socket', () => {
  test('two Authorization headers make nobody a user, whichever of them is good', async () => {
    const { yoga, token, other } = await start();
    await listening(yoga, async (send) => {
      for (const headers of [
        [`Bearer ${token}`, `Bearer ${other}`],
        [`Bearer ${token}`, `Bearer ${token}`],
        [`Bearer ${token}`, 'Bearer nonsense'],
        ['Bearer nonsense', `Bearer ${token}`],
        [`Bearer ${token}`, 'Basic YTpi'],
        ['Basic YTpi', `Bearer ${token}`],
        [`Bearer ${token}`, ''],
        [token, other],
      ]) {
        const lines = headers.map((value, index) => `${['authorization', 'Authorization'][index]}: ${value}`);
        expect(await send(WHO, lines)).toContain('{"data":{"hello":"world","getUser":null}}');
        const refused = await send('{ secret }', lines);
        expect(refused).toContain('The token is not valid');
        expect(refused).toContain('"code":"UNAUTHENTICATED"');
      }
      expect(await send('{ secret }', [`authorization: Bearer ${token}`])).toContain('the treasure');
    });
  });

  test.each<[string, (request: { headers: object }) => unknown]>([
    ['Node', (request) => request],
    ['Express', (request) => ({ req: Object.assign(request, { res: {} }) })],
    ['Fastify', (request) => ({ request: { headers: request.headers, raw: request } })],
    ['Koa', (request) => ({ request: { headers: request.headers, req: request, method: 'POST' } })],
  ])('and so it is with a request of %s', async (_, hostOf) => {
    const { server, token, other } = await start();
    for (const headerName of ['authorization', 'x-access-token']) {
      const contextOf = createContext(server, { headerName });
      const told = (async (request, response) => {
        const { user, authError } = await contextOf(hostOf(request) as never);
        response.end(`${user ? 'somebody' : 'nobody'}: ${authError?.code}`);
      }) satisfies RequestListener;
      await listening(told, async (send) => {
        const lines = [token, other].map((value) => `${headerName}: Bearer ${value}`);
        expect(await send('{ hello }', lines)).toContain('nobody: UNAUTHENTICATED');
        expect(await send('{ hello }', lines.slice(1))).toContain('somebody: undefined');
      });
    }
  });

  test('a header of 64 KB does not reach us', async () => {
    const { yoga } = await start();
    await listening(yoga, async (send) => {
      expect(await send(WHO, [`authorization: Bearer ${'x'.repeat(65_536)}`])).toMatch(
        /^(HTTP\/1\.1 431 |$)/,
      );
      expect(await send(WHO, [])).toContain('{"data":{"hello":"world","getUser":null}}');
    });
  });
});

describe('what a socket was opened with', () => {
  const socket = (connectionParams: unknown) => ({
    connectionParams: connectionParams as never,
    extra: { request: { headers: {}, socket: {} } as never },
  });

  test('is no token when it is no string, or stands in a prototype', async () => {
    const { server, token } = await start();
    const contextOf = createContext(server);
    const sent = `Bearer ${token}`;
    for (const params of [
      [sent],
      sent,
      7,
      true,
      new Map([['authorization', sent]]),
      { authorization: [sent] },
      { authorization: { toString: () => sent } },
      { authorization: Object(sent) },
      { authorization: { authorization: sent } },
      { AUTHORIZATION: sent },
      JSON.parse(`{"__proto__":{"authorization":"${sent}"}}`),
      Object.create({ authorization: sent }),
      { constructor: { authorization: sent } },
      { headers: { authorization: sent } },
    ])
      expect(await contextOf(socket(params))).toMatchObject({ user: null, authToken: null, authError: null });
  });

  test('is refused when it is a list, or too long', async () => {
    const { server, token, other } = await start();
    for (const authorization of [
      `Bearer ${token}, Bearer ${other}`,
      `Bearer ${token}\n${other}`,
      `Bearer ${'x'.repeat(65_536)}`,
    ])
      expect(await createContext(server)(socket({ authorization }))).toMatchObject({
        user: null,
        authError: { code: 'UNAUTHENTICATED' },
      });
  });

  test('bends no look-up by the name of the header', async () => {
    const { server, token } = await start();
    for (const headerName of ['__proto__', 'constructor', 'toString']) {
      const contextOf = createContext(server, { headerName });
      expect((await contextOf(socket({}))).authToken).toBeNull();
      const own = JSON.parse(`{${JSON.stringify(headerName.toLowerCase())}:"Bearer ${token}"}`);
      expect((await contextOf(socket(own))).user).not.toBeNull();
    }
  });
});

/** Runs a server and sends it POST requests as they are written, with headers that no client would send. */
async function listening(
  listener: RequestListener,
  run: (send: (query: string, headers: string[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  const http = createServer(listener);
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  try {
    await run(async (query, headers) => {
      const body = JSON.stringify({ query });
      const lines = [
        'POST /graphql HTTP/1.1',
        'host: localhost',
        'content-type: application/json',
        'accept: application/json',
        'connection: close',
        `content-length: ${Buffer.byteLength(body)}`,
        ...headers,
      ];
      const raw = connect(port, '127.0.0.1');
      let answer = '';
      raw.setEncoding('utf8').on('data', (part: string) => {
        answer += part;
      });
      const closed = Promise.withResolvers<void>();
      // Node may close before it has read everything.
      raw.on('error', () => undefined).on('close', () => closed.resolve());
      raw.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
      await closed.promise;
      return answer;
    });
  } finally {
    http.close();
    http.closeAllConnections();
  }
}
