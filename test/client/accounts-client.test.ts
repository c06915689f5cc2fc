import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { generate } from 'otplib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  AccountsClientError,
  type AccountsClientOptions,
  browserStorage,
  createAccountsClient,
  memoryStorage,
  type TokenStorage,
} from '../../src/client/index.ts';
import { HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import {
  type AccountsContext,
  AccountsServer,
  type AccountsServerOptions,
  accountsModule,
  authDirective,
  magicLink,
  password,
  twoFactor,
  useAccounts,
} from '../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../accounts.ts';

const EMAIL = 'ada@example.com';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A gateway on a port of its own, and what makes clients of it. */
async function start(options: Partial<AccountsServerOptions> = {}) {
  const clock = createClock();
  const mails: { text: string }[] = [];
  const server = new AccountsServer(
    {
      db: memoryDatabase(),
      tokenSecret: SECRET,
      now: clock.now,
      sendMail: (mail) => mails.push(mail),
      ambiguousErrorMessages: false,
      ...options,
    },
    { password: password(fastHashes), twoFactor: twoFactor(), magicLink: magicLink() },
  );
  const accounts = accountsModule(server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [accounts.typeDefs, authDirectiveTypeDefs, 'type Query { diary: String @auth }'],
      resolvers: [
        accounts.resolvers,
        { Query: { diary: (_: unknown, __: unknown, { userId }: AccountsContext) => `of ${userId}` } },
      ],
    }),
  );
  const yoga = createYoga({ schema, plugins: [useAccounts(server)], logging: false });
  const http = createServer((req, res) => void yoga(req, res));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    http.closeAllConnections();
    http.close();
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`;
  const asked: string[] = [];
  /** What stands between a client and the server. */
  const network = { down: false, answer: null as Response | null };
  const watched: typeof fetch = async (input, init) => {
    asked.push(
      /mutation[^{]*\{ (\w+)|\{ (\w+)/.exec(String(init?.body))?.slice(1).find(Boolean) ?? String(input),
    );
    if (network.down) throw new TypeError('fetch failed');
    return network.answer ?? fetch(input, init);
  };
  const clientWith = (more: Partial<AccountsClientOptions> = {}) =>
    createAccountsClient({ url, now: clock.now, fetch: watched, ...more });
  return {
    ...{ server, clock, mails, url, asked, network, clientWith },
    client: clientWith(),
    count: (operation: string) => asked.filter((name) => name === operation).length,
    linkTo: async (path: string): Promise<string> => {
      await server.settled();
      const token = mails
        .findLast(({ text }) => text.includes(`/${path}/`))
        ?.text.match(`/${path}/([\\w-]+)`);
      return token?.[1] ?? expect.unreachable(`no ${path} mail`);
    },
  };
}

async function loggedIn(options: Partial<AccountsServerOptions> = {}) {
  const gateway = await start(options);
  await gateway.client.signUp({ email: EMAIL, password: PASSWORD });
  const user = await gateway.client.login({ email: EMAIL, password: PASSWORD });
  return { ...gateway, user };
}

const refusal = async (call: Promise<unknown>): Promise<AccountsClientError> => {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof AccountsClientError) return error;
  throw new Error(`not refused with an error of the client: ${error}`);
};

describe('a client', () => {
  test('signs up, logs in, knows who is there and logs out', async () => {
    const { client, server } = await start();
    const heard: boolean[] = [];
    const stop = client.subscribe((loggedIn) => heard.push(loggedIn));
    expect(await client.getUser()).toBeNull();
    const { userId, loggedIn: atOnce } = await client.signUp({
      email: EMAIL,
      username: 'ada',
      password: PASSWORD,
    });
    expect(atOnce).toBe(false);
    const user = await client.login({ username: 'ada', password: PASSWORD });
    expect(user).toEqual({ id: userId, username: 'ada', emails: [{ address: EMAIL, verified: false }] });
    expect(await client.getUser()).toEqual(user);
    expect(await client.request('{ diary }')).toEqual({ diary: `of ${userId}` });
    const accessToken = (await client.accessToken()) ?? '';
    await client.logout();
    await expect(server.resumeSession(accessToken)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([await client.accessToken(), await client.getUser()]).toEqual([null, null]);
    expect(await client.authorizationHeaders()).toEqual({});
    stop();
    await client.login({ username: 'ada', password: PASSWORD });
    expect(heard).toEqual([true, false]);
  });

  test('is logged in by a sign-up with autologin', async () => {
    const { client } = await start({ enableAutologin: true });
    expect(await client.signUp({ email: EMAIL, password: PASSWORD })).toMatchObject({ loggedIn: true });
    expect(await client.getUser()).toMatchObject({ emails: [{ address: EMAIL }] });
  });

  test('gets its errors with their codes, and how long to wait', async () => {
    const { client } = await start();
    const wrong = () => refusal(client.login({ email: EMAIL, password: 'wrong password' }));
    expect(await wrong()).toMatchObject({ code: 'INVALID_CREDENTIALS', retryAfter: null, retryable: false });
    for (let attempt = 0; attempt < 8; attempt++) await wrong();
    expect(await wrong()).toMatchObject({ code: 'RATE_LIMITED', retryAfter: 60 });
    expect(await refusal(client.request('{ diary }'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('gives the code of a second factor in one step, or in two', async () => {
    const { client, server, clock, user } = await loggedIn();
    const { base32 } = await server.services.twoFactor.createSecret(user.id);
    const code = () => generate({ secret: base32 ?? '', epoch: clock.now() / SECOND });
    await server.services.twoFactor.set(user.id, await code());
    const attempt = { email: EMAIL, password: PASSWORD };
    clock.pass(MINUTE);
    const refused = await refusal(client.login(attempt));
    expect(refused).toMatchObject({
      code: 'TWO_FACTOR_REQUIRED',
      extensions: { factors: ['totp', 'recovery'] },
    });
    const token = String(refused.extensions.challenge);
    expect(await client.authenticate('twoFactor', { token, code: await code() })).toMatchObject({
      id: user.id,
    });
    clock.pass(MINUTE);
    expect(await client.login({ ...attempt, code: await code() })).toMatchObject({ id: user.id });
  });

  test('logs in by a mailed link, verifies addresses, and sets passwords', async () => {
    const { client, linkTo, user } = await loggedIn();
    await client.requestEmailVerification(EMAIL);
    await client.verifyEmail(await linkTo('verify-email'));
    expect(await client.getUser()).toMatchObject({ emails: [{ verified: true }] });
    await client.changePassword(PASSWORD, 'another horse battery');
    await client.requestPasswordReset(EMAIL);
    await client.resetPassword(await linkTo('reset-password'), 'yet another horse battery');
    expect(await client.getUser()).toBeNull();
    expect(await client.login({ email: EMAIL, password: 'yet another horse battery' })).toMatchObject({
      id: user.id,
    });
    await client.request('mutation ($email: String!) { requestMagicLinkEmail(email: $email) }', {
      email: EMAIL,
    });
    const token = await linkTo('magic-link');
    expect(await client.authenticate('magicLink', { token })).toMatchObject({ id: user.id });
  });
});

describe('the access token of a client', () => {
  test('is replaced half a minute before it expires, once for all who ask at the same time', async () => {
    const { client, clock, count } = await loggedIn();
    const first = await client.accessToken();
    clock.pass(14.5 * MINUTE - 1);
    expect(await client.accessToken()).toBe(first);
    clock.pass(1);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => client.accessToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(first);
    expect(count('refreshTokens')).toBe(1);
    expect(await client.getUser()).toMatchObject({ emails: [{ address: EMAIL }] });
  });

  test('is replaced at once for who asks for it, once for all who do', async () => {
    const { client, count } = await loggedIn();
    const first = await client.accessToken();
    const tokens = await Promise.all([client.refresh(), client.refresh(), client.refresh()]);
    expect(tokens).toEqual(Array(3).fill(await client.accessToken()));
    expect(tokens).not.toContain(first);
    expect(count('refreshTokens')).toBe(1);
  });

  test('lives by the clock of the device, also when that is a day off', async () => {
    const { clientWith, clock, count } = await loggedIn();
    for (const drift of [-24 * HOUR, 24 * HOUR]) {
      const client = clientWith({ now: () => clock.now() + drift });
      await client.login({ email: EMAIL, password: PASSWORD });
      const before = count('refreshTokens');
      for (let times = 0; times < 3; times++) await client.request('{ diary }');
      expect(count('refreshTokens')).toBe(before);
      clock.pass(15 * MINUTE);
      expect(await client.request('{ diary }')).toEqual({ diary: expect.stringMatching(/^of /) });
      expect(count('refreshTokens')).toBe(before + 1);
    }
  });

  test('is replaced half-way when it lives for less than a minute, not at each call', async () => {
    const { client, clock, count } = await loggedIn({ tokenConfigs: { accessToken: { expiresIn: 20 } } });
    clock.pass(9 * SECOND);
    await client.accessToken();
    expect(count('refreshTokens')).toBe(0);
    clock.pass(SECOND);
    await Promise.all([client.accessToken(), client.accessToken()]);
    await client.accessToken();
    expect(count('refreshTokens')).toBe(1);
  });

  test('S55 stays when the server cannot be reached or is ill, and the session goes on afterwards', async () => {
    const { client, clock, network } = await loggedIn();
    const heard: boolean[] = [];
    client.subscribe((loggedIn) => heard.push(loggedIn));
    const first = await client.accessToken();
    clock.pass(14.9 * MINUTE);
    network.down = true;
    expect(await client.accessToken()).toBe(first);
    clock.pass(MINUTE);
    expect(await refusal(client.accessToken())).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      retryable: true,
    });
    expect(await refusal(client.getUser())).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    network.down = false;
    const graphql = (code: string) =>
      JSON.stringify({ data: null, errors: [{ message: '', extensions: { code } }] });
    const answers: [string, number][] = [
      ['<html>Bad gateway</html>', 502],
      ['', 401],
      ['', 200],
      ['null', 200],
      ['[]', 200],
      ['{"errors":"UNAUTHENTICATED"}', 200],
      ['{"data":{"refreshTokens":null}}', 200],
      [graphql('SERVICE_UNAVAILABLE'), 200],
      [graphql('RATE_LIMITED'), 429],
      [graphql('INTERNAL_SERVER_ERROR'), 500],
    ];
    for (const [body, status] of answers) {
      network.answer = new Response(body, { status });
      expect([body, (await refusal(client.accessToken())).code]).not.toEqual([body, 'UNAUTHENTICATED']);
    }
    network.answer = null;
    expect(await client.getUser()).toMatchObject({ emails: [{ address: EMAIL }] });
    expect(heard).toEqual([]);
  });

  test('is gone when the session was revoked, and that is found out by asking who is there', async () => {
    const { client, server, user } = await loggedIn();
    const heard: boolean[] = [];
    client.subscribe((loggedIn) => heard.push(loggedIn));
    await server.deactivateUser(user.id);
    expect(await client.getUser()).toBeNull();
    expect(await client.accessToken()).toBeNull();
    expect(heard).toEqual([false]);
  });

  test('is gone when the session has ended while nobody was there', async () => {
    const { client, clock } = await loggedIn();
    clock.pass(8 * 24 * HOUR);
    expect(await client.accessToken()).toBeNull();
    expect(await client.refresh()).toBeNull();
  });

  test('does not come back after a logout by a refresh that was on its way', async () => {
    const { client, clock } = await loggedIn();
    clock.pass(HOUR);
    const [, , after] = await Promise.all([client.accessToken(), client.logout(), client.accessToken()]);
    expect(after).not.toBe('');
    expect(await client.accessToken()).toBeNull();
  });

  test('is forgotten at a logout that the server did not hear of, which says so', async () => {
    const { client, network } = await loggedIn();
    network.down = true;
    expect(await refusal(client.logout())).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await client.accessToken()).toBeNull();
    await client.logout();
  });

  test('S21 ends its session by a logout after it has expired', async () => {
    const { client, server, clock, user } = await loggedIn();
    const ended: string[] = [];
    server.on('LogoutSuccess', ({ userId }) => ended.push(String(userId)));
    clock.pass(HOUR);
    await client.logout();
    expect(ended).toEqual([user.id]);
  });
});

describe('the fetch of a client', () => {
  test('carries the token to its own server, refreshed in time', async () => {
    const { client, clock, url, user } = await loggedIn();
    clock.pass(HOUR);
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ diary }' }),
    };
    const { fetch } = client;
    const mine = { data: { diary: `of ${user.id}` } };
    expect(await (await fetch(url, init)).json()).toEqual(mine);
    expect(await (await fetch(new URL(url), init)).json()).toEqual(mine);
    expect(await (await fetch(new Request(url, init))).json()).toEqual(mine);
  });

  test('carries it nowhere else, and replaces no header that is there', async () => {
    const { clientWith, url } = await loggedIn();
    const seen: (string | null)[] = [];
    const storage = memoryStorage();
    const spy: typeof fetch = async (input, init) => {
      seen.push(new Headers(init?.headers).get('authorization'));
      return seen.length === 1 ? fetch(input, init) : new Response('{}');
    };
    const client = clientWith({ fetch: spy, storage });
    await client.login({ email: EMAIL, password: PASSWORD });
    const { port } = new URL(url);
    await client.fetch('https://evil.example/graphql');
    await client.fetch(`http://127.0.0.1:${Number(port) + 1}/graphql`);
    await client.fetch(`http://localhost:${port}/graphql`);
    await client.fetch(`https://127.0.0.1:${port}/graphql`);
    await client.fetch(url, { headers: { Authorization: 'Basic mine' } });
    await client.fetch(`http://127.0.0.1:${port}/other`);
    const own = `Bearer ${(await storage.get())?.accessToken}`;
    expect(seen).toEqual([null, null, null, null, null, 'Basic mine', own]);
  });
});

