import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import {
  fulfil,
  markAnswered,
  wishCookie,
  wishNoStore,
  wishRetryAfter,
} from '../../src/graphql/answer/wishes.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { AccountsError, AccountsServer, type ServiceFactory } from '../../src/index.ts';
import { createAccounts, PASSWORD, SECRET } from '../accounts.ts';
import { createGateway } from './gateway.ts';

const login = (password: string) => `mutation {
  authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${password}" }) {
    tokens { accessToken }
  }
}`;

for (const useStatelessSession of [false, true])
  describe(`an answer that carries a token, ${useStatelessSession ? 'statelessly' : 'statefully'},`, () => {
    const start = async () => {
      const gateway = createGateway({ useStatelessSession }, { yoga: { batching: true } });
      await gateway.signUp({ email: 'ada@example.com' });
      const cacheControl = async (body: unknown, token?: string) =>
        (await gateway.post(body, token)).headers.get('cache-control');
      return { ...gateway, cacheControl };
    };

    test('is kept out of caches, as is the refusal of one', async () => {
      const { cacheControl, logIn } = await start();
      expect(await cacheControl({ query: login(PASSWORD) })).toBe('no-store');
      expect(await cacheControl({ query: login('not the password') })).toBe('no-store');
      expect(await cacheControl([{ query: '{ hello }' }, { query: login(PASSWORD) }])).toBe('no-store');
      const { tokens } = await logIn('ada@example.com');
      const query = `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { sessionId } }`;
      expect(await cacheControl({ query })).toBe('no-store');
      expect(await cacheControl({ query: '{ hello getUser { id } }' }, tokens.accessToken)).toBeNull();
      expect(await cacheControl({ query: '{ hello }' })).toBeNull();
    });

    test('is so over real HTTP, and while a part of it is outstanding', async () => {
      const { server, signUp } = createAccounts({ useStatelessSession });
      await signUp({ email: 'ada@example.com' });
      const { typeDefs, resolvers } = accountsModule(server);
      const defer =
        'directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT';
      const schema = makeExecutableSchema({ typeDefs: [typeDefs, defer], resolvers });
      const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
      const http = createServer(yoga);
      await once(http.listen(0, '127.0.0.1'), 'listening');
      const { port } = http.address() as AddressInfo;
      const post = (query: string) =>
        fetch(`http://127.0.0.1:${port}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'multipart/mixed, application/json' },
          body: JSON.stringify({ query }),
        });
      const whole = await post(login(PASSWORD));
      expect(whole.headers.get('cache-control')).toBe('no-store');
      expect(await whole.text()).toContain('accessToken');
      const deferred = await post(
        login(PASSWORD).replace('tokens { accessToken }', '... @defer { tokens { accessToken } }'),
      );
      expect(deferred.headers.get('content-type')).toContain('multipart/mixed');
      expect(deferred.headers.get('cache-control')).toBe('no-store');
      expect(await deferred.text()).toContain('"accessToken":"ey');
      expect((await post('{ getUser { id } }')).headers.get('cache-control')).toBeNull();
      http.close();
    });
  });

test('S50 an answer is kept out of caches, and has its cookie, where a plugin has put another request in place', async () => {
  const siteUrl = 'https://app.example.com';
  const { server, schema, signUp } = createGateway({ siteUrl });
  await signUp({ email: 'ada@example.com' });
  const replacing: Plugin = {
    onRequest({ request: { url, method, headers, body }, setRequest }) {
      setRequest(new Request(url, { method, headers, body, duplex: 'half' } as RequestInit));
    },
  };
  const ours = useAccounts(server, { cookie: true });
  for (const plugins of [
    [ours, replacing],
    [replacing, ours],
  ]) {
    const answer = await createYoga({ schema, logging: false, plugins }).fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-accounts-csrf': '1' },
      body: JSON.stringify({ query: login(PASSWORD) }),
    });
    expect(await answer.text()).toContain('"accessToken":"ey');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toEqual([expect.stringContaining('__Host-accounts=ey')]);
  }
});

describe('what an operation wishes of the answer', () => {
  const aRequest = () => new Request('http://localhost/');

  test('is done on the answer to its request, once', () => {
    const request = aRequest();
    markAnswered({ request });
    wishNoStore({ request });
    wishRetryAfter({ request }, 7);
    wishRetryAfter({ request }, 60);
    wishRetryAfter({ request }, 9);
    expect(wishCookie({ request }, 'a=1; HttpOnly')).toBe(true);
    expect(wishCookie({ request }, 'b=2')).toBe(true);
    const response = new Response('', { headers: { 'set-cookie': 'theirs=0' } });
    fulfil(request, response, () => expect.unreachable());
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('retry-after')).toBe('60');
    expect(response.headers.getSetCookie()).toEqual(['theirs=0', 'a=1; HttpOnly', 'b=2']);
    const next = new Response('');
    fulfil(request, next, () => expect.unreachable());
    fulfil(aRequest(), next, () => expect.unreachable());
    expect([...next.headers.keys()].filter((name) => name !== 'content-type')).toEqual([]);
  });

  test('is done on a copy where the headers of the response are fixed', () => {
    const request = aRequest();
    markAnswered({ request });
    wishNoStore({ request });
    wishCookie({ request }, 'a=1');
    const made: Response[] = [];
    class Tolerant extends Response {
      constructor(body: BodyInit | null, init: ResponseInit) {
        super(body, { ...init, status: 200 });
      }
    }
    fulfil(request, Response.error(), (response) => made.push(response), Tolerant as typeof Response);
    expect(made[0]?.headers.get('cache-control')).toBe('no-store');
    expect(made[0]?.headers.getSetCookie()).toEqual(['a=1']);
  });

  test.each([
    ['beside the request', (res: object) => ({ req: {}, res })],
    ['in the request, as Express has it', (res: object) => ({ req: { res } })],
  ])('is done at once on a response of Node %s', (_, holderOf) => {
    const headers: [string, string][] = [];
    const note = (name: string, value: string) => headers.push([name, value]);
    const res = { headersSent: false, setHeader: note, appendHeader: note };
    const holder = holderOf(res);
    wishNoStore(holder);
    wishRetryAfter(holder, 60);
    expect(wishCookie(holder, 'a=1')).toBe(true);
    expect(headers).toEqual([
      ['cache-control', 'no-store'],
      ['retry-after', '60'],
      ['set-cookie', 'a=1'],
    ]);
    const sent = holderOf({ ...res, headersSent: true });
    wishNoStore(sent);
    wishRetryAfter(sent, 60);
    expect(wishCookie(sent, 'a=1')).toBe(false);
    expect(headers).toHaveLength(3);
  });

  test('is nothing where nobody gives us the response', () => {
    for (const holder of [{}, { req: null, res: 7 }, { request: aRequest() }, { res: { setHeader() {} } }]) {
      wishNoStore(holder);
      wishRetryAfter(holder, 60);
      expect(wishCookie(holder, 'a=1')).toBe(false);
    }
  });
});

/** A service that sets a cookie, tells one, and is limited. */
const crumbs: ServiceFactory = {
  create: () => ({
    operations: {
      typeDefs: `type Query { crumb(name: String!): String }
        type Mutation { setCrumb(cookie: String!): Boolean limited(seconds: Int!): Boolean }`,
      Query: { crumb: ({ name }: { name: string }, caller) => caller.cookie(name) },
      Mutation: {
        setCrumb: async ({ cookie }: { cookie: string }, caller) => {
          caller.setCookie(cookie);
          return true;
        },
        limited: async ({ seconds }: { seconds: number }) => {
          throw new AccountsError('RATE_LIMITED', undefined, { extensions: { retryAfter: seconds } });
        },
      },
    },
  }),
};

describe('on Yoga', () => {
  const server = new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET }, { crumbs });
  const schema = makeExecutableSchema(accountsModule(server));
  const yoga = createYoga({ schema, logging: false, batching: true, plugins: [useAccounts(server)] });
  type Send = (body: unknown, cookie?: string) => Promise<Response>;

  const overFetch: Send = async (body, cookie = '') =>
    yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
  const overHttp: Send = async (body, cookie = '') => {
    const http = createServer(yoga);
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { port } = http.address() as AddressInfo;
    try {
      return await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie, connection: 'close' },
        body: JSON.stringify(body),
      });
    } finally {
      http.close();
    }
  };

  describe.each([
    ['of the Fetch API', overFetch],
    ['of Node', overHttp],
  ])('with a request %s', (_, send) => {
    const set = (cookie: string) => ({ query: `mutation { setCrumb(cookie: "${cookie}") }` });
    const limited = (...seconds: number[]) => ({
      query: `mutation { ${seconds.map((n, index) => `l${index}: limited(seconds: ${n})`).join(' ')} }`,
    });

    test('RATE_LIMITED has Retry-After, the longest of what was refused', async () => {
      const answer = await send(limited(60));
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(await answer.json()).toMatchObject({
        errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 60 } }],
      });
      expect((await send(limited(3, 120, 60))).headers.get('retry-after')).toBe('120');
      expect((await send([limited(3), limited(9), set('a=1')])).headers.get('retry-after')).toBe('9');
      expect((await send(set('a=1'))).headers.get('retry-after')).toBeNull();
    });

    test('cookies are set, each by a header of its own', async () => {
      expect((await send(set('a=1; HttpOnly'))).headers.getSetCookie()).toEqual(['a=1; HttpOnly']);
      const both = await send([set('a=1'), set('b=2')]);
      expect(both.headers.getSetCookie().sort()).toEqual(['a=1', 'b=2']);
      expect((await send({ query: '{ crumb(name: "a") }' })).headers.getSetCookie()).toEqual([]);
    });

    test('cookies are read; one that comes twice may have been planted, and is none', async () => {
      const read = async (cookie: string, name = 'a') =>
        (await (await send({ query: `{ crumb(name: "${name}") }` }, cookie)).json()).data.crumb;
      expect(await read('a=1')).toBe('1');
      expect(await read('b=2; a=1;c=3')).toBe('1');
      expect(await read('a=x=y')).toBe('x=y');
      expect(await read('a=1; a=2')).toBeNull();
      expect(await read('a=1; a=1')).toBeNull();
      expect(await read('a=1; a=')).toBeNull();
      expect(await read('ab=1; xa=2')).toBeNull();
      expect(await read('a')).toBeNull();
      expect(await read('b=2', '__proto__')).toBeNull();
    });
  });

  test('a host that gives its response to nobody cannot set one', async () => {
    const source = 'mutation { setCrumb(cookie: "a=1") }';
    const { errors } = await graphql({
      schema,
      source,
      contextValue: { request: new Request('http://localhost/') },
    });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
