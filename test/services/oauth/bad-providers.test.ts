import { createHmac, createSecretKey } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { codeOf } from '../../accounts.ts';
import { type Behaviour, FOREIGN_KEYS, startBadOidc } from '../../servers/bad-oidc.ts';
import { CLIENT, startOidc } from '../../servers/oidc.ts';
import { CALLBACK, createAccounts } from './accounts.ts';

const DISCOVERY = '/.well-known/openid-configuration';
/** What a test waits for a provider that hangs. */
const TIMEOUT = 300;

let bad: Awaited<ReturnType<typeof startBadOidc>>;
let elsewhere: { url: string; asked: string[]; close(): void };
beforeAll(async () => {
  bad = await startBadOidc(CLIENT.clientId);
  elsewhere = await startElsewhere();
});
beforeEach(() => bad.behave());
afterEach(() => {
  expect(elsewhere.asked).toEqual([]);
});
afterAll(async () => {
  elsewhere.close();
  await bad.close();
});

/** A login by the provider, which behaves itself until the browser is back. */
async function attempt(behaviour: Behaviour, params: object = {}) {
  const accounts = createAccounts(bad, { timeout: TIMEOUT });
  const { url, state } = await accounts.service.start('shop');
  const code = bad.logIn(url);
  bad.behave(behaviour);
  const result = await codeOf(accounts.finish({ provider: 'shop', code, state, ...params }));
  return { result, ...accounts };
}

const hang = () => {};
const answerWith =
  (status: number, body = '{}', headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  (_req: unknown, res: ServerResponse) =>
    res.writeHead(status, headers).end(body);
const endless = (_req: unknown, res: ServerResponse) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  const write = (): void => {
    while (!res.destroyed && res.write('"'.repeat(65_536)));
    if (!res.destroyed) res.once('drain', write);
  };
  write();
};

test('one that behaves itself logs in', async () => {
  const { result, errors } = await attempt({});
  expect(result).toBe('not refused');
  expect(errors).toEqual([]);
  expect(bad.asked.map(({ path }) => path)).toEqual(['/token', '/jwks', '/userinfo']);
});

