import { type GraphQLSchema, graphql } from 'graphql';
import { expect, test } from 'vitest';
import {
  type FastifyWithMercurius,
  type MercuriusAccountsOptions,
  mercuriusAccounts,
} from '../../../src/graphql/hosts/mercurius.ts';
import { createDiary, FROM_PAGE, LOG_IN } from './host.ts';

type Hook = (schema: GraphQLSchema, document: null, context: object) => Promise<void>;

/** Mercurius as the plugin sees it. */
async function register(options: MercuriusAccountsOptions = {}, diary = createDiary()) {
  const hooks: { [name: string]: Hook } = {};
  const graphqlOfApp = {
    schema: diary.schema,
    addHook(name: string, hook: Hook) {
      // Mercurius needs its `this`.
      expect(this).toBe(graphqlOfApp);
      hooks[name] = hook;
    },
  };
  const app: FastifyWithMercurius = { graphql: graphqlOfApp };
  await mercuriusAccounts(diary.server, options)(app);
  return {
    ...diary,
    hooks,
    async run(query: string, context: object, schema = diary.schema) {
      await hooks.preExecution?.(schema, null, context);
      return graphql({ schema, source: query, contextValue: context });
    },
  };
}

function httpContext(given: Record<string, string> = {}) {
  const set: [string, string][] = [];
  const reply = {
    sent: false,
    header: (name: string, value: string) => set.push([name, value]),
    getHeader: () => undefined,
    request: {
      raw: { method: 'POST', headers: { ...FROM_PAGE, ...given }, socket: { remoteAddress: '192.0.2.7' } },
    },
  };
  return { set, context: { reply } };
}

test('S50 what answers carry is set by the reply', async () => {
  const { run, signUp } = await register({ cookie: true });
  await signUp({ email: 'ada@example.com' });
  const { set, context } = httpContext();
  expect((await run(LOG_IN(), context)).errors).toBeUndefined();
  expect(set).toEqual([
    ['cache-control', 'no-store'],
    ['set-cookie', expect.stringMatching(/^__Host-accounts=ey/)],
  ]);
  expect(context).toMatchObject({ connection: { ip: '192.0.2.7' } });
  const { set: later, context: another } = httpContext();
  for (let guess = 0; guess < 11; guess++) await run(LOG_IN('not the password'), another);
  expect(later.some(([name, value]) => name === 'retry-after' && Number(value) > 0)).toBe(true);
});

test('two operations of one batch are of one user', async () => {
  const { run, signUp, logIn } = await register();
  const id = await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const { context } = httpContext({ authorization: `Bearer ${tokens.accessToken}` });
  // Mercurius gives each its own context, made of that of the request.
  const results = await Promise.all([1, 2].map(() => run('{ diary }', Object.create(context))));
  expect(results).toEqual([1, 2].map(() => ({ data: { diary: `Diary of ${id}` } })));
});

test('S51 each operation on a socket looks its session up, and one that has ended starts nothing', async () => {
  const { hooks, schema, signUp, logIn, server } = await register();
  const id = await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const socket = {
    request: { raw: { headers: { upgrade: 'websocket' }, socket: { remoteAddress: '192.0.2.7' } } },
    _connectionInit: { authorization: `Bearer ${tokens.accessToken}` },
  };
  const ask = async () => {
    const contextValue = { ...socket };
    await hooks.preSubscriptionExecution?.(schema, null, contextValue);
    return graphql({ schema, source: '{ diary }', contextValue });
  };
  expect((await ask()).data).toEqual({ diary: `Diary of ${id}` });
  await server.logout(tokens.accessToken);
  expect((await ask()).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

test('S51 a schema on which the directive was forgotten is refused, at the start and later', async () => {
  const diary = createDiary();
  const plugin = mercuriusAccounts(diary.server);
  const app = { graphql: { schema: diary.unguarded, addHook: () => expect.unreachable() } };
  await expect(plugin(app)).rejects.toThrow(/not applied to Query.diary/);
  await expect(plugin({} as never)).rejects.toThrow(/register mercurius first/);
  const { run, errors } = await register({}, diary);
  for (let operation = 0; operation < 2; operation++) {
    await expect(run('{ diary }', {}, diary.unguarded)).rejects.toMatchObject({
      message: 'Internal server error',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  }
  // Once for each schema: a busy host would drown in it.
  expect(errors.map(({ error }) => String(error))).toEqual([expect.stringContaining('Query.diary')]);
  expect((await run('{ diary }', {})).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

test('S51 a resolver that another plugin gives to the same schema is guarded too', async () => {
  const { run, schema } = await register();
  const field = schema.getQueryType()?.getFields().diary;
  if (!field) throw new Error('there is no such field');
  // As `defineResolvers` and `defineLoaders` do it.
  field.resolve = () => 'Diary of everybody';
  const { context } = httpContext();
  expect(await run('{ diary }', context)).toMatchObject({
    data: { diary: null },
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
});

test('an operation that came neither by HTTP nor by a socket is of nobody', async () => {
  const { run } = await register();
  const { errors } = await run('{ diary }', { user: { id: 'somebody' } });
  expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

test('misuse is told at the start', async () => {
  const { server, schema } = createDiary();
  const app = { graphql: { schema, addHook: () => undefined } };
  await mercuriusAccounts(server)(app);
  await expect(mercuriusAccounts(server)(app)).rejects.toThrow(
    'mercuriusAccounts is registered more than once',
  );
  await expect(mercuriusAccounts(createDiary().server)({ graphql: { ...app.graphql } })).rejects.toThrow(
    /is of another AccountsServer/,
  );
  expect(() => mercuriusAccounts(undefined as never)).toThrow(/mercuriusAccounts needs the AccountsServer/);
  expect(() => mercuriusAccounts(server, { header: 'x' } as never)).toThrow(TypeError);
  expect(() => mercuriusAccounts(server, { directiveName: '@auth' })).toThrow(TypeError);
});
