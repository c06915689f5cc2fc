import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { createContext } from '../../src/graphql/context.ts';
import type { CookieOptions } from '../../src/graphql/cookie/options.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import type { AccountsServerOptions } from '../../src/index.ts';
import { createAccounts, PASSWORD } from '../accounts.ts';
import { type Answer, codeIn, createGateway } from './gateway.ts';

const SITE = 'https://app.example.com';
const CSRF = { 'x-accounts-csrf': '1' };
const LOGIN = `mutation {
  authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${PASSWORD}" }) {
    tokens { accessToken refreshToken }
  }
}`;
const WHO = '{ getUser { id } }';

async function start(cookie: CookieOptions | boolean = true, options: Partial<AccountsServerOptions> = {}) {
  const gateway = createGateway({ siteUrl: SITE, ...options }, { plugin: { cookie } });
  const id = await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  const kept = { cookie: `__Host-accounts=${tokens.accessToken}` };
  const post = (query: string, headers: Record<string, string> = {}) =>
    gateway.post({ query }, undefined, headers);
  const whoIs = async (headers: Record<string, string>) =>
    ((await (await post(WHO, headers)).json()) as { data: { getUser: { id: string } | null } }).data.getUser
      ?.id ?? null;
  const get = (query: string, headers: Record<string, string>) =>
    gateway.yoga.fetch(`http://localhost/graphql?query=${encodeURIComponent(query)}`, { headers });
  return { ...gateway, id, tokens, kept, postWith: post, whoIs, get };
}

