import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { createKeyring } from '../../src/core/keys.ts';
import { MINUTE, SECOND } from '../../src/core/time.ts';
import { Tokens } from '../../src/core/tokens.ts';
import { AccountsError, type AccountsServerOptions } from '../../src/index.ts';
import { codeOf, createAccounts, createClock, SECRET } from '../accounts.ts';

type Part = Record<string, unknown>;
type TokenSecret = AccountsServerOptions['tokenSecret'];

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A token as an attacker would write it, signed as if they had the key. */
function forge(
  header: unknown,
  payload: unknown,
  secret: string | KeyObject = SECRET,
  hash = 'sha256',
): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

function partsOf(token: string): { header: Part; payload: Part } {
  const [header = '', payload = ''] = token.split('.');
  const decode = (part: string): Part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Part;
  return { header: decode(header), payload: decode(payload) };
}

const without = (part: Part, name: string): Part =>
  Object.fromEntries(Object.entries(part).filter(([key]) => key !== name));

/** Stateless, so that nothing but the token itself is judged. */
async function start(options: Partial<AccountsServerOptions> = {}) {
  const accounts = createAccounts({ useStatelessSession: true, ...options });
  const id = await accounts.signUp({ username: 'ada' });
  const { tokens, sessionId } = await accounts.logIn('ada');
  const { header, payload } = partsOf(tokens.accessToken);
  const refresh = partsOf(tokens.refreshToken);
  const seconds = Math.floor(accounts.clock.now() / SECOND);
  return {
    ...accounts,
    ...tokens,
    id,
    sessionId,
    header,
    payload,
    refresh,
    seconds,
    judge: (token: unknown) => codeOf(() => accounts.server.resumeRequester(token as string)),
    judgeRefresh: (token: unknown) =>
      codeOf(accounts.server.refreshTokens(tokens.accessToken, token as string)),
  };
}

describe('what a token says', () => {
  test('S26 stands in registered claims, with typ and kid in the header', async () => {
    const { header, payload, refresh, id, sessionId, seconds } = await start();
    const common = {
      iss: 'graphql-accounts',
      aud: 'graphql-accounts',
      sub: id,
      sid: sessionId,
      iat: seconds,
    };
    expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]+$/) });
    expect(payload).toEqual({
      ...common,
      exp: seconds + 15 * 60,
      jti: expect.any(String),
      auth_time: seconds,
      amr: ['pwd'],
      data: { token: sessionId, userId: id, isImpersonated: false },
    });
    expect(refresh.header).toEqual({ ...header, typ: 'rt+jwt' });
    expect(refresh.payload).toEqual({
      ...common,
      exp: seconds + 7 * 24 * 3600,
      jti: expect.any(String),
      rot: 1,
    });
  });

  test('is read by clients of accounts-js, which decode both', async () => {
    const { accessToken, refreshToken } = await start();
    expect(jwt.decode(accessToken)).toMatchObject({ exp: expect.any(Number) });
    expect(jwt.decode(refreshToken)).toMatchObject({ exp: expect.any(Number) });
  });

  test('S13 has 128 bits of chance in each session, and names nothing twice', async () => {
    const { logIn } = await start();
    const logins = await Promise.all(Array.from({ length: 50 }, () => logIn('ada')));
    const sessions = logins.map(({ sessionId }) => sessionId);
    const tokens = logins.flatMap(({ tokens: { accessToken, refreshToken } }) =>
      [accessToken, refreshToken].map((token) => String(partsOf(token).payload.jti)),
    );
    expect(new Set([...sessions, ...tokens]).size).toBe(150);
    for (const id of sessions) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
    // No secrets: nothing is known by them.
    for (const id of tokens)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  test('S13 is nowhere in the database', async () => {
    const { db, id, accessToken, refreshToken } = await start();
    const stored = JSON.stringify([await db.sessions.findByUser(id), await db.users.findMany([id])]);
    for (const token of [accessToken, refreshToken]) {
      for (const part of token.split('.').slice(1)) expect(stored).not.toContain(part);
    }
  });

  test('S25 does not give the secret away by the name of the key', () => {
    const [kid = ''] = createKeyring(SECRET).verification.keys();
    expect(kid).toHaveLength(11);
    expect(kid).not.toBe([...createKeyring(`${SECRET}.`).verification.keys()][0]);
  });
});

