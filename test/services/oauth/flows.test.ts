import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CallerProof } from '../../../src/index.ts';
import { codeOf } from '../../accounts.ts';
import { CLIENT } from '../../servers/oidc.ts';
import { CALLBACK, cookiesOf, createAccounts, SITE, useOidc } from './accounts.ts';

const APP = 'com.example.shop:/callback';
const oidc = useOidc({ redirectUris: [CALLBACK, 'https://app.example.com/back?from=us'] });
const PAGE = 'http://localhost:3000';

describe('what is sent to the provider', () => {
  test('S40 PKCE, state and nonce, fresh in each flow', async () => {
    const { service } = createAccounts(oidc.current);
    const [one, other] = await Promise.all([service.start('shop'), service.start('shop')]);
    const [first, second] = [one, other].map(({ url }) => Object.fromEntries(new URL(url).searchParams));
    expect(first).toMatchObject({
      client_id: CLIENT.clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: one.state,
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      scope: 'openid email profile',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(first?.[name]).not.toBe(second?.[name]);
    expect(one.url).not.toContain(CLIENT.clientSecret);
  });

  test('S13 nothing of it lies readable in the store', async () => {
    const { service, db } = createAccounts(oidc.current);
    const records: unknown[] = [];
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (record) => {
      records.push(record);
      return put.call(db.oneTimeTokens, record);
    };
    const { url, state, cookie } = await service.start('shop', { browser: true });
    const text = JSON.stringify(records);
    const value = /=([^;]+)/.exec(cookie ?? '')?.[1];
    for (const secret of [state, new URL(url).searchParams.get('nonce'), value]) {
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(text).not.toContain(secret);
    }
  });

  test('a redirect URI goes where it is allowed, exactly', async () => {
    const redirectUris = [APP, 'https://app.example.com/back?from=us'];
    const { service, begun, finish } = createAccounts(oidc.current, { redirectUris });
    for (const redirectUri of [undefined, null, CALLBACK, ...redirectUris]) {
      const { url } = await service.start('shop', { redirectUri });
      expect(new URL(url).searchParams.get('redirect_uri')).toBe(redirectUri ?? CALLBACK);
    }
    const inApp = await begun(oidc.current, 'in-app', { redirectUri: redirectUris[1] });
    expect(inApp.back.href).toContain('https://app.example.com/back?from=us&code=');
    await finish(inApp.params);
    for (const redirectUri of [
      `${CALLBACK}/`,
      `${CALLBACK}?next=https://evil.example`,
      'https://evil.example/oauth/callback',
      `${SITE}.evil.example/oauth/callback`,
      'https://app.example.com/back',
      '',
      'javascript:alert(1)',
      ['https://app.example.com/back?from=us'] as unknown as string,
    ]) {
      expect(await codeOf(service.start('shop', { redirectUri }))).toBe('INVALID_REDIRECT_URI');
    }
  });

  test.each(['nobody', '', '__proto__', 'constructor', 'toString', { $ne: null }, 7, null])(
    'S44 there is no provider %o',
    async (name) => {
      const { service, finish } = createAccounts(oidc.current);
      expect(await codeOf(service.start(name as string))).toBe('PROVIDER_NOT_FOUND');
      const code = await codeOf(finish({ provider: name, code: 'x', state: 'x' }));
      expect(['PROVIDER_NOT_FOUND', 'BAD_USER_INPUT']).toContain(code);
    },
  );
});

describe('a state', () => {
  test('is used once, also by 16 at once', async () => {
    const { begun, finish } = createAccounts(oidc.current);
    const { params } = await begun(oidc.current, 'ada');
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(finish(params))));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['not refused', 'INVALID_TOKEN']));
  });

  test('S57 has one of 65,536 places for the client’s network, however many are begun', async () => {
    const { service, db } = createAccounts(oidc.current);
    const keys: string[] = [];
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (record) => {
      keys.push(record.key);
      return put.call(db.oneTimeTokens, record);
    };
    for (let number = 0; number < 50; number++) {
      const connection = { ip: `2001:db8::${number.toString(16)}`, userAgent: null };
      await service.start('shop', { connection });
    }
    const places = keys.map((key) => /^\["oauth","nobody","2001:db8:0:0::\/64 (\d+)"\]$/.exec(key)?.[1]);
    expect(places.every((place) => Number(place) < 65_536)).toBe(true);
    expect(new Set(places).size).toBeGreaterThan(40);
  });

  test('lives ten minutes', async () => {
    const { begun, finish, clock } = createAccounts(oidc.current);
    const early = await begun(oidc.current, 'ada');
    const late = await begun(oidc.current, 'ada');
    clock.pass(10 * 60_000 - 1);
    await finish(early.params);
    clock.pass(1);
    expect(await codeOf(finish(late.params))).toBe('INVALID_TOKEN');
  });

  test('is good for the provider with which it was begun only (mix-up)', async () => {
    const providers = { other: { ...CLIENT, issuer: oidc.current.issuer } };
    const { begun, finish } = createAccounts(oidc.current, { providers });
    const { params } = await begun(oidc.current, 'ada');
    expect(await codeOf(finish({ ...params, provider: 'other' }))).toBe('INVALID_TOKEN');
    await finish(params);
  });

  test('of another flow does not fit the code', async () => {
    const { begun, finish, errors } = createAccounts(oidc.current);
    const [victim, thief] = [await begun(oidc.current, 'ada'), await begun(oidc.current, 'eve')];
    const injected = { ...thief.params, code: victim.params.code };
    expect(await codeOf(finish(injected))).toBe('PROVIDER_REFUSED');
    expect(errors).toEqual([]);
  });

  test.each([undefined, null, '', 'x', 7, {}, { $ne: null }, ['x'], 'x'.repeat(5_000), '\0', '\ud800'])(
    '%o is refused',
    async (state) => {
      const { begun, finish, errors } = createAccounts(oidc.current);
      const { params } = await begun(oidc.current, 'ada');
      expect(await codeOf(finish({ ...params, state }))).toBe('INVALID_TOKEN');
      const codes = [undefined, null, '', 7, {}, 'x'.repeat(5_000), '\0'];
      for (const code of codes) expect(await codeOf(finish({ ...params, code }))).toBe('BAD_USER_INPUT');
      await finish(params);
      expect(errors).toEqual([]);
    },
  );

  test('of another purpose is none', async () => {
    const { signUp, server, mails, finish } = createAccounts(oidc.current);
    await signUp('ada@example.com');
    await server.services.password.sendResetPasswordEmail('ada@example.com');
    await server.settled();
    const state = /reset-password\/([\w-]+)/.exec(mails.at(-1)?.text ?? '')?.[1];
    expect(await codeOf(finish({ provider: 'shop', code: 'x', state }))).toBe('INVALID_TOKEN');
    const { state: own } = await createAccounts(oidc.current).service.start('shop');
    expect(await codeOf(server.services.password.verifyEmail(own))).toBe('INVALID_TOKEN');
  });
});

