import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Plugin as EnvelopPlugin, envelop, useEngine, useSchema } from '@envelop/core';
import { execute, parse, subscribe, validate } from 'graphql';
import { createYoga, type Plugin as YogaPlugin } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsContext } from '../../src/graphql/context.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { countQueries, createAccounts } from '../accounts.ts';
import { type Answer, codeIn, createGateway } from './gateway.ts';

async function start(options = {}, hosting = {}) {
  const { counted, queries } = countQueries(memoryDatabase());
  const gateway = createGateway({ db: counted, ...options }, hosting);
  const id = await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  queries.length = 0;
  return { ...gateway, id, token: tokens.accessToken, queries };
}

describe('useAccounts', () => {
  test('resolves the session once for a request, however many fields ask', async () => {
    const { ask, token, id, queries } = await start();
    const answer = await ask('{ a: getUser { id } b: getUser { id } secret whoAmI }', { token });
    expect(answer).toEqual({
      data: { a: { id }, b: { id }, secret: 'the treasure', whoAmI: id },
    });
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
  });

  test('S51 resolves it once for a batch, whose every operation is guarded', async () => {
    const { post, token, queries } = await start({}, { yoga: { batching: true } });
    const batch = ['{ secret }', '{ getUser { id } }', '{ whoAmI }'].map((query) => ({ query }));
    const answers = (await (await post(batch, token)).json()) as Answer[];
    expect(answers.map(codeIn)).toEqual([null, null, null]);
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
    const strangers = (await (await post(batch)).json()) as Answer[];
    expect(strangers.map(codeIn)).toEqual(['UNAUTHENTICATED', null, null]);
    expect(queries).toHaveLength(2);
  });

  test('asks the store nothing without a token, nor for one that is not genuine', async () => {
    const { ask, queries } = await start();
    expect(await ask('{ hello getUser { id } }')).toEqual({ data: { hello: 'world', getUser: null } });
    await ask('{ hello }', { token: 'bad' });
    expect(queries).toEqual([]);
  });

  test('answers at once where nothing is looked up', async () => {
    const { server, token } = await start({ useStatelessSession: true });
    const plugin = useAccounts(server);
    const build = (headers: Record<string, string>) => {
      let context: Partial<AccountsContext> = {};
      const result = plugin.onContextBuilding({
        context: { request: new Request('http://localhost', { headers }) },
        extendContext: (extension) => {
          context = extension;
        },
      });
      return { result, context };
    };
    for (const { result, context } of [build({}), build({ authorization: `Bearer ${token}` })]) {
      expect(result).toBeUndefined();
      expect(context.accounts).toBe(server);
    }
  });

  test('serves unprotected fields to an expired token and tells protected ones why', async () => {
    const { ask, token, clock } = await start();
    clock.pass(15 * 60_000);
    const answer = await ask('{ hello secret }', { token });
    expect(answer.data).toEqual({ hello: 'world', secret: null });
    expect(answer.errors).toMatchObject([
      { message: 'The access token has expired.', extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  test('works in bare Envelop, from a request of Fetch or of Node', async () => {
    const { server, schema, id, token } = await start();
    const getEnveloped = envelop({
      plugins: [useEngine({ parse, validate, execute, subscribe }), useSchema(schema), useAccounts(server)],
    });
    const run = async (context: object, source: string) => {
      const enveloped = getEnveloped(context);
      const document = enveloped.parse(source);
      const contextValue = await enveloped.contextFactory();
      return enveloped.execute({ schema: enveloped.schema, document, contextValue });
    };
    const authorization = `Bearer ${token}`;
    const request = new Request('http://localhost', { headers: { authorization } });
    const req = { headers: { authorization }, socket: { remoteAddress: '203.0.113.7' } };
    expect(await run({ request }, '{ whoAmI secret }')).toEqual({
      data: { whoAmI: id, secret: 'the treasure' },
    });
    expect(await run({ req }, '{ whoAmI }')).toEqual({ data: { whoAmI: id } });
    expect(await run({}, '{ whoAmI }')).toEqual({ data: { whoAmI: null } });
  });

  test('gives resolvers the address of the socket, over real HTTP', async () => {
    const { server, schema } = createGateway();
    let seen: Partial<AccountsContext> = {};
    const look = {
      onContextBuilding: ({ context }: { context: object }) => {
        seen = context;
      },
    };
    const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server), look] });
    const http = createServer(yoga);
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { port } = http.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'x' },
      body: '{"query":"{ hello }"}',
    });
    expect(seen.connection).toEqual({ ip: '127.0.0.1', userAgent: 'x' });
    http.close();
  });

  test('is a plugin of Yoga and of Envelop', () => {
    const plugin = useAccounts(createAccounts().server);
    const ofYoga: YogaPlugin = plugin;
    const ofEnvelop: EnvelopPlugin = plugin;
    const typed: YogaPlugin<AccountsContext> = plugin;
    expect([ofYoga, ofEnvelop, typed]).toEqual([plugin, plugin, plugin]);
  });

  test('refuses a wrong option when it is made', () => {
    const { server } = createAccounts();
    for (const options of [
      { directive: 'auth' },
      { directiveName: '@auth' },
      { directiveName: '__a' },
      { ctx: {} },
    ])
      expect(() => useAccounts(server, options as never)).toThrow(TypeError);
    for (const none of [undefined, null, {}, { accountsServer: server }])
      expect(() => useAccounts(none as never)).toThrow('useAccounts needs the AccountsServer');
    const micro = createAccounts({ micro: true, useStatelessSession: true }).server;
    expect(() => useAccounts(micro, { loadUser: true })).toThrow(TypeError);
  });
});