describe('S50 a login keeps its access token in a cookie', () => {
  test('of this host only, which no script reads, for as long as the token lives', async () => {
    const { postWith, whoIs, id } = await start();
    const answer = await postWith(LOGIN, CSRF);
    const [cookie = '', ...others] = answer.headers.getSetCookie();
    const { data } = await answer.json();
    expect(others).toEqual([]);
    expect(cookie).toBe(
      `__Host-accounts=${data.authenticate.tokens.accessToken}; Max-Age=900; Path=/; HttpOnly; SameSite=Lax; Secure`,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await whoIs({ cookie: cookie.split(';', 1)[0] ?? '', ...CSRF })).toBe(id);
  });

  test('but not that of an impersonation: nobody loses the own session to it', async () => {
    const { postWith, whoIs, signUp, tokens, kept, id } = await start(true, {
      impersonationAuthorize: () => true,
    });
    const eve = await signUp({ email: 'eve@example.com' });
    const impersonated = await postWith(
      `mutation { impersonate(accessToken: "${tokens.accessToken}", impersonated: { userId: "${eve}" }) { tokens { accessToken refreshToken } } }`,
      { ...kept, ...CSRF },
    );
    const { accessToken, refreshToken } = (await impersonated.json()).data.impersonate.tokens;
    const asEve = { authorization: `Bearer ${accessToken}`, ...kept, ...CSRF };
    const renewed = await postWith(
      `mutation { refreshTokens(accessToken: "${accessToken}", refreshToken: "${refreshToken}") { tokens { accessToken } } }`,
      asEve,
    );
    expect(await whoIs(asEve)).toBe(eve);
    const ended = await postWith('mutation { logout }', asEve);
    for (const answer of [impersonated, renewed, ended]) expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await whoIs({ ...kept, ...CSRF })).toBe(id);
  });

  test('which a refresh renews and a logout removes', async () => {
    const { postWith, whoIs, tokens, kept } = await start();
    const refreshed = await postWith(
      `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { tokens { accessToken } } }`,
      { ...kept, ...CSRF },
    );
    const { data } = await refreshed.json();
    const renewed = `__Host-accounts=${data.refreshTokens.tokens.accessToken}`;
    expect(refreshed.headers.getSetCookie()[0]).toContain(`${renewed}; Max-Age=900;`);
    const left = await postWith('mutation { logout }', { cookie: renewed, ...CSRF });
    expect(await left.json()).toEqual({ data: { logout: true } });
    expect(left.headers.getSetCookie()).toEqual([
      '__Host-accounts=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure',
    ]);
    expect(await whoIs({ cookie: renewed, ...CSRF })).toBeNull();
  });

  test('also when it comes with a sign-up; not when it is refused', async () => {
    const { postWith } = await start(true, { enableAutologin: true, ambiguousErrorMessages: false });
    const signUp =
      'mutation { createUser(user: { email: "eve@example.com", password: "correct horse battery" }) { userId } }';
    expect((await postWith(signUp, CSRF)).headers.getSetCookie()[0]).toMatch(/^__Host-accounts=ey/);
    const refused = await postWith(LOGIN.replace(PASSWORD, 'not the password'), CSRF);
    expect(refused.headers.getSetCookie()).toEqual([]);
  });

  test('and sets none that another site has caused, which would log its victim in as somebody else', async () => {
    const { postWith } = await start();
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'https://evil.example', ...CSRF },
      { origin: 'null', ...CSRF },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await postWith(LOGIN, headers);
      expect(await answer.json()).toMatchObject({ data: { authenticate: { tokens: {} } } });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test('and is whole without one on hosts that give us no response', async () => {
    const { server, schema, tokens } = await start();
    const request = new Request(SITE, {
      headers: { ...CSRF, cookie: `__Host-accounts=${tokens.accessToken}` },
    });
    const contextValue = await createContext(server, { cookie: true })(request);
    const source = 'mutation { logout }';
    expect(await graphql({ schema, source: LOGIN, contextValue })).not.toHaveProperty('errors');
    expect(await graphql({ schema, source, contextValue })).toEqual({ data: { logout: true } });
  });

  test('but not one that browsers would drop for its length: that is reported', async () => {
    const { postWith, errors } = await start(true, {
      createJwtPayload: () => ({ rights: 'x'.repeat(3000) }),
    });
    const answer = await postWith(LOGIN, CSRF);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.json()).not.toHaveProperty('errors');
    expect(errors.map(({ error }) => String(error))).toEqual([
      expect.stringContaining('the access token is too long for a cookie'),
    ]);
  });

  test('not unless cookies are on', async () => {
    for (const cookie of [false, undefined]) {
      const { yoga, signUp, server, logIn } = createGateway({ siteUrl: SITE }, { plugin: { cookie } });
      await signUp({ email: 'ada@example.com' });
      const { tokens } = await logIn('ada@example.com');
      const ask = async (query: string) =>
        yoga.fetch('http://localhost/graphql', {
          method: 'POST',
          headers: {
            ...CSRF,
            'content-type': 'application/json',
            cookie: `__Host-accounts=${tokens.accessToken}`,
          },
          body: JSON.stringify({ query }),
        });
      expect((await ask(LOGIN)).headers.getSetCookie()).toEqual([]);
      expect(await (await ask(WHO)).json()).toEqual({ data: { getUser: null } });
      expect(server.siteUrl).toBe(SITE);
    }
  });
});

