import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAccounts } from '../accounts.ts';

const NAMED =
  /this context has no accounts: add the plugin useAccounts, or the context of the adapter of your host/;

// A guard warns once per process, so each test has modules of its own.
let modules: Awaited<ReturnType<typeof load>>;
let warned: unknown[];
beforeEach(async () => {
  vi.resetModules();
  modules = await load();
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((text) => void warned.push(text));
});
afterEach(() => vi.restoreAllMocks());

async function load() {
  return {
    ...(await import('../../src/graphql/module.ts')),
    ...(await import('../../src/graphql/auth-directive/index.ts')),
    ...(await import('../../src/graphql/use-accounts.ts')),
    ...(await import('../../src/graphql/context.ts')),
  };
}

test('a forgotten plugin is told of once, by our operations and by @auth, which refuse', async () => {
  const { server, errors, schema } = start();
  const yoga = createYoga({ schema, logging: false });
  const ask = async (query: string) => {
    const response = await yoga.fetch(`http://localhost/graphql?query=${encodeURIComponent(query)}`);
    return JSON.stringify(await response.json());
  };
  for (let round = 0; round < 3; round++) {
    expect(await ask('{ getUser { id } }')).toBe('{"data":{"getUser":null}}');
    expect(await ask('{ secret }')).toContain('UNAUTHENTICATED');
  }
  expect(errors.map(({ error }) => String(error))).toEqual([expect.stringMatching(NAMED)]);
  expect(warned).toEqual([expect.stringMatching(NAMED)]);
  expect(server.stateless).toBe(false);
});

class Context {
  readonly loaders = {};
}

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['an empty object', {}],
  ['one with nobody', { user: null }],
  ['one without a prototype', Object.create(null)],
  ['a frozen one', Object.freeze({ loaders: {} })],
  ['one of a class', new Context()],
  ['a Map', new Map([['user', 'somebody']])],
  ['a list', ['user']],
  ['a function', () => undefined],
  ['text', 'text'],
  ['a number', 7],
  ['false', false],
])('and so is a context that is %s', async (_, contextValue) => {
  const { errors, schema } = start();
  const { data, errors: refusals } = await graphql({
    schema,
    source: '{ getUser { id } secret }',
    contextValue,
  });
  expect({ ...data }).toEqual({ getUser: null, secret: null });
  expect(refusals?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
  const logout = await graphql({ schema, source: 'mutation { logout }', contextValue });
  expect(logout.errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
  expect(errors).toHaveLength(1);
  expect(warned).toHaveLength(1);
});

test('a context of a class or a frozen one takes ours beside its own', async () => {
  const { server, schema } = start();
  for (const context of [new Context(), Object.freeze({ loaders: {} })]) {
    const yoga = createYoga({ schema, logging: false, context, plugins: [modules.useAccounts(server)] });
    const response = await yoga.fetch('http://localhost/graphql?query={getUser{id}secret}');
    expect(await response.json()).toMatchObject({
      data: { getUser: null, secret: null },
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  }
  expect(warned).toEqual([]);
});

test('nothing is told where useAccounts or createContext made the context, of strangers neither', async () => {
  const { server, errors, schema } = start();
  const source = '{ getUser { id } secret }';
  const contextValue = await modules.createContext(server)({ headers: {} } as never);
  await graphql({ schema, source, contextValue });
  const yoga = createYoga({ schema, logging: false, plugins: [modules.useAccounts(server)] });
  await yoga.fetch(`http://localhost/graphql?query=${encodeURIComponent(source)}`);
  expect({ errors, warned }).toEqual({ errors: [], warned: [] });
});

function start() {
  const { server, errors } = createAccounts();
  const { typeDefs, resolvers } = modules.accountsModule(server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = modules.authDirective();
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [typeDefs, authDirectiveTypeDefs, 'type Query { secret: String @auth }'],
      resolvers: [resolvers, { Query: { secret: () => 'secret' } }],
    }),
  );
  return { server, errors, schema };
}
