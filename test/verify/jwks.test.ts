import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import type { AccountsServerOptions } from '../../src/index.ts';
import { type VerifyOptions, verifyAccessToken } from '../../src/verify/index.ts';
import { codeOf, createAccounts, createClock, SECRET } from '../accounts.ts';
import { bySecret, encode, forge, partsOf } from './fixtures/crafted.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });

async function tokenOf(options: Partial<AccountsServerOptions>) {
  const accounts = createAccounts({ useStatelessSession: true, ...options });
  await accounts.signUp({ username: 'ada' });
  const { tokens } = await accounts.logIn('ada');
  return { ...accounts, token: tokens.accessToken };
}

describe('S27 the public keys of a server', () => {
  test('are those that verify its tokens, with their names and algorithms, and nothing that is private', () => {
    const tokenSecret = { ...rsa, algorithm: 'PS256', kid: 'new' } as const;
    const { server } = createAccounts({
      tokenSecret,
      tokenVerificationKeys: [{ publicKey: p256.publicKey }],
    });
    const { kty, n, e } = jwk(rsa.publicKey);
    expect(server.jwks()).toEqual({
      keys: [
        { kty, n, e, kid: 'new', alg: 'PS256', use: 'sig' },
        { ...jwk(p256.publicKey), kid: expect.stringMatching(/^[\w-]{22}$/), alg: 'ES256', use: 'sig' },
      ],
    });
  });

  test('are none where secrets sign, and a secret beside a public key is not among them', () => {
    expect(createAccounts().server.jwks()).toEqual({ keys: [] });
    const { server } = createAccounts({ tokenSecret: p256, tokenVerificationKeys: [SECRET] });
    expect(server.jwks().keys).toHaveLength(1);
    expect(JSON.stringify(server.jwks())).not.toMatch(/"(d|k|p|q)"/);
  });

  test('are known to a server that only verifies', () => {
    const { server } = createAccounts({ tokenSecret: { publicKey: p256.publicKey }, micro: true });
    expect(server.jwks().keys).toHaveLength(1);
  });
});

/** Somebody who serves a JWKS: what is answered, and how often was asked. */
function host(first: unknown) {
  const state = { body: first, status: 200, asked: 0, down: false };
  const fetcher: typeof fetch = async () => {
    state.asked += 1;
    if (state.down) throw new TypeError('fetch failed');
    const body = typeof state.body === 'string' ? state.body : JSON.stringify(state.body);
    return new Response(body, { status: state.status });
  };
  return { state, fetch: fetcher };
}

async function start(options: Partial<AccountsServerOptions> = { tokenSecret: p256 }) {
  const accounts = await tokenOf(options);
  const { state, fetch } = host(accounts.server.jwks());
  // The token of the first second is looked at with a clock of the verifier's own.
  const clock = createClock();
  const verifier: VerifyOptions = { jwks: 'https://accounts.example/jwks.json', fetch, now: clock.now };
  const fresh = async () => {
    const { tokens } = await accounts.logIn('ada');
    return tokens.accessToken;
  };
  return {
    ...accounts,
    state,
    pass: (time: number) => {
      clock.pass(time);
      accounts.clock.pass(time);
    },
    judge: (token: unknown) => codeOf(verifyAccessToken(token, verifier)),
    fresh,
  };
}

