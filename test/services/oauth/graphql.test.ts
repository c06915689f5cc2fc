import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { AccountsServer, accountsModule, password, useAccounts } from '../../../src/index.ts';
import { PASSWORD, SECRET } from '../../accounts.ts';
import { createAccounts, useOidc } from './accounts.ts';

const oidc = useOidc();
const PAGE = 'http://localhost:3000';

interface Answer {
  data: { [field: string]: never } | null;
  errors?: { extensions: { code: string } }[];
}

function createGateway(options: Parameters<typeof createAccounts>[1] = {}) {
  const accounts = createAccounts(oidc.current, options);
  const schema = makeExecutableSchema(accountsModule(accounts.server));
  const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(accounts.server)] });
  async function ask(query: string, variables: object = {}, headers: Record<string, string> = {}) {
    const response = await yoga.fetch(`${PAGE}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as Answer;
    return { data, code: errors?.[0]?.extensions.code ?? null, cookies: response.headers.getSetCookie() };
  }
  const logInAs = async (email: string): Promise<Record<string, string>> => {
    const { tokens } = await accounts.server.loginWithService('password', {
      user: email,
      password: PASSWORD,
    });
    return { authorization: `Bearer ${tokens.accessToken}` };
  };
  const START = 'mutation ($provider: String!) { oauthStart(provider: $provider) { url state } }';
  return {
    ...accounts,
    ask,
    logInAs,
    /** Begins by the API, and logs in at the provider. */
    async start(sub: string, headers: Record<string, string> = {}) {
      const { data, cookies } = await ask(START, { provider: 'shop' }, headers);
      const { url, state } = (data?.oauthStart ?? {}) as unknown as { url: string; state: string };
      const code = (await oidc.current.logIn(url, sub)).searchParams.get('code');
      return { params: { provider: 'shop', code, state }, cookies };
    },
  };
}

const LOGIN = `mutation ($provider: String, $code: String, $state: String) {
  authenticate(serviceName: "oauth", params: { provider: $provider, code: $code, state: $state }) {
    sessionId tokens { accessToken refreshToken } user { id linkedAccounts { provider subject label } } } }`;
const LINK =
  'mutation ($provider: String!, $code: String!, $state: String!) { linkOAuth(provider: $provider, code: $code, state: $state) }';
const UNLINK =
  'mutation ($provider: String!, $subject: String!) { unlinkOAuth(provider: $provider, subject: $subject) }';
const MINE = '{ getUser { linkedAccounts { provider subject label } } }';

test('the providers are listed for everybody', async () => {
  const { ask } = createGateway({ providers: { github: { clientId: 'x', clientSecret: 'y' } } });
  expect((await ask('{ oauthProviders { name label } }')).data).toEqual({
    oauthProviders: [
      { name: 'shop', label: 'The shop' },
      { name: 'github', label: 'GitHub' },
    ],
  });
});

test('the operations are there only where the service is registered', () => {
  const { server } = createAccounts(oidc.current);
  const without = new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET }, { password: password() });
  const sdlOf = (given: Parameters<typeof accountsModule>[0]) =>
    JSON.stringify(accountsModule(given).typeDefs);
  expect([sdlOf(server), sdlOf(without)].map((sdl) => /oauth|linkedAccounts/i.test(sdl))).toEqual([
    true,
    false,
  ]);
});

test('a login without a browser needs the state alone', async () => {
  const { ask, start } = createGateway();
  const { params, cookies } = await start('api');
  expect(cookies).toEqual([]);
  const { data } = await ask(LOGIN, params);
  expect(data?.authenticate).toMatchObject({
    tokens: { accessToken: expect.any(String) },
    user: { linkedAccounts: [{ provider: 'shop', subject: 'api', label: 'api' }] },
  });
});

test('S40 a login in a browser needs the cookie too', async () => {
  const { ask, start } = createGateway();
  for (const origin of [PAGE, 'null']) {
    const { params, cookies } = await start('api', { origin });
    expect(cookies).toHaveLength(1);
    const cookie = cookies[0]?.split(';')[0] ?? '';
    const [name] = cookie.split('=');
    for (const wrong of ['', `${name}=planted`, `${cookie}; ${name}=planted`, `x${cookie}`]) {
      expect((await ask(LOGIN, params, { origin, cookie: wrong })).code).toBe('INVALID_TOKEN');
    }
    expect((await ask(LOGIN, params)).code).toBe('INVALID_TOKEN');
    expect((await ask(LOGIN, params, { origin, cookie: `a=b; ${cookie}; c=d` })).code).toBeNull();
  }
});

describe('linking', () => {
  test('belongs to the session that began it; its owner sees it and nobody else does', async () => {
    const { ask, start, signUp, logInAs } = createGateway();
    await signUp('ada@example.com');
    await signUp('eve@example.com');
    const [ada, eve] = [await logInAs('ada@example.com'), await logInAs('eve@example.com')];
    const { params } = await start('linked', ada);
    expect((await ask(LINK, params, eve)).code).toBe('INVALID_TOKEN');
    expect((await ask(LINK, params)).code).toBe('UNAUTHENTICATED');
    expect((await ask(LINK, params, ada)).data).toEqual({ linkOAuth: true });
    const account = { provider: 'shop', subject: 'linked', label: 'linked' };
    expect((await ask(MINE, {}, ada)).data).toEqual({ getUser: { linkedAccounts: [account] } });
    expect((await ask(UNLINK, account, eve)).code).toBe('LINKED_ACCOUNT_NOT_FOUND');
    expect((await ask(UNLINK, account, ada)).data).toEqual({ unlinkOAuth: true });
  });

  test('S40 in a browser needs the cookie of the flow', async () => {
    const { ask, start, signUp, logInAs } = createGateway();
    await signUp('ada@example.com');
    const ada = await logInAs('ada@example.com');
    const { params, cookies } = await start('linked', { ...ada, origin: PAGE });
    expect((await ask(LINK, params, { ...ada, origin: PAGE })).code).toBe('INVALID_TOKEN');
    const cookie = cookies[0]?.split(';')[0] ?? '';
    expect((await ask(LINK, params, { ...ada, origin: PAGE, cookie })).data).toEqual({ linkOAuth: true });
  });

  test('S36 needs a recent login, before it refuses anything else', async () => {
    const { ask, signUp, logInAs, clock } = createGateway();
    await signUp('ada@example.com');
    const ada = await logInAs('ada@example.com');
    clock.pass(10 * 60_000 + 1);
    const nothing = { provider: 'nobody', code: '', state: '', subject: '' };
    for (const operation of [LINK, UNLINK]) {
      expect((await ask(operation, nothing, ada)).code).toBe('RECENT_LOGIN_REQUIRED');
    }
  });

  test('S42 is not for impersonators, who do not see what is linked either', async () => {
    const { ask, start, signUp, server, ownerOf, logInAs, service, begun } = createGateway({
      server: { impersonationAuthorize: async () => true },
    });
    await signUp('ada@example.com');
    await signUp('root@example.com');
    const ada = await server.loginWithService('password', { user: 'ada@example.com', password: PASSWORD });
    const owner = await ownerOf(ada.tokens.accessToken);
    await service.link((await begun(oidc.current, 'of-ada', { session: owner.live })).params, owner);
    const root = (await logInAs('root@example.com')).authorization?.slice('Bearer '.length) ?? '';
    const { tokens } = await server.impersonate(root, { email: 'ada@example.com' });
    const asAda = { authorization: `Bearer ${tokens?.accessToken}` };
    const { params } = await start('by-root', asAda);
    expect((await ask(LINK, params, asAda)).code).toBe('FORBIDDEN');
    expect((await ask(UNLINK, { provider: 'shop', subject: 'of-ada' }, asAda)).code).toBe('FORBIDDEN');
    expect((await ask(MINE, {}, asAda)).data).toEqual({ getUser: { linkedAccounts: null } });
  });
});

test('bad input is refused with codes', async () => {
  const { ask, errors } = createGateway();
  const start =
    'mutation ($provider: String!, $uri: String) { oauthStart(provider: $provider, redirectUri: $uri) { url } }';
  expect((await ask(start, { provider: '__proto__' })).code).toBe('PROVIDER_NOT_FOUND');
  expect((await ask(start, { provider: 'shop', uri: 'https://evil.example' })).code).toBe(
    'INVALID_REDIRECT_URI',
  );
  for (const params of [{}, { provider: 'shop' }, { provider: null, code: null, state: null }]) {
    expect((await ask(LOGIN, params)).code).toBe('BAD_USER_INPUT');
  }
  expect((await ask(LOGIN, { provider: 'shop', code: 'x', state: 'x' })).code).toBe('INVALID_TOKEN');
  expect(errors).toEqual([]);
});

test('a store that fails logs nobody in', async () => {
  const { ask, start, db } = createGateway();
  const { params } = await start('api');
  db.identities.find = () => Promise.reject(new Error('the store is down'));
  expect((await ask(LOGIN, params)).code).toBe('SERVICE_UNAVAILABLE');
});