describe('S40 the browser', () => {
  test('that began the flow can finish it, and no other', async () => {
    const { begun, finish } = createAccounts(oidc.current);
    const { params, cookie } = await begun(oidc.current, 'ada', { browser: true });
    const other = await begun(oidc.current, 'ada', { browser: true });
    const planted = cookie?.replace(/=[^;]+/, '=planted') ?? null;
    const without: CallerProof[] = [{}, { origin: PAGE }, cookiesOf(other.cookie), cookiesOf(planted)];
    for (const proof of without) expect(await codeOf(finish(params, proof))).toBe('INVALID_TOKEN');
    await finish(params, { ...cookiesOf(cookie), origin: PAGE });
  });

  test('has as many flows at once as it has tabs', async () => {
    const { begun, finish } = createAccounts(oidc.current);
    const [one, other] = [
      await begun(oidc.current, 'ada', { browser: true }),
      await begun(oidc.current, 'bob', { browser: true }),
    ];
    const jar = cookiesOf(one.cookie, other.cookie);
    const logins = [await finish(other.params, jar), await finish(one.params, jar)];
    expect(new Set(logins.map(({ user }) => user.id)).size).toBe(2);
  });

  test('of somebody else does not finish what a stranger began without one (login CSRF)', async () => {
    const { begun, finish } = createAccounts(oidc.current);
    const { params } = await begun(oidc.current, 'eve');
    expect(await codeOf(finish(params, { origin: PAGE }))).toBe('INVALID_TOKEN');
    await finish(params);
  });

  test('keeps the cookie from scripts and from other sites, and with https from other hosts', async () => {
    const { service } = createAccounts(oidc.current);
    const { cookie } = await service.start('shop', { browser: true });
    expect(cookie).toMatch(/^oauth-[\w-]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
    const site = createAccounts(oidc.current, { server: { siteUrl: 'https://shop.example' } });
    const { cookie: secure } = await site.service.start('shop', { browser: true });
    expect(secure).toMatch(
      /^__Host-oauth-[\w-]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect((await service.start('shop')).cookie).toBeNull();
  });
});

describe('guesses', () => {
  test('S10 are counted at the client’s address', async () => {
    const { finish, begun } = createAccounts(oidc.current, { server: { rateLimits: { addressGuesses: 3 } } });
    const { params } = await begun(oidc.current, 'ada');
    const codes = [];
    for (let i = 0; i < 4; i++) codes.push(await codeOf(finish({ ...params, state: 'a guess' })));
    expect(codes).toEqual(['INVALID_TOKEN', 'INVALID_TOKEN', 'INVALID_TOKEN', 'RATE_LIMITED']);
    expect(await codeOf(finish(params))).toBe('RATE_LIMITED');
  });

  test('a code that the provider does not take is one', async () => {
    const { finish, begun } = createAccounts(oidc.current, { server: { rateLimits: { addressGuesses: 1 } } });
    const { params } = await begun(oidc.current, 'ada');
    expect(await codeOf(finish({ ...params, code: 'a guess' }))).toBe('PROVIDER_REFUSED');
    expect(await codeOf(finish(params))).toBe('RATE_LIMITED');
  });

  test('a right login spends none', async () => {
    const { logIn } = createAccounts(oidc.current, { server: { rateLimits: { addressGuesses: 2 } } });
    for (let i = 0; i < 4; i++) await logIn(oidc.current, 'ada');
  });
});

describe('a state whose key is gone', () => {
  test('is refused', async () => {
    const key = 'an encryption key of the tests, long enough';
    const { begun, db } = createAccounts(oidc.current, { server: { encryptionKey: key } });
    const { params } = await begun(oidc.current, 'ada');
    const other = createAccounts(oidc.current, { server: { db, encryptionKey: `${key}!` } });
    expect(await codeOf(other.finish(params))).toBe('INVALID_TOKEN');
  });

  test('without any key the server is not made', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const tokenSecret = { privateKey, publicKey };
    expect(() => createAccounts(oidc.current, { server: { tokenSecret } })).toThrow(TypeError);
  });
});

describe('S46', () => {
  test('no event and no report has a code, a state or a token', async () => {
    const { begun, finish, events, errors } = createAccounts(oidc.current);
    const { params } = await begun(oidc.current, 'ada');
    await finish(params);
    const wrong = await begun(oidc.current, 'ada');
    await codeOf(finish({ ...wrong.params, code: 'canary-code' }));
    const text = JSON.stringify([events, errors.map(String)]);
    for (const secret of [params.code, params.state, wrong.params.state, 'canary-code']) {
      expect(text).not.toContain(secret);
    }
  });
});