describe('S27 a JWKS behind a URL', () => {
  test('is fetched once for many tokens, also for those that come at once', async () => {
    const { judge, fresh, state } = await start();
    const tokens = await Promise.all(Array.from({ length: 20 }, fresh));
    const verdicts = await Promise.all(tokens.map(judge));
    expect(new Set(verdicts)).toEqual(new Set(['not refused']));
    expect(state.asked).toBe(1);
  });

  test('is fetched again after ten minutes: a key that was taken back is not believed for longer', async () => {
    const { judge, fresh, state, pass } = await start();
    expect(await judge(await fresh())).toBe('not refused');
    state.body = { keys: [] };
    pass(10 * MINUTE - 1);
    expect(await judge(await fresh())).toBe('not refused');
    pass(1);
    expect(await judge(await fresh())).toBe('UNAUTHENTICATED');
    expect(state.asked).toBe(2);
  });

  test('is fetched again for a new name, once in 30 seconds however many there are', async () => {
    const { judge, state, pass, token } = await start();
    const next = await tokenOf({ tokenSecret: rsa });
    expect(await judge(token)).toBe('not refused');
    state.body = next.server.jwks();
    expect(await judge(next.token)).toBe('UNAUTHENTICATED');
    const { header, payload } = partsOf(token);
    const madeUp = Array.from({ length: 50 }, (_, i) =>
      forge({ ...header, kid: `made up ${i}` }, payload, bySecret('x')),
    );
    await Promise.all(madeUp.map(judge));
    expect(state.asked).toBe(1);
    pass(30 * SECOND);
    await Promise.all(madeUp.map(judge));
    expect(state.asked).toBe(2);
    expect(await judge(next.token)).toBe('not refused');
    expect(await judge(token)).toBe('UNAUTHENTICATED');
  });

  test('changes without a token refused: the next key is shown before it signs, the last one after', async () => {
    const before = { tokenSecret: p256, tokenVerificationKeys: [{ publicKey: rsa.publicKey }] };
    const { judge, state, token } = await start(before);
    expect(await judge(token)).toBe('not refused');
    const after = { tokenSecret: rsa, tokenVerificationKeys: [{ publicKey: p256.publicKey }] };
    const next = await tokenOf(after);
    expect(await judge(next.token)).toBe('not refused');
    expect(await judge(token)).toBe('not refused');
    expect(state.asked).toBe(1);
  });

  test('is not fetched for what cannot be a token of ours', async () => {
    const { judge, state, token } = await start();
    const { header, payload } = partsOf(token);
    const others = ['x', '', undefined, forge({ ...header, typ: 'JWT' }, payload, bySecret('x'))];
    for (const other of others) expect(await judge(other)).toBe('UNAUTHENTICATED');
    expect(state.asked).toBe(0);
  });

  test('S55 that cannot be had is SERVICE_UNAVAILABLE, asked for again after 5 seconds, and keys live on for an hour', async () => {
    const { judge, fresh, state, pass } = await start();
    state.down = true;
    for (let attempt = 0; attempt < 5; attempt++)
      expect(await judge(await fresh())).toBe('SERVICE_UNAVAILABLE');
    expect(state.asked).toBe(1);
    state.down = false;
    pass(5 * SECOND);
    expect(await judge(await fresh())).toBe('not refused');
    state.down = true;
    pass(HOUR - 1);
    expect(await judge(await fresh())).toBe('not refused');
    pass(1);
    expect(await judge(await fresh())).toBe('SERVICE_UNAVAILABLE');
  });

  test('S55 that cannot be had does not let anybody in, and does not tell whose fault it is', async () => {
    const { judge, state, token, pass } = await start();
    expect(await judge(token)).toBe('not refused');
    state.down = true;
    pass(10 * MINUTE);
    const { header, payload } = partsOf(token);
    const forged = forge(header, payload, bySecret('x'));
    expect(await judge(forged)).toBe('UNAUTHENTICATED');
    expect(await judge(forge({ ...header, kid: 'new' }, payload, bySecret('x')))).toBe('SERVICE_UNAVAILABLE');
  });

  const broken: [string, { body?: unknown; status?: number }][] = [
    ['no JSON', { body: '<html>' }],
    ['no object', { body: 'null' }],
    ['no list', { body: { keys: {} } }],
    ['a redirect', { status: 302 }],
    ['not there', { status: 404 }],
    ['over 64 KB', { body: { keys: [], more: 'x'.repeat(64 * 1024) } }],
  ];
  for (const [name, answer] of broken) {
    test(`that is ${name} is SERVICE_UNAVAILABLE`, async () => {
      const { judge, state, token } = await start();
      Object.assign(state, answer);
      expect(await judge(token)).toBe('SERVICE_UNAVAILABLE');
    });
  }

  test('S24 gives nobody a secret to sign with, and no key another algorithm than its own', async () => {
    const { judge, state, token } = await start({ tokenSecret: { ...rsa, kid: 'k' } });
    const { header, payload } = partsOf(token);
    const bySecretOf = (secret: string) => forge({ ...header, alg: 'HS256' }, payload, bySecret(secret));
    state.body = { keys: [{ kty: 'oct', k: encode(SECRET), kid: 'k', alg: 'HS256' }] };
    expect(await judge(bySecretOf(SECRET))).toBe('UNAUTHENTICATED');
    for (const alg of ['PS256', 'RS512', 'HS256', 'none', 7]) {
      const other = await start({ tokenSecret: { ...rsa, kid: 'k' } });
      other.state.body = { keys: [{ ...jwk(rsa.publicKey), kid: 'k', alg }] };
      expect([alg, await other.judge(other.token)]).toEqual([alg, 'UNAUTHENTICATED']);
    }
  });

  test('may hold keys that are for somebody else, or broken: they have no say', async () => {
    const { judge, state, token, server } = await start();
    const others = [null, 7, {}, { kty: 'OKP', crv: 'Ed25519', x: 'x' }, { kty: 'RSA', n: 'x', e: 'AQAB' }];
    state.body = { keys: [...others, ...server.jwks().keys] };
    expect(await judge(token)).toBe('not refused');
  });

  test('of a real server is fetched by the runtime', async () => {
    const { server, token, clock } = await tokenOf({ tokenSecret: rsa });
    const asked: unknown[] = [];
    const http = createServer((req, res) => {
      asked.push(req.url);
      if (req.url === '/moved') return void res.writeHead(302, { location: '/.well-known/jwks.json' }).end();
      res.end(JSON.stringify(server.jwks()));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = http.address() as AddressInfo;
      const jwks = new URL(`http://127.0.0.1:${port}/.well-known/jwks.json`);
      for (let times = 0; times < 3; times++) {
        expect(await codeOf(verifyAccessToken(token, { jwks, now: clock.now }))).toBe('not refused');
      }
      expect(asked).toEqual(['/.well-known/jwks.json']);
      const moved = `http://127.0.0.1:${port}/moved`;
      expect(await codeOf(verifyAccessToken(token, { jwks: moved, now: clock.now }))).toBe(
        'SERVICE_UNAVAILABLE',
      );
    } finally {
      http.closeAllConnections();
      http.close();
    }
  });
});
