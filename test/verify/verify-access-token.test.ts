import { generateKeyPairSync, type KeyObject, sign, webcrypto } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/core/time.ts';
import { AccountsError, type AccountsServerOptions } from '../../src/index.ts';
import { type AccessTokenKey, type VerifyOptions, verifyAccessToken } from '../../src/verify/index.ts';
import { codeOf, createAccounts, SECRET } from '../accounts.ts';
import { byKey, bySecret, craftedTokens, encode, forge, partsOf, type Signer } from './fixtures/crafted.ts';

type TokenSecret = AccountsServerOptions['tokenSecret'];

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherP256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });
const byPss: Signer = (signed) =>
  sign('sha256', Buffer.from(signed), { key: rsa.privateKey, padding: 6, saltLength: 32 });

/** Stateless, so that the server judges nothing but the token itself, and tokens of it. */
async function start(options: Partial<AccountsServerOptions> = {}) {
  const accounts = createAccounts({ useStatelessSession: true, ...options });
  const id = await accounts.signUp({ username: 'ada' });
  const { tokens, sessionId } = await accounts.logIn('ada');
  const { now } = accounts.clock;
  return {
    ...accounts,
    ...tokens,
    id,
    sessionId,
    now,
    judge: (token: unknown) => codeOf(() => accounts.server.resumeRequester(token as string)),
  };
}

/** What an attacker may have instead of the key: what is public, and keys of their own. */
const strangers = {
  'the public key as a secret': bySecret(spki(rsa.publicKey)),
  'the public key in bytes as a secret': bySecret(rsa.publicKey.export({ type: 'spki', format: 'der' })),
  'another public key as a secret': bySecret(spki(p256.publicKey)),
  'an empty secret': bySecret(''),
  'another secret': bySecret(`${SECRET}!`),
  'another RSA key': byKey(otherRsa.privateKey),
  'another P-256 key': byKey(otherP256.privateKey),
};

const ways: {
  alg: string;
  tokenSecret: TokenSecret;
  signer: Signer;
  keys: { [as: string]: AccessTokenKey };
}[] = [
  { alg: 'HS256', tokenSecret: SECRET, signer: bySecret(SECRET), keys: { secret: SECRET } },
  {
    alg: 'RS256',
    tokenSecret: rsa,
    signer: byKey(rsa.privateKey),
    keys: {
      PEM: spki(rsa.publicKey),
      JWK: jwk(rsa.publicKey),
      'private JWK': jwk(rsa.privateKey),
      'PEM with names': { publicKey: spki(rsa.publicKey), algorithm: 'RS256' },
    },
  },
  {
    alg: 'PS256',
    tokenSecret: { ...rsa, algorithm: 'PS256' },
    signer: byPss,
    keys: {
      PEM: { publicKey: spki(rsa.publicKey), algorithm: 'PS256' },
      JWK: { ...jwk(rsa.publicKey), alg: 'PS256' },
    },
  },
  {
    alg: 'ES256',
    tokenSecret: { ...p256, kid: '2026-01' },
    signer: byKey(p256.privateKey),
    keys: {
      PEM: { publicKey: `\n${spki(p256.publicKey).replaceAll('\n', '\r\n')}`, kid: '2026-01' },
      JWK: { ...jwk(p256.publicKey), kid: '2026-01', use: 'sig', key_ops: ['verify'] },
    },
  },
];

for (const { alg, tokenSecret, signer, keys } of ways) {
  test(`S24, S26 says of each crafted token what the server says, with ${alg}`, async () => {
    const { judge, now, accessToken, refreshToken, server } = await start({ tokenSecret });
    const { good, bad } = craftedTokens({ accessToken, refreshToken, signer, strangers });
    expect(good.length + bad.length).toBeGreaterThan(150);
    const [first] = Object.values(keys);
    const options: VerifyOptions[] = [{ key: first, now }];
    if (alg !== 'HS256') options.push({ jwks: server.jwks(), now });
    for (const [verdict, tokens] of [
      ['not refused', good],
      ['UNAUTHENTICATED', bad],
    ] as const) {
      for (const [name, token] of tokens) {
        const verdicts = options.map((option) => codeOf(verifyAccessToken(token, option)));
        const all = await Promise.all([judge(token), ...verdicts]);
        expect([name, ...all]).toEqual([name, ...all.map(() => verdict)]);
      }
    }
  });

  for (const [as, key] of Object.entries(keys)) {
    test(`S26 finds the key of ${alg} by the name that the server gives it, given as ${as}`, async () => {
      const { now, accessToken, id } = await start({ tokenSecret });
      expect(await verifyAccessToken(accessToken, { key, now })).toMatchObject({ userId: id });
    });
  }
}