describe('an access token', () => {
  test('is good as it was made, and so is one that was written by hand with the same key', async () => {
    const { judge, accessToken, header, payload } = await start();
    expect(await judge(accessToken)).toBe('not refused');
    expect(await judge(forge(header, payload))).toBe('not refused');
    expect(await judge(forge({ ...header, cty: 'x' }, { ...payload, more: [1] }))).toBe('not refused');
  });

  const wrongHeaders: [string, (header: Part) => unknown][] = [
    ['alg none', (header) => ({ ...header, alg: 'none' })],
    ['alg None', (header) => ({ ...header, alg: 'None' })],
    ['another algorithm', (header) => ({ ...header, alg: 'HS512' })],
    ['an asymmetric algorithm', (header) => ({ ...header, alg: 'RS256' })],
    ['no algorithm', (header) => without(header, 'alg')],
    ['an algorithm that is a list', (header) => ({ ...header, alg: ['HS256'] })],
    ['an unknown crit', (header) => ({ ...header, crit: ['exp2'], exp2: 1 })],
    ['an empty crit', (header) => ({ ...header, crit: [] })],
    ['crit null', (header) => ({ ...header, crit: null })],
    ['no typ', (header) => without(header, 'typ')],
    ['typ JWT', (header) => ({ ...header, typ: 'JWT' })],
    ['typ rt+jwt', (header) => ({ ...header, typ: 'rt+jwt' })],
    ['typ AT+JWT', (header) => ({ ...header, typ: 'AT+JWT' })],
    ['typ application/at+jwt', (header) => ({ ...header, typ: 'application/at+jwt' })],
    ['typ with a space', (header) => ({ ...header, typ: 'at+jwt ' })],
    ['typ in a list', (header) => ({ ...header, typ: ['at+jwt'] })],
    ['no kid', (header) => without(header, 'kid')],
    ['an unknown kid', (header) => ({ ...header, kid: 'unknown' })],
    ['a longer kid', (header) => ({ ...header, kid: `${header.kid} ` })],
    ['kid __proto__', (header) => ({ ...header, kid: '__proto__' })],
    ['kid constructor', (header) => ({ ...header, kid: 'constructor' })],
    ['kid 0', (header) => ({ ...header, kid: 0 })],
    ['kid null', (header) => ({ ...header, kid: null })],
    ['kid in a list', (header) => ({ ...header, kid: [header.kid] })],
    ['kid in an object', (header) => ({ ...header, kid: { toString: header.kid } })],
    ['a header that is a list', (header) => [header]],
    ['a header that is text', () => '"at+jwt"'],
    ['a header that is null', () => 'null'],
    ['a header that is no JSON', () => '{"alg":"HS256"'],
    ['an empty header', () => ''],
  ];
  for (const [name, change] of wrongHeaders) {
    test(`S24, S26 is refused with ${name}`, async () => {
      const { judge, header, payload } = await start();
      expect(await judge(forge(change(header), payload))).toBe('UNAUTHENTICATED');
      expect(await judge(forge(change(header), payload, SECRET, 'sha512'))).toBe('UNAUTHENTICATED');
    });
  }

  for (const name of ['exp', 'iat', 'iss', 'aud', 'sub', 'sid', 'jti', 'data']) {
    test(`S26 is refused without ${name}, and with a ${name} that is wrong`, async () => {
      const { judge, header, payload } = await start();
      expect(await judge(forge(header, without(payload, name)))).toBe('UNAUTHENTICATED');
      for (const wrong of [null, '', true, [], {}, 'x', -1]) {
        // Any text is a jti, and any time that has been is an iat.
        if ((name === 'jti' && wrong === 'x') || (name === 'iat' && wrong === -1)) continue;
        const answer = await judge(forge(header, { ...payload, [name]: wrong }));
        expect([wrong, answer]).toEqual([wrong, 'UNAUTHENTICATED']);
      }
    });
  }

  test('S26 may name several audiences, ours among them', async () => {
    const { judge, header, payload } = await start();
    expect(await judge(forge(header, { ...payload, aud: ['x', 'graphql-accounts'] }))).toBe('not refused');
    expect(await judge(forge(header, { ...payload, aud: ['x', 'y'] }))).toBe('UNAUTHENTICATED');
  });

  test('S26 expires at a whole number of seconds, and by nothing else', async () => {
    const { judge, header, payload, seconds } = await start();
    const times = [
      '9999999999',
      `${seconds + 60}`,
      seconds + 60.5,
      1e308,
      -1e308,
      -60,
      0,
      seconds,
      [seconds + 60],
    ];
    for (const exp of times) {
      expect([exp, await judge(forge(header, { ...payload, exp }))]).toEqual([exp, 'UNAUTHENTICATED']);
    }
    const written = forge(header, JSON.stringify(payload).replace(`"exp":${payload.exp}`, '"exp":1e999'));
    expect(await judge(written)).toBe('UNAUTHENTICATED');
    expect(await judge(forge(header, { ...payload, exp: seconds + 1 }))).toBe('not refused');
  });

  test('S17, S26 may come from a clock that is a minute ahead, not more', async () => {
    const { judge, header, payload, seconds } = await start();
    expect(await judge(forge(header, { ...payload, iat: seconds + 60 }))).toBe('not refused');
    expect(await judge(forge(header, { ...payload, iat: seconds + 61 }))).toBe('UNAUTHENTICATED');
    expect(await judge(forge(header, { ...payload, nbf: seconds + 60 }))).toBe('not refused');
    expect(await judge(forge(header, { ...payload, nbf: seconds + 61 }))).toBe('UNAUTHENTICATED');
    for (const nbf of ['0', null, 0.5, {}]) {
      expect([nbf, await judge(forge(header, { ...payload, nbf }))]).toEqual([nbf, 'UNAUTHENTICATED']);
    }
  });

  test('S17 is judged by the injected clock alone, before today and after', async () => {
    for (const year of [1990, 2999]) {
      const clock = createClock(Date.UTC(year, 0, 1));
      const { judge, accessToken, header, payload } = await start({ now: clock.now });
      expect(await judge(accessToken)).toBe('not refused');
      const nbf = Math.floor(clock.now() / SECOND);
      expect(await judge(forge(header, { ...payload, nbf }))).toBe('not refused');
      clock.pass(15 * MINUTE - 1);
      expect(await judge(accessToken)).toBe('not refused');
      clock.pass(1);
      expect(await judge(accessToken)).toBe('UNAUTHENTICATED');
    }
  });

  test('says the same in data as in its claims, or is refused', async () => {
    const { judge, header, payload, id, sessionId } = await start();
    const data = { token: sessionId, userId: id, isImpersonated: false };
    const wrong = [
      ...[
        { ...data, token: 'x' },
        { ...data, userId: 'x' },
        { ...data, isImpersonated: true },
      ],
      ...[without(data, 'token'), without(data, 'userId'), without(data, 'isImpersonated')],
      ...[{ ...data, isImpersonated: 'false' }, [data], 'data', null],
    ];
    for (const other of wrong) {
      expect([other, await judge(forge(header, { ...payload, data: other }))]).toEqual([
        other,
        'UNAUTHENTICATED',
      ]);
    }
    for (const claim of ['sub', 'sid']) {
      expect(await judge(forge(header, { ...payload, [claim]: 'x' }))).toBe('UNAUTHENTICATED');
    }
  });

  test('S42 with an actor whom nobody can read is not taken for one without', async () => {
    const { judge, header, payload } = await start();
    for (const act of [null, {}, { sub: '' }, { sub: null }, { sub: 7 }, { sub: ['x'] }, [], 'x', true]) {
      expect([act, await judge(forge(header, { ...payload, act }))]).toEqual([act, 'UNAUTHENTICATED']);
      const data = { ...(payload.data as Part), isImpersonated: true };
      expect([act, await judge(forge(header, { ...payload, act, data }))]).toEqual([act, 'UNAUTHENTICATED']);
    }
  });

  test('S24 is refused with a payload that is no object', async () => {
    const { judge, header, payload } = await start();
    for (const other of [
      '"text"',
      'text',
      'null',
      '7',
      'true',
      '',
      [payload],
      [],
      '{',
      `${JSON.stringify(payload)}x`,
    ]) {
      expect([other, await judge(forge(header, other))]).toEqual([other, 'UNAUTHENTICATED']);
    }
  });

  test('S24 is refused over 8 KB, before anything is decoded', async () => {
    const { judge, header, payload } = await start();
    const sizes = Array.from({ length: 400 }, (_, size) => 5600 + size);
    const tokens = sizes.map((size) => forge(header, { ...payload, more: 'x'.repeat(size) }));
    const longest = tokens.findLast(({ length }) => length <= 8192);
    const next = tokens.find(({ length }) => length > 8192);
    expect([longest?.length, await judge(longest)]).toEqual([expect.closeTo(8192, -1), 'not refused']);
    expect([next?.length, await judge(next)]).toEqual([expect.closeTo(8192, -1), 'UNAUTHENTICATED']);
    expect(await judge('a'.repeat(1_000_000))).toBe('UNAUTHENTICATED');
  });

  test('S26 brings no key along: jku, x5u, jwk and x5c are ignored', async () => {
    const { judge, header, payload } = await start();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const brought = {
      jku: 'https://evil.example/jwks',
      x5u: 'https://evil.example/x5u',
      x5c: ['x'],
      jwk: publicKey.export({ format: 'jwk' }),
    };
    expect(await judge(forge({ ...header, ...brought }, payload))).toBe('not refused');
    const own = { alg: 'ES256', typ: 'at+jwt', kid: String(header.kid), ...brought } as const;
    expect(await judge(jwt.sign(payload, privateKey, { algorithm: 'ES256', header: own }))).toBe(
      'UNAUTHENTICATED',
    );
  });

  test('S24 is refused with a signature that is another one, none, cut, or spelt in another way', async () => {
    const { judge, accessToken } = await start();
    const [header = '', payload = '', signature = ''] = accessToken.split('.');
    const wrong = [
      ...[`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${signature}.${signature}`],
      ...[`${header}..${signature}`, `.${payload}.${signature}`, '..', '.', ''],
      ...[`${accessToken}=`, `${accessToken}==`, `${accessToken} `, ` ${accessToken}`, `${accessToken}\n`],
      ...[`${header}=.${payload}.${signature}`, `${header}\n.${payload}.${signature}`],
      ...[accessToken.slice(0, -1), `${accessToken}A`, `${accessToken}\0`, `${accessToken}\ud800`],
      ...[`${header}.${payload}.${signature.toUpperCase()}`, `Bearer ${accessToken}`],
    ];
    for (const token of wrong) expect([token, await judge(token)]).toEqual([token, 'UNAUTHENTICATED']);
  });

  test('S24 has one spelling: the bits of base64url that nobody signs are not free', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { judge, accessToken } = await start({ tokenSecret: { publicKey, privateKey } });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(accessToken.at(-1) ?? '');
    const second = `${accessToken.slice(0, -1)}${alphabet[last + 1]}`;
    expect(jwt.verify(second, publicKey, { ignoreExpiration: true })).toBeTruthy();
    expect(await judge(second)).toBe('UNAUTHENTICATED');
  });

  test('S24 a name that is given twice counts once, whatever is looked at first', async () => {
    const { judge, server, header, payload, seconds, id } = await start();
    const twice = (first: string, part: Part): string => `{${first},${JSON.stringify(part).slice(1)}`;
    const taken = forge(twice('"kid":"x","typ":"rt+jwt"', header), twice('"sub":"eve","exp":1', payload));
    expect(await server.resumeRequester(taken)).toMatchObject({ user: { id } });
    const last = `${JSON.stringify(payload).slice(0, -1)},"exp":${seconds}}`;
    expect(await judge(forge(header, last))).toBe('UNAUTHENTICATED');
    expect(await judge(forge(`${JSON.stringify(header).slice(0, -1)},"alg":"none"}`, payload))).toBe(
      'UNAUTHENTICATED',
    );
  });

  test('S44 with __proto__ among its claims makes nobody somebody else', async () => {
    const { server, header, payload, id } = await start();
    const claims = `{"__proto__":{"admin":true,"id":"eve"},${JSON.stringify(payload).slice(1)}`;
    const { user } = await server.resumeRequester(forge(header, claims));
    expect(Object.getPrototypeOf(user)).toBe(Object.prototype);
    expect(user).toEqual({ id });
  });

  test('is refused when it is no text at all', async () => {
    const { judge } = await start();
    for (const token of [undefined, null, 7, {}, [], true, { toString: () => 'x' }, Symbol('x')]) {
      expect(await judge(token)).toBe('UNAUTHENTICATED');
    }
  });

  test('S23 tells a stateless server who it is, and each request gets its own copy of that', async () => {
    const createJwtPayload = () => ({ roles: ['reader'] });
    const { server, accessToken, id, sessionId, seconds } = await start({ createJwtPayload });
    const first = await server.resumeRequester(accessToken);
    const proof = { authenticatedAt: new Date(seconds * 1000), amr: ['pwd'] };
    expect(first).toEqual({
      user: { id, roles: ['reader'] },
      session: { id: sessionId, userId: id, actorUserId: null, ...proof },
    });
    (first.user as unknown as { roles: string[] }).roles.push('admin');
    expect(await server.resumeRequester(accessToken)).toMatchObject({ user: { roles: ['reader'] } });
  });
});

