import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionResult } from 'graphql';
import { type Client, createClient, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createContext } from '../../../src/graphql/context.ts';
import { graphqlWsAccounts } from '../../../src/graphql/hosts/graphql-ws.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import type { AccountsServerOptions } from '../../../src/index.ts';
import { createFeed, eventually, freezeIntervals, INTERVALS, intervals } from './feed.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const closing: (() => unknown)[] = [];
beforeEach(freezeIntervals);
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

type Feed = Awaited<ReturnType<typeof createFeed>>;
type Host = (feed: Feed, sockets: WebSocketServer) => void;

const HOSTS: { name: string; serve: Host }[] = [
  {
    name: 'the adapter',
    serve: ({ server, schema }, sockets) =>
      void useServer(
        graphqlWsAccounts(server, {
          schema,
          context: () => ({ loaders: 'mine' }),
          onOperation: () => undefined,
        }),
        sockets,
      ),
  },
  {
    name: 'createContext',
    serve: ({ server, schema }, sockets) => {
      const contextOf = createContext(server);
      useServer({ schema, context: async (socket) => ({ ...(await contextOf(socket)) }) }, sockets);
    },
  },
  { name: 'Yoga', serve: (feed, sockets) => void useServer(yogaOptions(feed), sockets) },
  {
    name: 'Yoga and the adapter',
    serve: (feed, sockets) => void useServer(graphqlWsAccounts(feed.server, yogaOptions(feed)), sockets),
  },
];

