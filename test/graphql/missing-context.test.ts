import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAccounts } from '../accounts.ts';

const NAMED = /this context has no accounts: add the plugin useAccounts, or spread createContext/;

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

test.each([undefined, null, {}, { user: null }, 'text'])('and so is the context %j', async (contextValue) => {
  const { errors, schema } = start();
  await graphql({ schema, source: '{ getUser { id } secret }', contextValue });
  expect(errors).toHaveLength(1);
  expect(warned).toHaveLength(1);
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
