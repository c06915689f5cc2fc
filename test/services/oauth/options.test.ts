import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Claims,
  type MapProfile,
  type OAuthOptions,
  type OAuthProviderOptions,
  oauth,
} from '../../../src/services/oauth/index.ts';
import { PRESETS } from '../../../src/services/oauth/presets.ts';
import { labelOf, storable } from '../../../src/services/oauth/profile.ts';
import { isSecure, mayName } from '../../../src/services/oauth/urls.ts';
import { codeOf } from '../../accounts.ts';
import { createAccounts } from './accounts.ts';

const OWN = { clientId: 'id', clientSecret: 'secret' };
const ENDPOINTS = {
  authorizationEndpoint: 'https://shop.example/authorize',
  tokenEndpoint: 'https://shop.example/token',
  userInfoEndpoint: 'https://shop.example/me',
};
const profile = () => ({ subject: 'x' });

describe('the options', () => {
  const withShop = (shop: object): OAuthOptions => ({
    providers: { shop: { ...OWN, ...shop } as OAuthProviderOptions },
  });
  test.each<[string, unknown]>([
    ['none', undefined],
    ['no providers', {}],
    ['providers that are a list', { providers: [] }],
    ['an unknown option', { providers: {}, provider: {} }],
    ['a provider without a client', { providers: { google: {} } }],
    ['a provider without an issuer', withShop({})],
    ['an unknown option of a provider', withShop({ issuer: 'https://shop.example', isuer: 'x' })],
    ['an issuer in the clear', withShop({ issuer: 'http://shop.example' })],
    ['an issuer within the network in the clear', withShop({ issuer: 'http://10.0.0.1' })],
    ['an issuer that is a file', withShop({ issuer: 'file:///etc/passwd' })],
    ['an issuer with a password', withShop({ issuer: 'https://a:b@shop.example' })],
    [
      'the metadata of an issuer',
      withShop({ issuer: 'https://shop.example/.well-known/openid-configuration' }),
    ],
    ['an issuer with a query', withShop({ issuer: 'https://shop.example/?tenant=one' })],
    ['an issuer and endpoints', withShop({ issuer: 'https://shop.example', ...ENDPOINTS, profile })],
    ['endpoints without a profile', withShop(ENDPOINTS)],
    ['some endpoints', withShop({ tokenEndpoint: ENDPOINTS.tokenEndpoint, profile })],
    [
      'an endpoint in the clear',
      withShop({ ...ENDPOINTS, userInfoEndpoint: 'http://shop.example/me', profile }),
    ],
    [
      'one more endpoint in the clear',
      withShop({ ...ENDPOINTS, profile, moreEndpoints: { a: 'http://shop.example' } }),
    ],
    ['a preset that is none', withShop({ preset: 'gogle' })],
    ['a preset of everybody', withShop({ preset: '__proto__' })],
    ['a name that is none', { providers: { 'a b': { ...OWN, issuer: 'https://shop.example' } } }],
    ['a scope without openid', withShop({ issuer: 'https://shop.example', scope: 'email' })],
    ['a secret that is none', withShop({ issuer: 'https://shop.example', clientSecret: 7 })],
    [
      'a way to give it that is none',
      withShop({ issuer: 'https://shop.example', tokenEndpointAuthMethod: 'query' }),
    ],
    ['a redirect URI in the clear', { providers: {}, redirectUris: ['http://shop.example/back'] }],
    ['a redirect URI that is a script', { providers: {}, redirectUris: ['javascript:alert(1)'] }],
    ['a redirect URI with a fragment', { providers: {}, redirectUris: ['https://shop.example/#back'] }],
    ['a time that is too long', { providers: {}, timeout: 60_000 }],
    ['no linked accounts', { providers: {}, maxLinkedAccounts: 0 }],
  ])('%s is refused', (_, options) => {
    expect(() => oauth(options as OAuthOptions)).toThrow(TypeError);
  });

  test('presets need a client only', () => {
    const providers = Object.fromEntries(Object.keys(PRESETS).map((name) => [name, OWN]));
    expect(() => oauth({ providers })).not.toThrow();
    expect(() => oauth({ providers: { login: { ...OWN, preset: 'google' } } })).not.toThrow();
    expect(() =>
      oauth({ providers: { github: { ...OWN, issuer: 'https://github.shop.example' } } }),
    ).not.toThrow();
    expect(() =>
      oauth({
        providers: { microsoft: { ...OWN, issuer: 'https://login.microsoftonline.com/a-tenant/v2.0' } },
      }),
    ).not.toThrow();
  });
});