/** As Yoga's documentation has it. */
function yogaOptions({ server, schema }: Feed): ServerOptions<Record<string, unknown>, Extra> {
  const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
  type Rooted = { rootValue: { execute(args: unknown): never; subscribe(args: unknown): never } };
  return {
    execute: (args) => (args as Rooted).rootValue.execute(args),
    subscribe: (args) => (args as Rooted).rootValue.subscribe(args),
    onSubscribe: async (socket, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...socket,
        req: socket.extra.request,
        socket: socket.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  };
}

async function start(serve: Host, options: Partial<AccountsServerOptions> = {}) {
  const feed = await createFeed(options);
  const http: Server = createServer();
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  serve(feed, sockets);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`;
  closing.push(() => new Promise((resolve) => http.close(resolve)));
  closing.push(() => new Promise((resolve) => sockets.close(resolve)));

  /** A client, and what it sees. */
  const connect = (connectionParams: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
    const seen = { close: null as { code: number; reason: string } | null, raw: null as WebSocket | null };
    class Socket extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers });
        seen.raw = this;
      }
    }
    const client: Client = createClient({
      url,
      connectionParams,
      retryAttempts: 0,
      webSocketImpl: Socket,
      lazy: false,
      onNonLazyError: () => undefined,
      on: {
        closed(event) {
          const { code, reason } = event as { code: number; reason: string };
          seen.close = { code, reason };
        },
      },
    });
    closing.push(() => client.dispose());
    const subscribe = (query: string, more: Partial<SubscribePayload> = {}) => {
      const stream = {
        results: [] as ExecutionResult[],
        ended: null as 'complete' | 'error' | null,
        failure: null as unknown,
      };
      const leave = client.subscribe(
        { query, ...more },
        {
          next: (result) => void stream.results.push(result as ExecutionResult),
          complete: () => {
            stream.ended = 'complete';
          },
          error: (failure) => {
            stream.ended = 'error';
            stream.failure = failure;
          },
        },
      );
      return Object.assign(stream, { leave });
    };
    const ask = async (query: string, more?: Partial<SubscribePayload>) => {
      const stream = subscribe(query, more);
      await eventually(() => stream.ended !== null);
      return stream.results[0];
    };
    return { seen, subscribe, ask };
  };
  return { ...feed, connect };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const codesOf = (result: ExecutionResult | undefined) =>
  result?.errors?.map(({ extensions }) => extensions.code);

describe.each(HOSTS)('S52 over graphql-ws with $name', ({ serve }) => {
  test('the streams of a socket end with its session, and the socket is closed with 4403', async () => {
    const { connect, tokens, mine, server } = await start(serve);
    const { subscribe, seen } = connect(bearer(tokens.accessToken));
    const streams = ['mine', 'hanging'].map((field) => subscribe(`subscription { ${field} }`));
    await eventually(() => mine.started === 1);
    mine.send(1);
    await eventually(() => streams[0]?.results.length === 1);
    await server.logout(tokens.accessToken);
    await intervals(1);
    await eventually(() => seen.close !== null);
    expect(streams.map(({ results }) => codesOf(results.at(-1)))).toEqual([
      ['UNAUTHENTICATED'],
      ['UNAUTHENTICATED'],
    ]);
    // Were they complete first, a client that opens its socket only while it needs it would close it by itself.
    expect(streams.map(({ ended }) => ended)).toEqual(['error', 'error']);
    expect(seen.close).toEqual({ code: 4403, reason: 'Forbidden' });
    await eventually(() => mine.returned === 1);
  });

  test('a deactivated user hears no more', async () => {
    const { connect, tokens, mine, server, userId } = await start(serve);
    const { subscribe, seen } = connect(bearer(tokens.accessToken));
    const stream = subscribe('subscription { mine }');
    await eventually(() => mine.started === 1);
    await server.deactivateUser(userId);
    await intervals(1);
    mine.send(1);
    await eventually(() => seen.close !== null);
    expect(stream.results.map(codesOf)).toEqual([['UNAUTHENTICATED']]);
  });

  test('other sockets go on', async () => {
    const { connect, tokens, mine, everybodys, server, logIn } = await start(serve);
    const other = await logIn('ada');
    const [gone, stays] = [tokens, other.tokens].map(({ accessToken }) => connect(bearer(accessToken)));
    gone?.subscribe('subscription { mine }');
    await eventually(() => mine.started === 1);
    stays?.subscribe('subscription { everybodys }');
    await eventually(() => everybodys.started === 1);
    await server.logout(tokens.accessToken);
    await intervals(1);
    await eventually(() => gone?.seen.close !== null);
    await intervals(INTERVALS);
    expect(stays?.seen.close).toBe(null);
  });

  test('S51 a stranger is refused by each operation before its source starts, and may stay', async () => {
    const { connect, mine } = await start(serve);
    for (const params of [{}, bearer('no token'), { authorization: 7 }]) {
      const { ask, seen } = connect(params);
      expect(codesOf(await ask('subscription { mine }'))).toEqual(['UNAUTHENTICATED']);
      expect(await ask('{ hello }')).toEqual({ data: { hello: 'world' } });
      expect(seen.close).toBe(null);
    }
    expect(mine.started).toBe(0);
  });

  test('the token may stand in the header of the request that opens the socket', async () => {
    const { connect, tokens, userId } = await start(serve);
    const { ask } = connect({}, bearer(tokens.accessToken));
    expect(await ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
  });

  test('a stream is watched once, and no longer than its reader listens', async () => {
    const { connect, tokens, mine, server } = await start(serve);
    const watch = vi.spyOn(server, 'watchSession');
    const before = vi.getTimerCount();
    const { subscribe, ask } = connect(bearer(tokens.accessToken));
    const stream = subscribe('subscription { mine }');
    await eventually(() => mine.started === 1 && watch.mock.calls.length > 0);
    await ask('{ hello }');
    expect(watch).toHaveBeenCalledTimes(1);
    const during = vi.getTimerCount();
    stream.leave();
    await eventually(() => mine.returned === 1);
    expect(vi.getTimerCount()).toBe(during - 1);
    expect(during).toBeGreaterThan(before);
  });

  test('S23 stateless, a socket is closed when its token has expired', async () => {
    const { connect, tokens, mine, clock } = await start(serve, { useStatelessSession: true });
    const { subscribe, seen } = connect(bearer(tokens.accessToken));
    const stream = subscribe('subscription { mine }');
    await eventually(() => mine.started === 1);
    clock.pass(15 * MINUTE);
    await intervals(1);
    await eventually(() => seen.close !== null);
    expect(stream.results.map(codesOf)).toEqual([['UNAUTHENTICATED']]);
    expect(seen.close).toMatchObject({ code: 4403 });
  });
});

describe.each(HOSTS.filter(({ name }) => name.endsWith('adapter')))(
  'a fresh token over graphql-ws with $name',
  ({ serve }) => {
    const ways = [
      {
        way: 'a ping',
        hand: async (
          { seen }: ReturnType<Awaited<ReturnType<typeof start>>['connect']>,
          authorization: string,
        ) => {
          const pong = new Promise((resolve) => seen.raw?.once('message', resolve));
          seen.raw?.send(JSON.stringify({ type: 'ping', payload: { authorization } }));
          await pong;
        },
      },
      {
        way: 'the extensions of an operation',
        hand: async (
          { ask }: ReturnType<Awaited<ReturnType<typeof start>>['connect']>,
          authorization: string,
        ) => {
          await ask('{ hello }', { extensions: { authorization } });
        },
      },
    ];

    test.each(ways)('is handed over by $way: streams and later operations go on', async ({ hand }) => {
      for (const useStatelessSession of [true, false]) {
        const one = await start(serve, { useStatelessSession });
        const { connect, tokens, mine, clock, server, userId } = one;
        const socket = connect(bearer(tokens.accessToken));
        const stream = socket.subscribe('subscription { mine }');
        await eventually(() => mine.started === 1);
        clock.pass(10 * MINUTE);
        const fresh = await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
        await hand(socket, `Bearer ${fresh.tokens.accessToken}`);
        clock.pass(10 * MINUTE);
        await intervals(1);
        mine.send(3);
        await eventually(() => stream.results.length === 1);
        expect(stream.results).toEqual([{ data: { mine: 3 } }]);
        expect(await socket.ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
        expect(socket.seen.close).toBe(null);
      }
    });

    test.each(ways)('of another session is not taken by $way', async ({ hand }) => {
      const { connect, tokens, server, signUp, logIn, userId } = await start(serve);
      await signUp({ username: 'grace' });
      const grace = await logIn('grace');
      const socket = connect(bearer(tokens.accessToken));
      await socket.ask('{ hello }');
      await hand(socket, `Bearer ${grace.tokens.accessToken}`);
      expect(await socket.ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
      await hand(socket, 'Bearer no-token');
      expect(await socket.ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
      await server.logout(tokens.accessToken);
      await hand(socket, `Bearer ${grace.tokens.accessToken}`);
      expect(codesOf(await socket.ask('{ whoAmI }'))).toEqual(['UNAUTHENTICATED']);
    });

    test.each(ways)('makes somebody of a stranger by $way', async ({ hand }) => {
      const { connect, tokens, userId } = await start(serve);
      const socket = connect();
      expect(codesOf(await socket.ask('{ whoAmI }'))).toEqual(['UNAUTHENTICATED']);
      await hand(socket, `Bearer ${tokens.accessToken}`);
      expect(await socket.ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
    });
  },
);

describe('the adapter for graphql-ws', () => {
  test('keeps what the application brings: its context and its hooks', async () => {
    const heard: string[] = [];
    const serve: Host = ({ server, schema }, sockets) => {
      const options: ServerOptions<Record<string, unknown>, Extra> = {
        schema,
        context: (_socket, id, { query }) => {
          heard.push(`context ${typeof id} ${query}`);
          // Ours wins: nobody is made somebody else by a name that both use.
          return { userId: 'somebody else' };
        },
        onPing: (_socket, payload) => void heard.push(`ping ${JSON.stringify(payload)}`),
        onSubscribe: () => void heard.push('subscribe'),
        onOperation: (_socket, _id, _payload, _args, result) => ({ ...result, extensions: { seen: true } }),
      };
      useServer(graphqlWsAccounts(server, options), sockets);
    };
    const { connect, tokens, userId } = await start(serve);
    const { ask, seen } = connect(bearer(tokens.accessToken));
    expect(await ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId }, extensions: { seen: true } });
    const pong = new Promise((resolve) => seen.raw?.once('message', resolve));
    seen.raw?.send(JSON.stringify({ type: 'ping', payload: { a: 1 } }));
    await pong;
    expect(heard).toEqual(['subscribe', 'context string { whoAmI }', 'ping {"a":1}']);
  });

  test('S52 an idle socket is refused by its next operation', async () => {
    const [adapter] = HOSTS;
    if (!adapter) throw new Error('no host');
    const { connect, tokens, userId, server, clock } = await start(adapter.serve);
    const { ask, seen } = connect(bearer(tokens.accessToken));
    expect(await ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
    await server.logout(tokens.accessToken);
    expect(codesOf(await ask('{ whoAmI }'))).toEqual(['UNAUTHENTICATED']);
    clock.pass(DAY);
    expect(seen.close).toBe(null);
  });

  test('a socket that is known by a cookie takes no token of another session', async () => {
    const serve: Host = ({ server, schema }, sockets) =>
      void useServer(graphqlWsAccounts(server, { schema }, { cookie: true }), sockets);
    const siteUrl = 'https://app.example.com';
    const { connect, tokens, userId, signUp, logIn } = await start(serve, { siteUrl });
    await signUp({ username: 'grace' });
    const [graces, fresh] = [await logIn('grace'), await logIn('ada')];
    const cookie = `__Host-accounts=${tokens.accessToken}`;
    const { ask } = connect({}, { cookie, origin: siteUrl });
    expect(await ask('{ whoAmI }')).toEqual({ data: { whoAmI: userId } });
    for (const { accessToken } of [graces.tokens, fresh.tokens, tokens]) {
      const extensions = bearer(accessToken);
      expect(await ask('{ whoAmI }', { extensions })).toEqual({ data: { whoAmI: userId } });
    }
  });

  test('S52 a token that expires while a source begins ends that stream, and no other of the socket', async () => {
    const [adapter] = HOSTS;
    if (!adapter) throw new Error('no host');
    const { connect, tokens, mine, everybodys, clock } = await start(adapter.serve);
    const { subscribe, seen } = connect(bearer(tokens.accessToken));
    const stays = subscribe('subscription { everybodys }');
    await eventually(() => everybodys.started === 1);
    const begin = () => {
      clock.pass(15 * MINUTE);
      return mine;
    };
    Object.assign(mine, { begin });
    const late = subscribe('subscription { mine }');
    await eventually(() => late.ended !== null);
    expect(late.results.map(codesOf)).toEqual([['UNAUTHENTICATED']]);
    await intervals(INTERVALS);
    everybodys.send(1);
    await eventually(() => stays.results.length === 1);
    expect(stays.results).toEqual([{ data: { everybodys: 1 } }]);
    expect(seen.close).toBe(null);
  });
});