describe('an access token', () => {
  test('says who it is, how and until when', async () => {
    const createJwtPayload = () => ({ roles: ['reader'], sub: 'eve' });
    const { accessToken, now, id, sessionId } = await start({ createJwtPayload });
    const claims = await verifyAccessToken(accessToken, { key: SECRET, now });
    expect(claims).toEqual({
      userId: id,
      sessionId,
      actorUserId: null,
      authenticatedAt: now(),
      amr: ['pwd'],
      expiresAt: now() + 15 * MINUTE,
      issuedAt: now(),
      issuer: 'graphql-accounts',
      audience: ['graphql-accounts'],
      tokenId: partsOf(accessToken).payload.jti,
      custom: { roles: ['reader'] },
    });
    expect(Object.isFrozen(claims)).toBe(true);
  });

  test('S42 says who impersonates', async () => {
    const { accessToken, server, signUp, now, id } = await start({ impersonationAuthorize: () => true });
    const eve = await signUp({ username: 'eve' });
    const { tokens } = await server.impersonate(accessToken, { userId: eve }, {});
    const claims = await verifyAccessToken(tokens?.accessToken, { key: SECRET, now });
    expect(claims).toMatchObject({ userId: eve, actorUserId: id });
  });

  test('S17 expires by the injected clock', async () => {
    const { accessToken, now, clock } = await start();
    clock.pass(15 * MINUTE - 1);
    expect(await codeOf(verifyAccessToken(accessToken, { key: SECRET, now }))).toBe('not refused');
    clock.pass(1);
    const refusal = await verifyAccessToken(accessToken, { key: SECRET, now }).catch(
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(AccountsError);
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', message: 'The access token has expired.' });
  });

  test('S26 is for the issuer and the audience that the verifier names', async () => {
    const accessToken = { issuer: 'https://accounts.example', audience: ['shop', 'blog'] };
    const { accessToken: token, now } = await start({ tokenConfigs: { accessToken } });
    const judge = (options: VerifyOptions) =>
      codeOf(verifyAccessToken(token, { key: SECRET, now, ...options }));
    const { issuer } = accessToken;
    expect(await judge({ issuer, audience: 'shop' })).toBe('not refused');
    expect(await judge({ issuer, audience: ['mail', 'blog'] })).toBe('not refused');
    expect(await judge({ issuer, audience: 'mail' })).toBe('UNAUTHENTICATED');
    expect(await judge({ issuer })).toBe('UNAUTHENTICATED');
    expect(await judge({ audience: 'shop' })).toBe('UNAUTHENTICATED');
    expect(await judge({ issuer: `${issuer}/`, audience: 'shop' })).toBe('UNAUTHENTICATED');
  });

  test('S27 is verified by any of several keys while they change, each by its own algorithm', async () => {
    const old = await start();
    const next = await start({ tokenSecret: p256, tokenVerificationKeys: [SECRET] });
    const key = [SECRET, spki(p256.publicKey)];
    expect(await codeOf(verifyAccessToken(old.accessToken, { key, now: old.now }))).toBe('not refused');
    expect(await codeOf(verifyAccessToken(next.accessToken, { key, now: old.now }))).toBe('not refused');
    expect(await codeOf(verifyAccessToken(next.accessToken, { key: SECRET, now: old.now }))).toBe(
      'UNAUTHENTICATED',
    );
    const { header, payload } = partsOf(next.accessToken);
    const confused = forge({ ...header, alg: 'HS256' }, payload, bySecret(SECRET));
    expect(await codeOf(verifyAccessToken(confused, { key, now: old.now }))).toBe('UNAUTHENTICATED');
  });

  test('S46 is not in what it is refused with', async () => {
    const { accessToken, now } = await start();
    const broken = `${accessToken.slice(0, -3)}AAA`;
    const refusal = await verifyAccessToken(broken, { key: SECRET, now }).catch((error: unknown) => error);
    const told = JSON.stringify([
      String(refusal),
      (refusal as Error).stack,
      refusal,
      (refusal as Error).cause,
    ]);
    for (const part of [...broken.split('.'), SECRET]) expect(told).not.toContain(part);
  });
});

describe('a CryptoKey', () => {
  const imported = (algorithm: object, extractable = true) =>
    webcrypto.subtle.importKey(
      'spki',
      rsa.publicKey.export({ type: 'spki', format: 'der' }),
      algorithm as webcrypto.RsaHashedImportParams,
      extractable,
      ['verify'],
    ) as Promise<CryptoKey>;

  test('verifies by what it is for', async () => {
    const { accessToken, now } = await start({ tokenSecret: rsa });
    const pss = await start({ tokenSecret: { ...rsa, algorithm: 'PS256' } });
    const pkcs1Key = await imported({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' });
    const pssKey = await imported({ name: 'RSA-PSS', hash: 'SHA-256' });
    expect(await codeOf(verifyAccessToken(accessToken, { key: pkcs1Key, now }))).toBe('not refused');
    expect(await codeOf(verifyAccessToken(pss.accessToken, { key: pssKey, now }))).toBe('not refused');
    expect(await codeOf(verifyAccessToken(accessToken, { key: pssKey, now }))).toBe('UNAUTHENTICATED');
    expect(await codeOf(verifyAccessToken(pss.accessToken, { key: pkcs1Key, now }))).toBe('UNAUTHENTICATED');
  });

  test('that cannot be exported needs a kid', async () => {
    const { accessToken, now } = await start({ tokenSecret: { ...rsa, kid: 'mine' } });
    const key = await imported({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false);
    await expect(verifyAccessToken(accessToken, { key, now })).rejects.toThrow(/needs a kid/);
    const named = { publicKey: key, kid: 'mine' };
    expect(await codeOf(verifyAccessToken(accessToken, { key: named, now }))).toBe('not refused');
  });

  test('S24 for another hash is refused', async () => {
    const key = await imported({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' });
    await expect(verifyAccessToken('', { key })).rejects.toThrow(TypeError);
  });
});

const pem = (name: string, key: KeyObject, type: 'pkcs1' | 'pkcs8'): [string, unknown] => [
  name,
  { key: key.export({ type, format: 'pem' } as never).toString() },
];
const misuse: [string, unknown][] = [
  ['nothing', undefined],
  ['neither key nor jwks', {}],
  ['an undefined key', { key: undefined }],
  ['both', { key: SECRET, jwks: { keys: [] } }],
  ['an unknown option', { key: SECRET, algorithms: ['none'] }],
  ['an empty issuer', { key: SECRET, issuer: '' }],
  ['no audience', { key: SECRET, audience: [] }],
  ['a clock that stands', { key: SECRET, now: 7 }],
  ['no key at all', { key: [] }],
  ['an empty secret', { key: '' }],
  ['S25 a secret of 31 bytes', { key: 'x'.repeat(31) }],
  ['S25 a known default', { key: 'your-256-bit-secret-your-256-bit-secret' }],
  ['a secret with an algorithm', { key: { publicKey: SECRET, algorithm: 'HS256' } }],
  ['a secret as a JWK', { key: { kty: 'oct', k: encode(SECRET) } }],
  pem('a private key', rsa.privateKey, 'pkcs8'),
  pem('a public key of PKCS #1', rsa.publicKey, 'pkcs1'),
  ['a broken PEM', { key: spki(rsa.publicKey).slice(0, 200) }],
  ['RSA of 1,024 bits', { key: spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }],
  ['P-384', { key: spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }],
  ['Ed25519', { key: spki(generateKeyPairSync('ed25519').publicKey) }],
  ['Ed25519 as a JWK', { key: jwk(generateKeyPairSync('ed25519').publicKey) }],
  ['algorithm none', { key: { publicKey: spki(rsa.publicKey), algorithm: 'none' } }],
  ['algorithm HS256 for a public key', { key: { publicKey: spki(rsa.publicKey), algorithm: 'HS256' } }],
  ['algorithm ES256 for RSA', { key: { ...jwk(rsa.publicKey), alg: 'ES256' } }],
  ['a key that encrypts', { key: { ...jwk(rsa.publicKey), use: 'enc' } }],
  ['a kid that is a number', { key: { publicKey: spki(rsa.publicKey), kid: 7 } }],
  ['a KeyObject', { key: rsa.publicKey }],
  ['a jwks of another protocol', { jwks: 'file:///etc/passwd' }],
  ['a jwks that is no URL', { jwks: '/jwks.json' }],
  ['a jwks without keys', { jwks: {} }],
  ['a jwks that is null', { jwks: null }],
];
for (const [name, options] of misuse) {
  test(`${name} is a TypeError, whatever the token`, async () => {
    const { accessToken } = await start();
    for (const token of [accessToken, 'x', undefined]) {
      await expect(verifyAccessToken(token, options as VerifyOptions)).rejects.toThrow(TypeError);
    }
  });
}

test('S24 the text of a public key is no secret for the server either: everybody could sign with it', () => {
  for (const tokenSecret of [spki(rsa.publicKey), `\n${spki(p256.publicKey)}`]) {
    expect(() => createAccounts({ tokenSecret })).toThrow(/is a key in PEM/);
    expect(() => createAccounts({ tokenVerificationKeys: [tokenSecret] })).toThrow(/is a key in PEM/);
  }
});