describe('what the presets take for verified', () => {
  const profileOf = (
    name: 'microsoft' | 'github' | 'discord' | 'facebook',
    claims: object,
    more: object = {},
  ) => (PRESETS[name] as { profile: MapProfile }).profile(claims as Claims, more as Claims);

  test('nothing that Microsoft does not vouch for: tenants write what they like', () => {
    const claims = { email: 'ada@example.com', email_verified: true };
    expect(profileOf('microsoft', claims).emailVerified).toBe(false);
    for (const xms_edov of [true, 1, '1', 'true']) {
      expect(profileOf('microsoft', { ...claims, xms_edov }).emailVerified).toBe(true);
    }
    for (const xms_edov of [false, 0, '0', 'false', null]) {
      expect(profileOf('microsoft', { ...claims, xms_edov }).emailVerified).toBe(false);
    }
  });

  test('the primary address of GitHub, if it is verified', () => {
    const emails = [
      { email: 'old@example.com', verified: true, primary: false },
      { email: 'ada@example.com', verified: false, primary: true },
    ];
    expect(
      profileOf('github', { id: 7, login: 'ada', email: 'public@example.com' }, { emails }),
    ).toMatchObject({
      subject: 7,
      email: 'ada@example.com',
      emailVerified: false,
      label: 'ada',
    });
    for (const odd of [null, 'x', [null, 7], {}]) {
      expect(profileOf('github', { id: 7 }, { emails: odd }).email).toBeUndefined();
    }
  });

  test('nothing of Facebook', () => {
    expect(profileOf('facebook', { id: '7', email: 'ada@example.com' }).email).toBeUndefined();
  });
});

