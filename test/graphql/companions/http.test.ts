// Companions that work on the HTTP request and its answer.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention';
import { usePrometheus } from '@graphql-yoga/plugin-prometheus';
import { useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { useCookies } from '@whatwg-node/server-plugin-cookies';
import { createYoga, type Plugin } from 'graphql-yoga';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { useAccounts } from '../../../src/index.ts';
import { countQueries, PASSWORD } from '../../accounts.ts';
import { type Answer, codeIn } from '../gateway.ts';
import { CANARY, createCompanions } from './gateway.ts';

const logIn = (typed: string) =>
  `mutation { authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${typed}" }) { sessionId } }`;

describe('the Prometheus plugin', () => {
  const start = async (metrics: object) => {
    const registry = new Registry();
    const companions = await createCompanions({
      plugins: (_, ours) => [usePrometheus({ registry, ...metrics }), ours],
    });
    return { ...companions, registry };
  };
  /** What docs/companions.md says. */
  const OURS = { endpoint: false, labels: { url: false, operationName: false, path: false } };

  test('S46 holds no secret, address or token, with the labels that the docs leave', async () => {
    const { ask, yoga, login, registry, post } = await start(OURS);
    const { accessToken, refreshToken, sessionId, id } = await login('ada@example.com');
    await ask(logIn(PASSWORD));
    await ask(logIn(`${CANARY} is no password`));
    await ask(`query ${CANARY.replaceAll('-', '_')} { a: secret }`, accessToken);
    await ask(`{ ${CANARY.replaceAll('-', '_')}: secret }`);
    await ask('{ crash }');
    const query = encodeURIComponent(`{ whoAmI } # ada@example.com ${PASSWORD}`);
    const got = await yoga.fetch(`http://localhost/graphql?token=${accessToken}&query=${query}`);
    expect(got.status).toBe(200);
    await post({ query: 'broken {', variables: { password: PASSWORD } });
    const told = await registry.metrics();
    expect(told).toMatch(/graphql_envelop_request\{.*operationType="mutation".*\} 2/);
    expect(told).toMatch(/graphql_envelop_error_result\{.*\} [1-9]/);
    expect(told).toMatch(/graphql_yoga_http_duration_count\{.*statusCode="200".*\}/);
    const secrets = [PASSWORD, encodeURIComponent(PASSWORD), 'ada@', 'ada%40', accessToken, refreshToken];
    const canaries = [CANARY, CANARY.replaceAll('-', '_'), sessionId, id];
    expect([...secrets, ...canaries].filter((secret) => told.includes(secret))).toEqual([]);
  });

  test('grows by no name that a client makes up, with the labels that the docs leave', async () => {
    const { ask, registry } = await start(OURS);
    const seriesAfter = async (from: number) => {
      for (let n = from; n < from + 5; n++) await ask(`query Q${n} { a${n}: secret }`);
      return (await registry.metrics()).split('\n').length;
    };
    expect(await seriesAfter(5)).toBe(await seriesAfter(0));
  });

  test('is trapped otherwise: its label of the URL shows what stands in one', async () => {
    const { yoga, registry } = await start({ endpoint: false });
    await yoga.fetch(`http://localhost/graphql?token=${CANARY}&query={whoAmI}`);
    expect(await registry.metrics()).toContain(CANARY);
  });
});

describe('S50 csrf-prevention', () => {
  const start = () =>
    createCompanions({ plugins: (_, ours) => [useCSRFPrevention({ requestHeaders: ['x-diary'] }), ours] });

  test('refuses what a form of another site can send, before anything of ours runs', async () => {
    const { server, post, yoga } = await start();
    let logins = 0;
    server.on('LoginSuccess', () => logins++);
    const query = logIn(PASSWORD);
    const forms = [
      { type: 'text/plain', body: JSON.stringify({ query }) },
      { type: 'application/x-www-form-urlencoded', body: new URLSearchParams({ query }).toString() },
    ];
    for (const { type, body } of forms) {
      const send = (headers: Record<string, string>) =>
        yoga.fetch('http://localhost/graphql', {
          method: 'POST',
          headers: { 'content-type': type, accept: 'application/json', ...headers },
          body,
        });
      expect((await send({})).status).toBe(403);
      expect(logins).toBe(0);
    }
    expect((await yoga.fetch('http://localhost/graphql?query={whoAmI}')).status).toBe(403);
    const sent = (await (await post({ query })).json()) as Answer;
    expect([sent.errors, logins]).toEqual([undefined, 1]);
  });

  test('lets whoever has the header read by GET, guarded as ever', async () => {
    const { yoga, login } = await start();
    const { accessToken } = await login('ada@example.com');
    const get = async (headers: Record<string, string>) =>
      (await (
        await yoga.fetch('http://localhost/graphql?query={secret}', {
          headers: { accept: 'application/json', 'x-diary': '1', ...headers },
        })
      ).json()) as Answer;
    expect(codeIn(await get({}))).toBe('UNAUTHENTICATED');
    expect((await get({ authorization: `Bearer ${accessToken}` })).data?.secret).toContain(CANARY);
  });
});

describe('S50 the cookies plugin', () => {
  const setsOwn: Plugin = {
    onExecute({ args }) {
      const { request } = args.contextValue as { request: Request };
      return { onExecuteDone: () => request.cookieStore?.set('theme', 'dark') };
    },
  };

  test.each([{ first: 'theirs' }, { first: 'ours' }])(
    'and our cookie are on one answer, with $first first',
    async ({ first }) => {
      const { yoga } = await createCompanions({
        plugins: (server) => {
          const ours = useAccounts(server, { cookie: true }) as Plugin;
          const theirs = [useCookies() as unknown as Plugin, setsOwn];
          return first === 'ours' ? [ours, ...theirs] : [...theirs, ours];
        },
      });
      const send = (query: string, headers: Record<string, string> = {}) =>
        yoga.fetch('http://localhost/graphql', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            'x-accounts-csrf': '1',
            ...headers,
          },
          body: JSON.stringify({ query }),
        });
      const answer = await send(logIn(PASSWORD));
      const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0] ?? '');
      expect(cookies.map((cookie) => cookie.split('=', 1)[0]).sort()).toEqual(['__Host-accounts', 'theme']);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const both = { cookie: `theme=dark; ${cookies.find((cookie) => cookie.startsWith('__Host-'))}` };
      expect((await ((await send('{ secret }', both)).json() as Promise<Answer>)).data?.secret).toContain(
        CANARY,
      );
      expect(codeIn((await (await send('{ secret }', { cookie: 'theme=dark' })).json()) as Answer)).toBe(
        'UNAUTHENTICATED',
      );
    },
  );
});