describe('S40 an ID token', () => {
  const { publicKey } = FOREIGN_KEYS;
  const now = Math.floor(Date.now() / 1_000);
  test.each<[string, Behaviour]>([
    ['with another nonce', { claims: { nonce: 'another' } }],
    ['without a nonce', { claims: { nonce: undefined } }],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['for somebody else', { claims: { aud: 'another client' } }],
    ['for others too, and handed on', { claims: { aud: [CLIENT.clientId, 'other'], azp: 'other' } }],
    ['that has expired', { claims: { exp: now - 120, iat: now - 240 } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['with an empty subject', { claims: { sub: '' } }],
    ['whose subject is no text', { claims: { sub: { $ne: null } } }],
    ['with an endless subject', { claims: { sub: 'x'.repeat(10_000) } }],
    ['that is not signed', { header: { alg: 'none' }, signWith: null }],
    [
      'that is not signed, though the provider allows it',
      {
        header: { alg: 'none' },
        signWith: null,
        metadata: { id_token_signing_alg_values_supported: ['none', 'RS256'] },
      },
    ],
    ['whose signature is missing', { signWith: null }],
    ['signed by a foreign key', { signWith: FOREIGN_KEYS.privateKey }],
    [
      'signed by a foreign key that it names',
      { header: { jwk: publicKey.export({ format: 'jwk' }) }, signWith: FOREIGN_KEYS.privateKey },
    ],
    ['signed by a key that is not there', { header: { kid: 'two' } }],
    ['of an unknown critical kind', { header: { crit: ['x'], x: 1 } }],
    ['that is none', { token: { id_token: 'none' } }],
    ['that is missing', { token: { id_token: undefined } }],
  ])('%s is refused', async (_, behaviour) => {
    const { result, db, errors } = await attempt(behaviour);
    expect(result).toBe('PROVIDER_REFUSED');
    expect(await db.identities.find('oauth:shop', 'ada')).toBeNull();
    // Whoever runs the server is told, without what the provider said.
    expect(errors.map(String).join()).not.toMatch(/an-access-token|eyJ|a code/);
  });

  test('signed with the client’s secret is refused', async () => {
    const secret = createSecretKey(Buffer.from(CLIENT.clientSecret));
    const claims = { iss: bad.issuer, sub: 'ada', aud: CLIENT.clientId, iat: now, exp: now + 60 };
    const signed = [{ alg: 'HS256' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = createHmac('sha256', secret).update(signed).digest('base64url');
    const { result } = await attempt({ token: { id_token: `${signed}.${signature}` } });
    expect(result).toBe('PROVIDER_REFUSED');
  });
});

test('keys that the provider has just replaced are asked for again', async () => {
  const { service, finish } = createAccounts(bad);
  const logIn = async (behaviour: Behaviour = {}) => {
    const { url, state } = await service.start('shop');
    const code = bad.logIn(url);
    bad.behave(behaviour);
    return codeOf(finish({ provider: 'shop', code, state }));
  };
  const paths = () => bad.asked.map(({ path }) => path);
  expect(await logIn()).toBe('not refused');
  const key = { ...FOREIGN_KEYS.publicKey.export({ format: 'jwk' }), kid: 'two', use: 'sig', alg: 'RS256' };
  const replaced = {
    header: { kid: 'two' },
    signWith: FOREIGN_KEYS.privateKey,
    answer: { '/jwks': answerWith(200, JSON.stringify({ keys: [key] })) },
  };
  expect(await logIn(replaced)).toBe('not refused');
  expect(paths()).toContain('/jwks');
  for (let login = 0; login < 6; login++) {
    expect(await logIn(replaced)).toBe('not refused');
    expect(paths()).not.toContain('/jwks');
  }
});

test('Microsoft has an issuer for many tenants, and a token names the one of its own', async () => {
  const place = 'https://login.microsoftonline.com';
  const metadata = {
    issuer: `${place}/{tenantid}/v2.0`,
    token_endpoint: `${place}/common/v2.0/token`,
    jwks_uri: `${place}/common/v2.0/jwks`,
    authorization_endpoint: `${place}/common/v2.0/authorize`,
    userinfo_endpoint: undefined,
  };
  const asked = globalThis.fetch;
  vi.stubGlobal('fetch', (url: string, init: RequestInit) =>
    asked(url.replace(`${place}/common/v2.0`, bad.issuer), init),
  );
  try {
    const { service, finish } = createAccounts(null, { providers: { microsoft: CLIENT } });
    const logIn = async (claims: { [claim: string]: string }) => {
      bad.behave({ metadata, claims });
      const { url, state } = await service.start('microsoft');
      return codeOf(finish({ provider: 'microsoft', code: bad.logIn(url), state }));
    };
    expect(await logIn({ iss: `${place}/a-tenant/v2.0`, tid: 'a-tenant' })).toBe('not refused');
    expect(await logIn({ iss: `${place}/a-tenant/v2.0`, tid: 'another' })).toBe('PROVIDER_REFUSED');
    expect(await logIn({ iss: metadata.issuer })).toBe('PROVIDER_REFUSED');
  } finally {
    vi.unstubAllGlobals();
  }
});

describe('what else a provider says', () => {
  test('user info of somebody else is refused', async () => {
    const { result } = await attempt({
      userInfo: { sub: 'eve', email: 'ada@example.com', email_verified: true },
    });
    expect(result).toBe('PROVIDER_REFUSED');
  });

  test.each<[string, number, string]>([
    ['invalid_grant', 400, 'PROVIDER_REFUSED'],
    ['invalid_client', 401, 'PROVIDER_UNAVAILABLE'],
    ['server_error', 500, 'PROVIDER_UNAVAILABLE'],
    ['temporarily_unavailable', 503, 'PROVIDER_UNAVAILABLE'],
  ])('the error %s', async (error, status, code) => {
    const body = JSON.stringify({ error, error_description: '<script>canary' });
    const { result, errors } = await attempt({ answer: { '/token': answerWith(status, body) } });
    expect(result).toBe(code);
    expect(errors.map(String).join()).not.toContain('canary');
  });

  test.each(['null', '[]', '"x"', '{', '<html>', ''])('%s where an answer belongs', async (body) => {
    const { result } = await attempt({ answer: { '/token': answerWith(200, body) } });
    expect(result).toBe('PROVIDER_REFUSED');
  });

  test('a profile of any form does no harm', async () => {
    const odd = {
      name: { $ne: null },
      picture: 'x'.repeat(5_000),
      nickname: '\0',
      locale: ['de'],
      website: '\ud800',
      given_name: 'Ada',
    };
    const { result, db } = await attempt({
      userInfo: JSON.parse(`{"sub":"ada","__proto__":{"admin":true},${JSON.stringify(odd).slice(1)}`),
    });
    expect(result).toBe('not refused');
    expect((await db.identities.find('oauth:shop', 'ada'))?.data).toEqual({ profile: { given_name: 'Ada' } });
  });
});

describe('RFC 9207: who says that it answers', () => {
  const metadata = { authorization_response_iss_parameter_supported: true };
  test.each<[string, string | null | undefined, string]>([
    ['is the issuer', 'the issuer', 'not refused'],
    ['is somebody else', 'https://evil.example', 'PROVIDER_REFUSED'],
    ['is missing', null, 'PROVIDER_REFUSED'],
    ['is not asked of API callers', undefined, 'not refused'],
  ])('%s', async (_, iss, code) => {
    bad.behave({ metadata });
    const { result } = await attempt({ metadata }, { iss: iss === 'the issuer' ? bad.issuer : iss });
    expect(result).toBe(code);
  });
});

describe('within the time of a login', () => {
  test.each<[string, string]>([
    ['token', '/token'],
    ['keys', '/jwks'],
    ['user info', '/userinfo'],
  ])('a provider whose %s hangs, or does not end, is unavailable', async (_, path) => {
    for (const answer of [hang, endless]) {
      const { result } = await attempt({ answer: { [path]: answer } });
      expect(result).toBe('PROVIDER_UNAVAILABLE');
    }
  });

  test('one that trickles is unavailable', async () => {
    const trickle = (_req: unknown, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => res.write(' '), 20);
      res.once('close', () => clearInterval(timer));
    };
    const { result } = await attempt({ answer: { '/token': trickle } });
    expect(result).toBe('PROVIDER_UNAVAILABLE');
  });
});

describe('S46 no request goes elsewhere', () => {
  test.each(['/token', '/jwks', '/userinfo'])('a redirect of %s is not followed', async (path) => {
    for (const status of [302, 307]) {
      const { result } = await attempt({
        answer: { [path]: answerWith(status, '', { location: elsewhere.url }) },
      });
      expect(result).toBe('PROVIDER_REFUSED');
    }
  });

  test('nor is one of the discovery', async () => {
    bad.behave({ answer: { [DISCOVERY]: answerWith(302, '', { location: elsewhere.url }) } });
    expect(await codeOf(createAccounts(bad).service.start('shop'))).toBe('PROVIDER_UNAVAILABLE');
  });

  test.each<[string, object]>([
    ['within the network, in the clear', { token_endpoint: 'http://10.0.0.1/token' }],
    ['of a cloud', { token_endpoint: 'http://169.254.169.254/latest/meta-data' }],
    ['of a file', { token_endpoint: 'file:///etc/passwd' }],
    ['of no URL', { token_endpoint: 'token' }],
    ['that is missing', { token_endpoint: undefined }],
  ])('a token endpoint %s is not asked', async (_, metadata) => {
    bad.behave({ metadata: { ...metadata } });
    const { result, errors } = await attempt({});
    expect(result).toBe('PROVIDER_REFUSED');
    expect(errors).toHaveLength(1);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://evil.example/authorize',
    'ftp://evil.example',
    '',
  ])('nor does the browser go to %o', async (authorization_endpoint) => {
    bad.behave({ metadata: { authorization_endpoint } });
    expect(await codeOf(createAccounts(bad).service.start('shop'))).toMatch(/^PROVIDER_/);
  });
});

describe('discovery', () => {
  test('waits for the first use, is asked once for all that come at once, and is kept', async () => {
    const { service } = createAccounts(bad);
    expect(bad.asked).toEqual([]);
    await Promise.all(Array.from({ length: 20 }, () => service.start('shop')));
    await service.start('shop');
    expect(bad.asked.map(({ path }) => path)).toEqual([DISCOVERY]);
  });

  test.each<[string, Behaviour]>([
    ['lies about its issuer', { metadata: { issuer: 'https://accounts.example.com' } }],
    ['names none', { metadata: { issuer: undefined } }],
    ['fails', { answer: { [DISCOVERY]: answerWith(500) } }],
    ['is not there', { answer: { [DISCOVERY]: answerWith(404) } }],
    [
      'answers no JSON',
      { answer: { [DISCOVERY]: answerWith(200, '<html>', { 'content-type': 'text/html' }) } },
    ],
    ['hangs', { answer: { [DISCOVERY]: hang } }],
    ['does not end', { answer: { [DISCOVERY]: endless } }],
    ['hangs up', { answer: { [DISCOVERY]: (req) => req.socket.destroy() } }],
  ])(
    'of a provider that %s is refused, told to who runs the server, and tried again',
    async (_, behaviour) => {
      const { service, errors } = createAccounts(bad, { timeout: TIMEOUT });
      bad.behave(behaviour);
      expect(await codeOf(service.start('shop'))).toBe('PROVIDER_UNAVAILABLE');
      expect(errors.length).toBeGreaterThan(0);
      bad.behave();
      await service.start('shop');
    },
  );

  test('of a provider that is down does not stop the start', async () => {
    const gone = await startBadOidc(CLIENT.clientId);
    await gone.close();
    const { service, signUp } = createAccounts(gone);
    await signUp('ada@example.com');
    expect(await codeOf(service.start('shop'))).toBe('PROVIDER_UNAVAILABLE');
  });
});

describe('the client’s secret', () => {
  test('is given as the provider takes it, whichever way that is', async () => {
    for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
      const oidc = await startOidc({ redirectUris: [CALLBACK], authMethod });
      try {
        const { logIn, errors } = createAccounts(oidc);
        await logIn(oidc, 'ada');
        await logIn(oidc, 'ada');
        expect(errors).toEqual([]);
      } finally {
        await oidc.close();
      }
    }
  });

  test('that is wrong is told to who runs the server', async () => {
    const oidc = await startOidc({ redirectUris: [CALLBACK] });
    try {
      const providers = { shop: { ...CLIENT, clientSecret: 'a wrong one', issuer: oidc.issuer } };
      const { logIn, errors } = createAccounts(null, { providers });
      expect(await codeOf(logIn(oidc, 'ada'))).toBe('PROVIDER_UNAVAILABLE');
      expect(errors.map(String)).toEqual([expect.stringContaining('misconfigured')]);
      expect(errors.map(String).join()).not.toContain('a wrong one');
    } finally {
      await oidc.close();
    }
  });

  test('may be made anew each time', async () => {
    let made = 0;
    const clientSecret = async () => `secret ${++made}`;
    const providers = {
      shop: {
        clientId: CLIENT.clientId,
        clientSecret,
        issuer: bad.issuer,
        tokenEndpointAuthMethod: 'client_secret_post' as const,
      },
    };
    const { service, finish } = createAccounts(null, { providers });
    for (const secret of ['secret 1', 'secret 2']) {
      const { url, state } = await service.start('shop');
      await finish({ provider: 'shop', code: bad.logIn(url), state });
      expect(bad.asked.findLast(({ path }) => path === '/token')?.body.get('client_secret')).toBe(secret);
    }
  });
});

/** A server that must not be asked for anything. */
async function startElsewhere() {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    res.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, asked, close: () => void server.close() };
}
