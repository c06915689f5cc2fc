import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/core/time.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { countQueries, createAccounts } from '../accounts.ts';

const request = (headers: Record<string, string>) => new Request('http://localhost/graphql', { headers });

async function start(options = {}) {
  const { counted, queries } = countQueries(memoryDatabase());
  const accounts = createAccounts({ db: counted, ...options });
  const id = await accounts.signUp({ email: 'ada@example.com' });
  const { tokens } = await accounts.logIn('ada@example.com');
  queries.length = 0;
  return { ...accounts, id, token: tokens.accessToken, queries };
}

describe('createContext', () => {
  test('names the user of a request, its session and where it came from', async () => {
    const { server, id, token } = await start();
    const context = await createContext(server)(
      request({ authorization: `Bearer ${token}`, 'user-agent': 'x' }),
    );
    expect(context).toMatchObject({
      userId: id,
      user: { id, emails: [{ address: 'ada@example.com' }] },
      authToken: token,
      session: { userId: id, actorUserId: null },
      connection: { ip: null, userAgent: 'x' },
    });
    expect(context.infos).toEqual(context.connection);
    expect(context.accounts).toBe(server);
    expect(context.authError).toBeNull();
  });

  test('takes the token as clients write it', async () => {
    const { server, id, token } = await start();
    const context = createContext(server);
    for (const header of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`, token])
      expect((await context(request({ authorization: header }))).userId).toBe(id);
    for (const header of ['', 'Bearer', 'Bearer ', `Basic ${token}`, `Token ${token}`])
      expect(await context(request({ authorization: header }))).toMatchObject({
        user: null,
        userId: null,
        authToken: null,
        authError: null,
      });
  });

  test('reads another header if told so', async () => {
    const { server, id, token } = await start();
    const context = createContext(server, { headerName: 'X-Access-Token' });
    expect((await context(request({ 'x-access-token': token }))).userId).toBe(id);
    expect((await context(request({ authorization: token }))).authToken).toBeNull();
  });

  test('reads a request of Node with the address of its socket', async () => {
    const { server, id, token } = await start();
    const context = createContext(server, { trustedProxies: ['127.0.0.1'] });
    const http = createServer(async (incoming, response) => {
      const { userId, connection } = await context(incoming);
      response.end(JSON.stringify({ userId, connection }));
    });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { port } = http.address() as AddressInfo;
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${port}`, { headers })).json();
    const common = { authorization: `Bearer ${token}`, 'user-agent': 'x' };
    expect(await ask(common)).toEqual({ userId: id, connection: { ip: '127.0.0.1', userAgent: 'x' } });
    const forwarded = await ask({ ...common, 'x-forwarded-for': '203.0.113.7' });
    expect(forwarded).toMatchObject({ connection: { ip: '203.0.113.7' } });
    http.close();
  });

  test('asks the host for the address of a request that has none', async () => {
    const { server, errors } = await start();
    const known = createContext(server, { clientAddress: (r) => r.headers.get('cf-connecting-ip') });
    expect((await known(request({ 'cf-connecting-ip': '203.0.113.7' }))).connection.ip).toBe('203.0.113.7');
    const failing = createContext(server, {
      clientAddress: () => {
        throw new Error('broken');
      },
    });
    expect((await failing(request({}))).connection.ip).toBeNull();
    expect(errors).toMatchObject([{ where: 'clientAddress' }]);
  });

  test('takes the token of a WebSocket from what it was opened with, else from its upgrade', async () => {
    const { server, id, token } = await start();
    const context = createContext(server);
    const socket = (
      connectionParams: Record<string, unknown> | null | undefined,
      authorization?: string,
    ) => ({
      connectionParams,
      extra: { request: { headers: { authorization }, socket: {} } as unknown as IncomingMessage },
    });
    for (const given of [
      socket({ authorization: `Bearer ${token}` }),
      socket({ Authorization: `Bearer ${token}` }),
      socket({ authorization: `Bearer ${token}` }, 'Bearer another'),
      socket(undefined, `Bearer ${token}`),
      socket(null, `Bearer ${token}`),
      socket({ authorization: ['x'], Authorization: 7 }, `Bearer ${token}`),
    ])
      expect((await context(given)).userId).toBe(id);
    expect((await context(socket(undefined))).authToken).toBeNull();
  });

  test('S52 looks the session up again for each operation of a socket', async () => {
    const { server, token } = await start();
    const context = createContext(server);
    const upgrade = (headers: object) =>
      ({
        headers: { authorization: `Bearer ${token}`, ...headers },
        socket: {},
      }) as unknown as IncomingMessage;
    const sockets = [
      { connectionParams: {}, req: upgrade({}), extra: { request: upgrade({}) } },
      { extra: { request: upgrade({}) } },
      upgrade({ upgrade: 'websocket' }),
      upgrade({ upgrade: 'WebSocket' }),
    ];
    for (const socket of sockets) expect((await context(socket)).user).not.toBeNull();
    await server.logout(token);
    for (const socket of sockets) expect((await context(socket)).user).toBeNull();
  });

  test('looks up once for one request, and not at all without a token', async () => {
    const { server, token, queries } = await start();
    const context = createContext(server);
    const one = request({ authorization: `Bearer ${token}` });
    await Promise.all([context(one), context(one)]);
    await context(one);
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
    await context(request({}));
    expect(queries).toHaveLength(2);
  });

  test('S48 remembers of a request whose it is by its token, and for one server', async () => {
    const { server, token, id, signUp, logIn } = await start();
    const eve = await signUp({ email: 'eve@example.com' });
    const { tokens } = await logIn('eve@example.com');
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    const one = { headers, socket: {} } as unknown as IncomingMessage;
    expect((await createContext(server)(one)).userId).toBe(id);
    expect((await createContext(createAccounts().server)(one)).userId).toBeNull();
    headers.authorization = `Bearer ${tokens.accessToken}`;
    expect((await createContext(server)(one)).userId).toBe(eve);
  });

  test('S51 tells a cache of nobody where the request of Node says so', async () => {
    const { server, token } = await start();
    const authorization = `Bearer ${token}`;
    const plugin = useAccounts(server);
    const rawHeaders = ['authorization', authorization, 'Authorization', 'Bearer of somebody else'];
    const req = { headers: { authorization }, rawHeaders, socket: {} };
    expect(await plugin.sessionId(request({ authorization }), { req })).toBeNull();
    expect(await plugin.sessionId(request({ authorization }), {})).toEqual(expect.any(String));
  });

  test('looks up once also where the client offers HTTP/2', async () => {
    const { server, token, queries } = await start();
    const context = createContext(server);
    const one = request({ authorization: `Bearer ${token}`, upgrade: 'h2c' });
    await context(one);
    await context(one);
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
  });

  test('says why a token made no user, and keeps the token for logout and refresh', async () => {
    const { server, token, clock } = await start();
    clock.pass(15 * MINUTE);
    for (const [sent, message] of [
      [token, 'The access token has expired.'],
      ['nonsense', 'The token is not valid.'],
      ['x'.repeat(100_000), 'The token is not valid.'],
    ]) {
      const context = await createContext(server)(request({ authorization: `Bearer ${sent}` }));
      expect(context).toMatchObject({ user: null, userId: null, session: null, authToken: sent });
      expect(context.authError).toMatchObject({ code: 'UNAUTHENTICATED', message });
    }
  });

  test('S55 a store that fails or hangs makes nobody a user and rejects nothing', async () => {
    const db = memoryDatabase();
    const broken = { current: async (): Promise<never> => Promise.reject(new Error('disk on fire')) };
    const { findWithUsers: _, ...sessions } = db.sessions;
    const failing = { ...db, sessions: { ...sessions, findMany: () => broken.current() } };
    const { server, signUp, logIn, errors } = createAccounts({ db: failing, storeTimeout: 20 });
    await signUp({ email: 'ada@example.com' });
    const { tokens } = await logIn('ada@example.com');
    const context = createContext(server);
    const ask = () => context(request({ authorization: `Bearer ${tokens.accessToken}` }));
    expect(await ask()).toMatchObject({
      user: null,
      session: null,
      authError: { code: 'SERVICE_UNAVAILABLE' },
    });
    broken.current = () => new Promise(() => undefined);
    expect(await ask()).toMatchObject({ user: null, authError: { code: 'SERVICE_UNAVAILABLE' } });
    expect(errors.length).toBeGreaterThan(0);
  });

  test('S45 an unexpected failure makes nobody a user, is reported, and says nothing', async () => {
    let broken = false;
    const { server, token, errors } = await start({
      userObjectSanitizer: (user: object) => {
        if (broken) throw new Error('a secret of the application');
        return user;
      },
    });
    broken = true;
    const context = await createContext(server)(request({ authorization: `Bearer ${token}` }));
    expect(context).toMatchObject({ user: null, authError: { code: 'INTERNAL_SERVER_ERROR' } });
    expect(context.authError?.message).toBe('Internal server error');
    expect(errors).toHaveLength(1);
  });

  test('statelessly looks nothing up, or the user once with loadUser', async () => {
    const { server, id, token, queries } = await start({
      useStatelessSession: true,
      createJwtPayload: () => ({ role: 'admin' }),
    });
    const plain = await createContext(server)(request({ authorization: `Bearer ${token}` }));
    expect(plain.user).toEqual({ id, role: 'admin' });
    expect(queries).toEqual([]);
    const loading = createContext(server, { loadUser: true });
    const loaded = await loading(request({ authorization: `Bearer ${token}` }));
    expect(loaded.user).toMatchObject({ id, emails: [{ address: 'ada@example.com' }] });
    expect(queries).toEqual(['users.findMany']);
    await server.deactivateUser(id);
    const after = await loading(request({ authorization: `Bearer ${token}` }));
    expect(after).toMatchObject({ user: null, authError: { code: 'UNAUTHENTICATED' } });
  });

  test('S44 bends no lookup by names of Object.prototype, and throws for nothing that it is given', async () => {
    const { server } = await start();
    for (const headerName of ['__proto__', 'constructor', 'toString', 'get'])
      expect((await createContext(server, { headerName })(request({}))).authToken).toBeNull();
    const context = createContext(server);
    const listed = { headers: { authorization: ['a', 'b'], 'user-agent': ['x'] } };
    const odd = [null, undefined, 7, 'x', {}, [], listed, { headers: null }, { req: 7 }, { extra: null }];
    for (const given of odd)
      expect(await context(given as never)).toMatchObject({ user: null, authToken: null });
    const hostile = { connectionParams: JSON.parse('{"__proto__":{"authorization":"Bearer x"}}'), extra: {} };
    expect((await context(hostile as never)).authToken).toBeNull();
  });

  test('refuses a wrong option when it is made', () => {
    const { server } = createAccounts();
    for (const options of [
      { headerNam: 'x' },
      { headerName: 'two words' },
      { headerName: '' },
      { trustedProxies: ['proxy'] },
      { clientAddress: 'x' },
      { loadUser: 1 },
      { excludeAddUserInContext: true },
      { createOperationController: () => undefined },
    ])
      expect(() => createContext(server, options as never)).toThrow(TypeError);
    for (const none of [undefined, null, {}, { accountsServer: server }])
      expect(() => createContext(none as never)).toThrow('createContext needs the AccountsServer');
  });
});

test('a duplicated header of Node is no token', async () => {
  const { server, token } = await start();
  const context = createContext(server, { headerName: 'x-token' });
  const seen = Promise.withResolvers<unknown>();
  const http = createServer(async (incoming, response) => {
    seen.resolve((await context(incoming)).user);
    response.end();
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address() as AddressInfo;
  const raw = connect(port, '127.0.0.1');
  raw.write(
    `GET / HTTP/1.1\r\nhost: x\r\nx-token: ${token}\r\nx-token: ${token}\r\nconnection: close\r\n\r\n`,
  );
  expect(await seen.promise).toBeNull();
  raw.destroy();
  http.close();
});