describe('CORS', () => {
  const origin = 'https://app.example.com';
  const cors = {
    origin: [origin],
    credentials: true,
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['Retry-After'],
  };
  const start = () => createCompanions({ yoga: { cors } });

  test('a preflight is answered without a look-up', async () => {
    const { yoga } = await start();
    const ask = (from: string) =>
      yoga.fetch('http://localhost/graphql', {
        method: 'OPTIONS',
        headers: {
          origin: from,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const known = await ask(origin);
    expect(known.status).toBe(204);
    expect(known.headers.get('access-control-allow-origin')).toBe(origin);
    expect(known.headers.get('access-control-allow-headers')).toContain('authorization');
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).not.toBe(
      'https://evil.example',
    );
  });

  test('the answer keeps no-store, and shows a page when to come again', async () => {
    const { post } = await start();
    const from = { origin };
    const login = await post({ query: logIn(PASSWORD) }, null, from);
    expect(login.headers.get('cache-control')).toBe('no-store');
    expect(login.headers.get('access-control-allow-origin')).toBe(origin);
    expect(login.headers.get('access-control-allow-credentials')).toBe('true');
    let last = login;
    for (let guess = 0; guess < 10; guess++)
      last = await post({ query: logIn('a wrong password') }, null, from);
    expect(codeIn((await last.clone().json()) as Answer)).toBe('RATE_LIMITED');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last.headers.get('access-control-expose-headers')).toMatch(/retry-after/i);
  });
});

test('over real HTTP a response cache and we share one look-up', async () => {
  const { counted, queries } = countQueries(memoryDatabase());
  const { server, schema, login } = await createCompanions({ options: { db: counted } });
  const accounts = useAccounts(server);
  const cache = useResponseCache({ session: accounts.sessionId });
  const yoga = createYoga({ schema, logging: false, plugins: [cache, accounts] });
  const http = createServer(yoga);
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  const { accessToken, id } = await login('ada@example.com');
  queries.length = 0;
  const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ query: '{ whoAmI }' }),
  });
  expect(await answer.json()).toMatchObject({ data: { whoAmI: id } });
  expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
  http.close();
});