describe('a provider of OAuth 2.0', () => {
  let origin: string;
  let close: () => void;
  let asked: { path: string; authorization: string | undefined; body: string }[] = [];
  let answers: { [path: string]: unknown } = {};
  beforeAll(async () => {
    const server = createServer(async (req, res) => {
      const path = req.url ?? '';
      asked.push({ path, authorization: req.headers.authorization, body: (await req.toArray()).join('') });
      const answer = answers[path];
      res.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      res.end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => void server.close();
  });
  afterAll(() => close());
  beforeEach(() => {
    asked = [];
    answers = {
      '/token': { access_token: 'a-token', token_type: 'bearer', scope: 'user' },
      '/me?all=1': { id: 583_231, login: 'octo' },
      '/emails': [{ email: 'octo@example.com', verified: true, primary: true }],
    };
  });

  function setup(more: Partial<OAuthProviderOptions> = {}) {
    const github = {
      ...OWN,
      authorizationEndpoint: `${origin}/authorize?tenant=one`,
      tokenEndpoint: `${origin}/token`,
      userInfoEndpoint: `${origin}/me?all=1`,
      moreEndpoints: { emails: `${origin}/emails` },
      ...more,
    };
    return createAccounts(null, { providers: { github } });
  }

  async function logIn({ service, finish }: ReturnType<typeof setup>) {
    const { url, state } = await service.start('github');
    return { url: new URL(url), login: await finish({ provider: 'github', code: 'a-code', state }) };
  }

  test('logs in by its endpoints, with PKCE and state', async () => {
    const accounts = setup();
    const { url, login } = await logIn(accounts);
    expect(url.origin + url.pathname).toBe(`${origin}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      tenant: 'one',
      scope: 'read:user user:email',
      code_challenge_method: 'S256',
    });
    expect(url.searchParams.has('nonce')).toBe(false);
    expect(login.user.emails).toEqual([{ address: 'octo@example.com', verified: true }]);
    expect(await accounts.service.linkedAccounts(login.user)).toEqual([
      { provider: 'github', subject: '583231', label: 'octo' },
    ]);
    const [token, ...others] = asked;
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toMatchObject({
      code: 'a-code',
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
      client_secret: 'secret',
      redirect_uri: 'http://localhost:3000/oauth/callback',
    });
    expect(others.map(({ path }) => path).sort()).toEqual(['/emails', '/me?all=1']);
    for (const { authorization } of others) expect(authorization).toBe('Bearer a-token');
  });

  test('may name an issuer and send an ID token, which nobody reads', async () => {
    const iss = 'https://login.example.com/a-tenant';
    answers['/token'] = { access_token: 'a-token', token_type: 'bearer', id_token: 'a.b.c' };
    const { service, finish } = setup();
    const { state } = await service.start('github');
    const { user } = await finish({ provider: 'github', code: 'a-code', state, iss });
    expect(await service.linkedAccounts(user)).toEqual([
      { provider: 'github', subject: '583231', label: 'octo' },
    ]);
  });

  test('maps what it says as it is told', async () => {
    const accounts = setup({
      profile: ({ login, id }) => ({
        subject: `n${id}`,
        email: `${login}@example.com`,
        emailVerified: true,
        label: 'Octo',
        profile: { login },
      }),
    });
    const { login } = await logIn(accounts);
    expect(login.user.emails).toEqual([{ address: 'octo@example.com', verified: true }]);
    expect((await accounts.db.identities.find('oauth:github', 'n583231'))?.data).toEqual({
      label: 'Octo',
      profile: { login: 'octo' },
    });
  });

  test.each<[string, unknown]>([
    ['no id', {}],
    ['an id that is no text', { id: { $ne: null } }],
    ['an empty id', { id: '' }],
    ['a broken number', { id: 1.5 }],
    ['an unsafe number', { id: 2 ** 60 }],
    ['a list', [{ id: 1 }]],
    ['nothing', null],
  ])('that says %s is refused', async (_, me) => {
    answers['/me?all=1'] = me ?? undefined;
    expect(await codeOf(logIn(setup()))).toBe('PROVIDER_REFUSED');
  });

  test('whose profile throws is refused, and reported', async () => {
    const accounts = setup({
      profile: () => {
        throw new Error('canary');
      },
    });
    expect(await codeOf(logIn(accounts))).toBe('PROVIDER_REFUSED');
    expect(accounts.errors).toHaveLength(1);
    expect(String(accounts.errors[0])).not.toContain('canary');
  });

  test('that answers an error with 200, as GitHub does, is refused', async () => {
    answers['/token'] = { error: 'bad_verification_code', error_description: 'x' };
    expect(await codeOf(logIn(setup()))).toBe('PROVIDER_REFUSED');
  });
});

test('where providers may send the server', () => {
  const url = (text: string) => new URL(text);
  const shop = url('https://login.shop.example');
  expect(mayName(shop, url('https://api.shop.example/token'))).toBe(true);
  for (const inside of [
    'https://localhost',
    'https://127.0.0.1',
    'https://127.1',
    'https://0x7f.1',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://10.1.2.3',
    'https://192.168.0.1',
    'https://169.254.169.254',
    'https://[fd00::1]',
    'https://[fe80::1]',
    'https://a.internal',
    'https://localhost.',
    'http://shop.example',
  ]) {
    expect([inside, mayName(shop, url(inside))]).toEqual([inside, false]);
  }
  expect(mayName(url('https://login.internal'), url('https://api.internal'))).toBe(true);
  expect(mayName(url('http://127.0.0.1:1'), url('http://127.0.0.1:2'))).toBe(true);
  for (const clear of [
    'http://example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'ftp://localhost',
  ]) {
    expect([clear, isSecure(url(clear))]).toEqual([clear, false]);
  }
});

test('what is kept of a profile is text, numbers and switches of bounded size', () => {
  const odd = JSON.parse(
    '{"__proto__":"x","a":"1","b":2,"c":true,"d":null,"e":{},"f":[1],"g":"\\u0000","h":"\\ud800"}',
  ) as object;
  expect(storable({ ...odd, i: 'x'.repeat(2_000), j: Number.NaN, k: undefined, l: () => 1 })).toEqual({
    a: '1',
    b: 2,
    c: true,
    d: null,
  });
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i]));
  expect(Object.keys(storable(many))).toHaveLength(50);
  for (const none of [null, undefined, 'x', 7]) expect(storable(none)).toEqual({});
});

test('a linked account has a label, whatever is known of it', () => {
  expect(labelOf({}, 'sub')).toBe('sub');
  expect(labelOf({ profile: null }, 'sub')).toBe('sub');
  expect(labelOf({ profile: { name: 7, username: 'ada' } }, 'sub')).toBe('ada');
  expect(labelOf({ label: 'Ada', profile: { name: 'x' } }, 'sub')).toBe('Ada');
  expect(labelOf({ label: '', profile: { email: 'ada@example.com', name: 'x' } }, 'sub')).toBe(
    'ada@example.com',
  );
});