describe('S50 a cookie counts', () => {
  test('beside the header that no form sends, and not without', async () => {
    const { whoIs, kept, id } = await start();
    expect(await whoIs({ ...kept, ...CSRF })).toBe(id);
    expect(await whoIs({ ...kept, 'x-accounts-csrf': '' })).toBe(id);
    expect(await whoIs({ ...kept, ...CSRF, origin: SITE })).toBe(id);
    for (const headers of [{}, { origin: SITE }, { 'sec-fetch-site': 'same-origin' }, { 'x-csrf': '1' }])
      expect(await whoIs({ ...kept, ...headers })).toBeNull();
  });

  test('for no page of another origin, whatever its browser let it send', async () => {
    const { whoIs, kept, id } = await start({ origins: ['https://admin.example.com'] });
    expect(await whoIs({ ...kept, ...CSRF, origin: 'https://admin.example.com' })).toBe(id);
    for (const origin of [
      'https://evil.example',
      'https://evil.example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com.evil.example',
      'https://APP.example.com',
      'null',
      '',
    ])
      expect(await whoIs({ ...kept, ...CSRF, origin })).toBeNull();
    // A page of the endpoint itself, as its browser says.
    const graphiql = { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' };
    expect(await whoIs({ ...kept, ...CSRF, ...graphiql })).toBe(id);
  });

  test('for no mutation without the header: not even logout is done', async () => {
    const { postWith, whoIs, kept, id, get } = await start();
    const asked = await postWith('mutation { logout }', { ...kept, origin: 'https://evil.example', ...CSRF });
    expect(codeIn((await asked.json()) as Answer)).toBe('UNAUTHENTICATED');
    expect(asked.headers.getSetCookie()).toEqual([]);
    expect(codeIn((await (await postWith('mutation { logout }', kept)).json()) as Answer)).toBe(
      'UNAUTHENTICATED',
    );
    expect((await get('mutation { logout }', { ...kept, 'sec-fetch-site': 'same-origin' })).status).toBe(405);
    expect(await whoIs({ ...kept, ...CSRF })).toBe(id);
  });

  test('when a browser reads, which says that the page is ours', async () => {
    const { get, kept } = await start();
    const secret = async (headers: Record<string, string>) =>
      (await (await get('{ secret }', { ...kept, ...headers })).json()) as Answer;
    const ours = { data: { secret: 'the treasure' } };
    expect(await secret({ 'sec-fetch-site': 'same-origin' })).toEqual(ours);
    expect(await secret({ origin: SITE, 'sec-fetch-site': 'cross-site' })).toEqual(ours);
    for (const headers of [
      {},
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    ])
      expect(codeIn(await secret(headers))).toBe('UNAUTHENTICATED');
  });

  test('and says what is missing where it does not', async () => {
    const { postWith, kept } = await start({ csrfHeader: 'X-Requested-By' });
    const messageOf = async (headers: Record<string, string>) =>
      ((await (await postWith('{ secret }', { ...kept, ...headers })).json()) as Answer).errors?.[0]?.message;
    expect(await messageOf({})).toBe(
      'The cookie does not count: the request lacks the header x-requested-by.',
    );
    expect(await messageOf({ 'x-requested-by': 'me', origin: 'https://evil.example' })).toBe(
      'The cookie does not count: the request is from an origin that is not listed.',
    );
    expect(await messageOf({ 'x-requested-by': 'me' })).toBeUndefined();
  });

  test('after the header: that of somebody else wins, also when it is not good', async () => {
    const { whoIs, kept, id, signUp, logIn } = await start();
    const eve = await signUp({ email: 'eve@example.com' });
    const { tokens } = await logIn('eve@example.com');
    expect(await whoIs({ ...kept, ...CSRF, authorization: `Bearer ${tokens.accessToken}` })).toBe(eve);
    expect(await whoIs({ ...kept, authorization: `Bearer ${tokens.accessToken}` })).toBe(eve);
    expect(await whoIs({ ...kept, ...CSRF, authorization: 'Bearer nonsense' })).toBeNull();
    expect(await whoIs({ ...kept, ...CSRF, authorization: 'Basic YTpi' })).toBe(id);
  });

  test('once: two of one name are none, for a neighbour may have planted one', async () => {
    const { whoIs, kept } = await start();
    for (const cookie of [
      `${kept.cookie}; ${kept.cookie}`,
      `${kept.cookie}; __Host-accounts=x`,
      '__Host-accounts=',
      kept.cookie.replace('__Host-', ''),
      kept.cookie.replace('__Host-', '__host-'),
    ])
      expect(await whoIs({ cookie, ...CSRF })).toBeNull();
  });
});

test('S50 an EventSource of the page, which can send no header, reads its stream over real HTTP', async () => {
  const { server, schema, kept } = await start();
  const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server, { cookie: true })] });
  const http = createServer(yoga);
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/graphql?query=${encodeURIComponent('{ secret }')}`;
  const stream = async (headers: Record<string, string>) =>
    (await fetch(url, { headers: { accept: 'text/event-stream', ...kept, ...headers } })).text();
  try {
    expect(await stream({ origin: SITE })).toContain('the treasure');
    for (const headers of [{}, { origin: 'https://evil.example' }]) {
      const refused = await stream(headers);
      expect(refused).toContain('UNAUTHENTICATED');
      expect(refused).not.toContain('the treasure');
    }
  } finally {
    http.close();
    http.closeAllConnections();
  }
});

test('S50 a socket that another site has opened has no user by its cookie', async () => {
  const { server, kept, tokens, id } = await start({ origins: ['https://admin.example.com'] });
  const contextOf = createContext(server, { cookie: { origins: ['https://admin.example.com'] } });
  const upgrade = (headers: Record<string, string>) =>
    ({
      method: 'GET',
      headers: { upgrade: 'websocket', ...kept, ...headers },
      socket: {},
    }) as unknown as IncomingMessage;
  const sockets = (headers: Record<string, string>) => [
    upgrade(headers),
    { extra: { request: upgrade(headers) } },
    { connectionParams: {}, extra: { request: upgrade(headers) } },
    { extra: { request: new Request(SITE, { headers: { upgrade: 'websocket', ...kept, ...headers } }) } },
  ];
  for (const origin of [SITE, 'https://admin.example.com'])
    for (const socket of sockets({ origin })) expect((await contextOf(socket)).userId).toBe(id);
  for (const headers of [
    {},
    { origin: 'https://evil.example', ...CSRF },
    { 'sec-fetch-site': 'same-origin' },
  ])
    for (const socket of sockets(headers))
      expect(await contextOf(socket)).toMatchObject({
        user: null,
        authToken: null,
        authError: { code: 'UNAUTHENTICATED' },
      });
  const connectionParams = { authorization: `Bearer ${tokens.accessToken}` };
  expect((await contextOf({ connectionParams, extra: { request: upgrade({}) } })).userId).toBe(id);
});

describe('S50 the options of the cookie', () => {
  const make = (cookie: unknown, siteUrl: string) => () =>
    createContext(createAccounts({ siteUrl }).server, { cookie: cookie as never });

  test.each([
    ['true', 'cookie: the options must be an object'],
    [{ nam: 'x' }, 'there is no option nam'],
    [{ name: 'accounts' }, 'must begin with __Host-'],
    [{ name: '__Secure-accounts' }, 'must begin with __Host-'],
    [{ name: '__host-accounts' }, 'must begin with __Host-'],
    [{ name: '__Host-a; Domain=example.com' }, 'the name of a cookie'],
    [{ name: 7 }, 'the name of a cookie'],
    [{ csrfHeader: 'content-type' }, 'without a preflight'],
    [{ csrfHeader: 'Accept-Language' }, 'without a preflight'],
    [{ csrfHeader: 'Sec-Fetch-Site' }, 'without a preflight'],
    [{ csrfHeader: 'Origin' }, 'without a preflight'],
    [{ csrfHeader: 'Ping-From' }, 'without a preflight'],
    [{ csrfHeader: 'Transfer-Encoding' }, 'without a preflight'],
    [{ csrfHeader: 'two words' }, 'without a preflight'],
    [{ csrfHeader: '' }, 'without a preflight'],
    [{ origins: SITE }, 'a list of origins'],
    [{ origins: ['*'] }, '"*" is no origin'],
    [{ origins: ['null'] }, '"null" is no origin'],
    [{ origins: [`${SITE}/`] }, 'is no origin'],
    [{ origins: ['app.example.com'] }, 'is no origin'],
  ])('are refused when it is made: %j', (cookie, message) => {
    expect(make(cookie, SITE)).toThrow(TypeError);
    expect(make(cookie, SITE)).toThrow(message);
  });

  test('need TLS, but for a site on localhost, whose cookie may have any name', async () => {
    expect(make(true, 'http://app.example.com')).toThrow('siteUrl must be an https URL');
    for (const siteUrl of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])
      expect(make({ name: 'accounts' }, siteUrl)).not.toThrow();
    expect(make({ name: 'accounts' }, 'http://localhost.evil.example')).toThrow(TypeError);
    const { postWith } = await start({ name: 'accounts' }, { siteUrl: 'http://localhost:3000' });
    const [cookie] = (await postWith(LOGIN, CSRF)).headers.getSetCookie();
    expect(cookie).toMatch(/^accounts=ey\S+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/);
  });
});