describe('what a client is made with', () => {
  test('more headers, asked for each time', async () => {
    const { url } = await start();
    const seen: unknown[] = [];
    const spy: typeof fetch = async (input, init) => {
      seen.push([new Headers(init?.headers).get('x-tenant'), init?.credentials]);
      return fetch(input, init);
    };
    let tenant = 0;
    const headers = async () => ({ 'x-tenant': `${++tenant}` });
    const client = createAccountsClient({ url, fetch: spy, headers, credentials: 'include' });
    for (let times = 0; times < 2; times++) await client.request('{ getUser { id } }');
    await createAccountsClient({ url, fetch: spy, headers: { 'x-tenant': 'fixed' } }).request(
      '{ getUser { id } }',
    );
    expect(seen).toEqual([
      ['1', 'include'],
      ['2', 'include'],
      ['fixed', undefined],
    ]);
  });

  test('an option that does not exist is refused', () => {
    const options = { url: 'http://127.0.0.1/graphql', store: undefined };
    expect(() => createAccountsClient(options)).toThrow('createAccountsClient: there is no option store');
  });

  test('a URL that is one', () => {
    for (const url of ['/graphql', 'nonsense', 'javascript:alert(1)', 'file:///graphql']) {
      expect(() => createAccountsClient({ url })).toThrow(
        new TypeError('createAccountsClient: url must be an http or https URL'),
      );
    }
    vi.stubGlobal('location', { href: 'https://shop.example/cart' });
    try {
      expect(createAccountsClient({ url: '/graphql' })).toBeTruthy();
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('a listener that throws changes nothing', async () => {
    const { client } = await start();
    await client.signUp({ email: EMAIL, password: PASSWORD });
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    client.subscribe(() => {
      throw new Error('mine');
    });
    expect(await client.login({ email: EMAIL, password: PASSWORD })).toBeTruthy();
    expect(told).toHaveBeenCalledOnce();
    told.mockRestore();
  });
});

describe('the storage of a browser', () => {
  /** What two tabs share. */
  function browser() {
    const items = new Map<string, string>();
    return {
      items,
      storage: {
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => void items.set(key, value),
        removeItem: (key: string) => void items.delete(key),
      },
    };
  }

  test('keeps the session beyond the page, and forgets it at the logout', async () => {
    const { clientWith } = await loggedIn();
    const { items, storage } = browser();
    const client = clientWith({ storage: browserStorage({ storage }) });
    await client.login({ email: EMAIL, password: PASSWORD });
    const next = clientWith({ storage: browserStorage({ storage }) });
    expect(await next.getUser()).toMatchObject({ emails: [{ address: EMAIL }] });
    const another = clientWith({ storage: browserStorage({ storage, key: 'another' }) });
    expect(await another.accessToken()).toBeNull();
    await next.logout();
    expect([items.size, await client.accessToken()]).toEqual([0, null]);
  });

  test('lets one tab refresh for all, where there are locks', async () => {
    expect(globalThis.navigator.locks).toBeDefined();
    const { clientWith, clock, count } = await loggedIn();
    const { storage } = browser();
    const tabs = Array.from({ length: 5 }, () => clientWith({ storage: browserStorage({ storage }) }));
    await tabs[0]?.login({ email: EMAIL, password: PASSWORD });
    clock.pass(HOUR);
    const tokens = await Promise.all(tabs.map((tab) => tab.accessToken()));
    expect([new Set(tokens).size, count('refreshTokens')]).toEqual([1, 1]);
  });

  test('S15 keeps all tabs logged in where there are none: the server gives the same successor to each', async () => {
    const { clientWith, clock } = await loggedIn();
    const { storage } = browser();
    const unlocked = (): TokenStorage => {
      const { lock: _, ...rest } = browserStorage({ storage });
      return rest;
    };
    const tabs = Array.from({ length: 5 }, () => clientWith({ storage: unlocked() }));
    await tabs[0]?.login({ email: EMAIL, password: PASSWORD });
    clock.pass(HOUR);
    await Promise.all(tabs.map((tab) => tab.accessToken()));
    for (const tab of tabs) expect(await tab.getUser()).toMatchObject({ emails: [{ address: EMAIL }] });
  });

  test('takes nothing for tokens that is none', async () => {
    const { clientWith } = await start();
    const { items, storage } = browser();
    for (const text of [
      '',
      'x',
      'null',
      '7',
      '[]',
      '{"accessToken":"x"}',
      '{"accessToken":1,"refreshToken":2}',
    ]) {
      items.set('graphql-accounts', text);
      expect(await clientWith({ storage: browserStorage({ storage }) }).accessToken()).toBeNull();
    }
  });

  test('has to be there', () => {
    vi.stubGlobal('localStorage', undefined);
    try {
      expect(() => browserStorage()).toThrow(TypeError);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