test('S26 a token of a session that the store knows otherwise is refused, though its signature is good', async () => {
  const { server, header, payload, refresh, signUp } = await start({ useStatelessSession: false });
  const eve = await signUp({ username: 'eve' });
  const data = payload.data as Part;
  expect(await codeOf(server.resumeSession(forge(header, payload)))).toBe('not refused');
  const others: Part[] = [
    { ...payload, sub: eve, data: { ...data, userId: eve } },
    { ...payload, act: { sub: eve }, data: { ...data, isImpersonated: true } },
    { ...payload, sid: 'unknown', data: { ...data, token: 'unknown' } },
  ];
  for (const other of others) {
    const access = forge(header, other);
    expect(await codeOf(server.resumeSession(access))).toBe('UNAUTHENTICATED');
    expect(await codeOf(server.resumeLiveSession(access))).toBe('UNAUTHENTICATED');
    const { sub, sid } = other;
    const renewed = forge(refresh.header, { ...refresh.payload, sub, sid });
    expect(await codeOf(server.refreshTokens(access, renewed))).toBe('UNAUTHENTICATED');
  }
});

describe('a refresh token', () => {
  test('is good as it was written by hand with the same key', async () => {
    const { judgeRefresh, refresh } = await start();
    expect(await judgeRefresh(forge(refresh.header, refresh.payload))).toBe('not refused');
  });

  test('S14, S24, S26 is refused with anything missing or wrong, and that changes nothing', async () => {
    const { judgeRefresh, refresh, payload, refreshToken, seconds, id, sessionId } = await start();
    const { header, payload: claims } = refresh;
    const wrong: [string, string][] = [
      ...['exp', 'iat', 'iss', 'aud', 'sub', 'sid', 'jti', 'rot'].map((name): [string, string] => [
        ...([`without ${name}`, forge(header, without(claims, name))] as const),
      ]),
      ...[0, -1, 1.5, '1', null, 1e308, [1]].map((rot): [string, string] => [
        ...([`rot ${rot}`, forge(header, { ...claims, rot })] as const),
      ]),
      ['a rotation that has not been', forge(header, { ...claims, rot: 2 })],
      ['expired', forge(header, { ...claims, exp: seconds })],
      ['of tomorrow', forge(header, { ...claims, iat: seconds + 61 })],
      ['typ at+jwt', forge({ ...header, typ: 'at+jwt' }, claims)],
      ['the claims of an access token', forge(header, payload)],
      ['another user', forge(header, { ...claims, sub: 'x' })],
      ['another session', forge(header, { ...claims, sid: 'x' })],
      ['another secret', forge(header, claims, `${SECRET}!`)],
      ['none', `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ];
    for (const [name, token] of wrong) {
      expect([name, await judgeRefresh(token)]).toEqual([name, 'UNAUTHENTICATED']);
    }
    for (const token of [undefined, null, 7, {}, [refreshToken]]) {
      expect(await judgeRefresh(token)).toBe('UNAUTHENTICATED');
    }
    expect({ id, sessionId }).toEqual({ id: claims.sub, sessionId: claims.sid });
    expect(await judgeRefresh(refreshToken)).toBe('not refused');
  });
});

describe('a pair of keys', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
  const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

  const good: [string, string, TokenSecret][] = [
    ['RSA', 'RS256', rsa],
    ['RSA and algorithm RS256', 'RS256', { ...rsa, algorithm: 'RS256' }],
    ['RSA and algorithm PS256', 'PS256', { ...rsa, algorithm: 'PS256' }],
    ['P-256', 'ES256', p256],
    ['PEM texts', 'RS256', { publicKey: spki(rsa.publicKey), privateKey: pkcs8(rsa.privateKey) }],
    [
      ...(['PEM bytes', 'ES256'] as const),
      { publicKey: Buffer.from(spki(p256.publicKey)), privateKey: Buffer.from(pkcs8(p256.privateKey)) },
    ],
    ['a private key as both', 'ES256', { publicKey: p256.privateKey, privateKey: p256.privateKey }],
    [
      ...(['an encrypted private key', 'RS256'] as const),
      {
        publicKey: spki(rsa.publicKey),
        privateKey: {
          key: rsa.privateKey
            .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
            .toString(),
          passphrase: 'open sesame',
        },
      },
    ],
    ['a name', 'ES256', { ...p256, kid: '2026-01' }],
  ];
  for (const [name, alg, tokenSecret] of good) {
    test(`S24 signs and verifies with ${alg}, given ${name}`, async () => {
      const { header, accessToken, refreshToken, judge, judgeRefresh } = await start({ tokenSecret });
      expect(header).toMatchObject({ alg, typ: 'at+jwt' });
      expect(await judge(accessToken)).toBe('not refused');
      expect(await judgeRefresh(refreshToken)).toBe('not refused');
    });
  }

  const weakRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const bad: [string, unknown][] = [
    ['RSA of 1,024 bits', weakRsa],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['ed25519', generateKeyPairSync('ed25519')],
    ['x25519', generateKeyPairSync('x25519')],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
    ['the private key of another pair', { ...rsa, privateKey: otherRsa.privateKey }],
    ['the private key of another kind', { ...rsa, privateKey: p256.privateKey }],
    ['a public key as private key', { ...rsa, privateKey: rsa.publicKey }],
    [
      'a secret as public key',
      { publicKey: createSecretKey(Buffer.from(SECRET)), privateKey: rsa.privateKey },
    ],
    ['no key but text', { publicKey: 'public', privateKey: 'private' }],
    ['a broken PEM', { publicKey: spki(rsa.publicKey).slice(0, 200), privateKey: pkcs8(rsa.privateKey) }],
    [
      'a broken private PEM',
      { publicKey: spki(rsa.publicKey), privateKey: pkcs8(rsa.privateKey).slice(0, 200) },
    ],
    ['no public key', { privateKey: rsa.privateKey }],
    ['an undefined public key', { publicKey: undefined, privateKey: rsa.privateKey }],
    ['a private key of null', { publicKey: rsa.publicKey, privateKey: null }],
    ['algorithm none', { ...rsa, algorithm: 'none' }],
    ['algorithm HS256', { ...rsa, algorithm: 'HS256' }],
    ['algorithm ES256 for RSA', { ...rsa, algorithm: 'ES256' }],
    ['algorithm RS512', { ...rsa, algorithm: 'RS512' }],
    ['algorithm null', { ...rsa, algorithm: null }],
    ['kid that is a number', { ...rsa, kid: 7 }],
    ['an empty kid', { ...rsa, kid: '' }],
    ['a kid that no header can carry', { ...rsa, kid: 'Schlüssel' }],
    ['a kid of a thousand characters', { ...rsa, kid: 'k'.repeat(1000) }],
    ['an empty object', {}],
    ['a list', [rsa]],
    ['a number', 7],
    ['null', null],
  ];
  for (const [name, tokenSecret] of bad) {
    test(`S24 is refused at the start with ${name}`, () => {
      expect(() => createAccounts({ tokenSecret: tokenSecret as TokenSecret })).toThrow(TypeError);
    });
  }

  test('S46 that cannot be read is not printed', () => {
    try {
      createKeyring({ publicKey: spki(rsa.publicKey), privateKey: 'hunter2-private' });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain('tokenSecret.privateKey');
      expect(String(error)).not.toContain('hunter2');
    }
  });

  test('S24 no HS256 token is good that was signed with the public key as its secret', async () => {
    const { judge, header, payload } = await start({ tokenSecret: rsa });
    for (const secret of [
      ...[spki(rsa.publicKey), spki(rsa.publicKey).trim()],
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    ]) {
      expect(await judge(forge({ ...header, alg: 'HS256' }, payload, secret))).toBe('UNAUTHENTICATED');
      expect(await judge(forge(header, payload, secret))).toBe('UNAUTHENTICATED');
    }
    const der = createSecretKey(rsa.publicKey.export({ type: 'spki', format: 'der' }));
    expect(await judge(forge({ ...header, alg: 'HS256' }, payload, der))).toBe('UNAUTHENTICATED');
  });

  test('S24 one algorithm is pinned to a key: RS256 is not good where PS256 is, nor the reverse', async () => {
    for (const [pinned, other] of [
      ['RS256', 'PS256'],
      ['PS256', 'RS256'],
    ] as const) {
      const { judge, header, payload } = await start({ tokenSecret: { ...rsa, algorithm: pinned } });
      const { kid } = header as { kid: string };
      const sign = (algorithm: 'RS256' | 'PS256'): string =>
        jwt.sign(payload, rsa.privateKey, { algorithm, header: { alg: algorithm, typ: 'at+jwt', kid } });
      expect(await judge(sign(pinned))).toBe('not refused');
      expect(await judge(sign(other))).toBe('UNAUTHENTICATED');
    }
  });

  test('without its private half verifies and signs nothing', async () => {
    const clock = createClock();
    const signer = await start({ tokenSecret: p256, now: clock.now });
    const { server, signUp, logIn, db } = createAccounts({
      tokenSecret: { publicKey: spki(p256.publicKey) },
      useStatelessSession: true,
      now: clock.now,
    });
    expect(await server.resumeRequester(signer.accessToken)).toMatchObject({ user: { id: signer.id } });
    const id = await signUp({ username: 'ada' });
    expect(await codeOf(logIn('ada'))).toBe('FORBIDDEN');
    expect(await db.sessions.findByUser(id)).toEqual([]);
  });
});

describe('S27 keys that are replaced', () => {
  const old = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  const successions: [string, TokenSecret, TokenSecret][] = [
    ['a secret by a secret', SECRET, `${SECRET}, the next one`],
    ['a secret by a pair of keys', SECRET, next],
    ['a pair by a pair of another kind', old, next],
    ['a pair by a secret', old, SECRET],
  ];
  for (const [name, before, after] of successions) {
    test(`${name}: the new signs, the old verifies until it is retired`, async () => {
      const { db, clock, accessToken, refreshToken, header } = await start({ tokenSecret: before });
      const shared = { db, now: clock.now, tokenSecret: after, useStatelessSession: true };
      const retired = before as string;
      const { server: overlap } = createAccounts({ ...shared, tokenVerificationKeys: [retired] });
      expect(await codeOf(() => overlap.resumeRequester(accessToken))).toBe('not refused');
      const { tokens } = await overlap.refreshTokens(accessToken, refreshToken);
      expect(partsOf(tokens.accessToken).header.kid).not.toBe(header.kid);
      const { server: last } = createAccounts(shared);
      expect(await codeOf(() => last.resumeRequester(tokens.accessToken))).toBe('not refused');
      expect(await codeOf(() => last.resumeRequester(accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(last.refreshTokens(tokens.accessToken, refreshToken))).toBe('UNAUTHENTICATED');
    });
  }

  test('each verifies only what carries its name', async () => {
    const { server, clock } = createAccounts({
      useStatelessSession: true,
      tokenSecret: SECRET,
      tokenVerificationKeys: [
        { ...old, kid: 'old' },
        { publicKey: next.publicKey, kid: 'next' },
      ],
    });
    const signer = await start({ tokenSecret: { ...old, kid: 'next' }, now: clock.now });
    expect(await codeOf(() => server.resumeRequester(signer.accessToken))).toBe('UNAUTHENTICATED');
    const named = await start({ tokenSecret: { ...old, kid: 'old' }, now: clock.now });
    expect(await codeOf(() => server.resumeRequester(named.accessToken))).toBe('not refused');
  });

  test('are refused when two have one name, when one is weak, and when they are no list', () => {
    const keys = (tokenVerificationKeys: unknown) => () =>
      createAccounts({ tokenVerificationKeys } as Partial<AccountsServerOptions>);
    expect(keys([SECRET])).toThrow(TypeError);
    expect(
      keys([
        { ...old, kid: 'x' },
        { ...next, kid: 'x' },
      ]),
    ).toThrow(TypeError);
    expect(keys(['short'])).toThrow(TypeError);
    expect(keys([undefined])).toThrow(TypeError);
    expect(keys(`${SECRET} and more`)).toThrow(TypeError);
    expect(keys({ old })).toThrow(TypeError);
    expect(keys(null)).toThrow(TypeError);
  });
});

describe('S25 a secret stops the start', () => {
  const weak: [string, unknown][] = [
    ['that is undefined', undefined],
    ['that is null', null],
    ['that is empty', ''],
    ['of 31 bytes', 'x'.repeat(31)],
    ['of 16 characters', 'correct horse ba'],
    ['from the documentation of accounts-js', 'my-super-random-secret'],
    ['that is the default of accounts-js', 'secret'],
    ['from jwt.io', 'a-string-secret-at-least-256-bits-long'],
    ['from jwt.io, as it was', 'your-256-bit-secret-your-256-bit-secret'],
    ['from the documentation of Supabase', 'your-super-secret-jwt-token-with-at-least-32-characters-long'],
    ['that is bytes', Buffer.alloc(32)],
  ];
  for (const [name, tokenSecret] of weak) {
    test(name, () => {
      expect(() => createAccounts({ tokenSecret: tokenSecret as TokenSecret })).toThrow(TypeError);
    });
  }

  test('unless it has 32 bytes, not characters', () => {
    expect(() => createAccounts({ tokenSecret: 'ä'.repeat(16) })).not.toThrow();
  });
});

describe('createJwtPayload', () => {
  test('gets what accounts-js gave it, and what it answers joins the access token alone', async () => {
    const asked: unknown[] = [];
    const createJwtPayload = (...args: unknown[]) => {
      asked.push(args);
      return { role: 'reader', nested: { list: [1, null, 'ü😀'] } };
    };
    const { payload, refresh, id, sessionId } = await start({ createJwtPayload });
    expect(asked).toEqual([
      [
        { token: sessionId, userId: id, isImpersonated: false },
        expect.objectContaining({ id, username: 'ada' }),
      ],
    ]);
    expect(payload).toMatchObject({ role: 'reader', nested: { list: [1, null, 'ü😀'] } });
    expect(refresh.payload).not.toHaveProperty('role');
  });

  test('S26 cannot set what is ours', async () => {
    const evil = 'evil';
    const { payload, id, sessionId, seconds, server, accessToken } = await start({
      createJwtPayload: async () => ({
        iss: evil,
        sub: evil,
        aud: evil,
        exp: 9e9,
        nbf: 9e9,
        iat: 1,
        jti: evil,
        act: { sub: evil },
        sid: evil,
        auth_time: 9e9,
        amr: ['pwd', 'otp', 'mfa'],
        data: { userId: evil },
        toJSON: () => ({ sub: evil }),
        ['__proto__']: { sub: evil },
        id: evil,
        mine: 1,
      }),
    });
    expect(payload).toEqual({
      iss: 'graphql-accounts',
      aud: 'graphql-accounts',
      sub: id,
      sid: sessionId,
      mine: 1,
      id: evil,
      iat: seconds,
      exp: seconds + 900,
      jti: expect.any(String),
      auth_time: seconds,
      amr: ['pwd'],
      data: { token: sessionId, userId: id, isImpersonated: false },
    });
    expect(await server.resumeRequester(accessToken)).toMatchObject({ user: { id, mine: 1 } });
  });

  test('runs again at every refresh', async () => {
    let role = 'reader';
    const { server, accessToken, refreshToken } = await start({ createJwtPayload: () => ({ role }) });
    role = 'writer';
    const { tokens } = await server.refreshTokens(accessToken, refreshToken);
    expect(partsOf(tokens.accessToken).payload).toMatchObject({ role: 'writer' });
  });

  const failures: [string, () => unknown][] = [
    ['throws', () => failWith(new Error('hunter2'))],
    ['rejects', async () => failWith(new Error('hunter2'))],
    ['throws text', () => failWith('hunter2')],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers text', () => 'hunter2'],
    ['answers a list', () => [{ role: 'hunter2' }]],
    ['answers a number', async () => 7],
    ['answers what JSON cannot hold', () => ({ hunter2: 7n })],
    ['answers too much for a token', () => ({ hunter2: 'x'.repeat(10_000) })],
  ];
  for (const [name, createJwtPayload] of failures) {
    test(`that ${name} is INTERNAL_SERVER_ERROR, tells nothing, and leaves no session`, async () => {
      const { server, db, signUp, logIn, errors } = createAccounts({
        createJwtPayload: createJwtPayload as () => Record<string, unknown>,
      });
      const id = await signUp({ username: 'ada' });
      const error = await logIn('ada').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AccountsError);
      expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' });
      expect(await codeOf(server.loginWithUser({ id }))).toBe('INTERNAL_SERVER_ERROR');
      expect(errors).toHaveLength(2);
      expect(await db.sessions.findByUser(id)).toEqual([]);
    });
  }

  test('that fails at a refresh uses no refresh token up, however long it does', async () => {
    let works = true;
    const { server, clock, accessToken, refreshToken } = await start({
      createJwtPayload: () => (works ? {} : failWith(new Error('the role service is down'))),
    });
    works = false;
    expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('INTERNAL_SERVER_ERROR');
    clock.pass(10 * MINUTE);
    expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('INTERNAL_SERVER_ERROR');
    works = true;
    const { tokens } = await server.refreshTokens(accessToken, refreshToken);
    expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe('not refused');
  });

  test('that answers too much at a refresh uses no refresh token up', async () => {
    let claims = {};
    const { server, accessToken, refreshToken } = await start({ createJwtPayload: () => claims });
    claims = { roles: 'x'.repeat(10_000) };
    expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('INTERNAL_SERVER_ERROR');
    claims = {};
    const { tokens } = await server.refreshTokens(accessToken, refreshToken);
    expect(partsOf(tokens.refreshToken).payload).toMatchObject({ rot: 2 });
  });

  test('that refuses with an AccountsError is heard', async () => {
    const { signUp, logIn } = createAccounts({
      createJwtPayload: () => failWith(new AccountsError('FORBIDDEN')),
    });
    await signUp({ username: 'ada' });
    expect(await codeOf(logIn('ada'))).toBe('FORBIDDEN');
  });
});

describe('the verified tokens that are remembered', () => {
  const create = () => {
    const clock = createClock();
    const audience = { issuer: 'i', audience: 'a' };
    const tokens = new Tokens({
      keyring: createKeyring(SECRET),
      access: audience,
      refresh: audience,
      now: clock.now,
    });
    const sign = (custom: Record<string, unknown> = {}): string =>
      tokens.sign({
        userId: 'u',
        sessionId: 's',
        rotation: 1,
        actorUserId: null,
        authenticatedAt: clock.now(),
        amr: ['pwd'],
        custom,
        accessExpiresAt: clock.now() + MINUTE,
        refreshExpiresAt: clock.now() + MINUTE,
      }).accessToken;
    return { clock, tokens, sign };
  };

  test('S57 are no more than 10,000, and the newest is among them', () => {
    const { tokens, sign } = create();
    for (let count = 0; count < 10_000; count++) tokens.verifyAccess(sign());
    expect(tokens.remembered).toBe(10_000);
    const [older, newest] = [sign(), sign()];
    const claims = tokens.verifyAccess(older);
    expect(tokens.verifyAccess(newest)).toBe(tokens.verifyAccess(newest));
    expect(tokens.verifyAccess(older)).toBe(claims);
    // The oldest go by the thousand.
    expect(tokens.remembered).toBe(9_002);
  });

  test('S57 are none of what was refused', () => {
    const { tokens, sign } = create();
    for (let count = 0; count < 100; count++) expect(() => tokens.verifyAccess(`${sign()}A`)).toThrow();
    expect(tokens.remembered).toBe(0);
  });

  test('are forgotten when they have expired, and never remembered after', async () => {
    const { tokens, sign, clock } = create();
    const token = sign();
    tokens.verifyAccess(token);
    expect(tokens.remembered).toBe(1);
    clock.pass(MINUTE);
    expect(await codeOf(() => tokens.verifyAccess(token))).toBe('UNAUTHENTICATED');
    expect(tokens.remembered).toBe(0);
    expect(tokens.verifyAccess(token, { ignoreExpiration: true })).toMatchObject({ userId: 'u' });
    expect(await codeOf(() => tokens.verifyAccess(token))).toBe('UNAUTHENTICATED');
    expect(tokens.remembered).toBe(0);
  });

  test('cannot be changed by whoever was given them', () => {
    const { tokens, sign } = create();
    const claims = tokens.verifyAccess(sign({ role: 'reader' }));
    expect(() => Object.assign(claims, { userId: 'eve' })).toThrow(TypeError);
    expect(() => Object.assign(claims.custom, { role: 'admin' })).toThrow(TypeError);
  });
});

function failWith(error: unknown): never {
  throw error;
}
