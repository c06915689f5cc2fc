import { envelop, useEngine, useSchema, useSchemaByContext } from '@envelop/core';
import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { defaultFieldResolver, execute, type GraphQLSchema, parse, subscribe, validate } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { createAccounts } from '../accounts.ts';
import { type Answer, auth, codeIn } from './gateway.ts';

const FORGOTTEN = makeSchema(/* GraphQL */ `
  type Query { open: String secret: String @auth }
  type Subscription { ticks: Int @auth }
`);
const APPLIED = auth.authDirectiveTransformer(FORGOTTEN);
const NO_ACCOUNTS = makeSchema('type Query { open: String secret: String }');

describe('S51 a directive that was not applied', () => {
  test('stops Yoga from starting, and the error says what to do', () => {
    const { server } = createAccounts();
    const start = () => createYoga({ schema: FORGOTTEN, logging: false, plugins: [useAccounts(server)] });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(/@auth .* Query\.secret, Subscription\.ticks.*authDirectiveTransformer/);
  });

  test('stops Envelop from starting', () => {
    const { server } = createAccounts();
    const engine = useEngine({ parse, validate, execute, subscribe });
    expect(() => envelop({ plugins: [engine, useSchema(FORGOTTEN), useAccounts(server)] })).toThrow(
      TypeError,
    );
  });

  test('is looked for under its own name', () => {
    const { server } = createAccounts();
    const typeDefs = 'directive @auth on FIELD_DEFINITION type Query { secret: String @auth }';
    const schema = makeExecutableSchema({ typeDefs });
    const start = (directiveName: string) => () =>
      createYoga({ schema, logging: false, plugins: [useAccounts(server, { directiveName })] });
    expect(start('loggedIn')).not.toThrow();
    expect(start('auth')).toThrow(TypeError);
  });

  for (const [given, schema] of [
    ['a function', () => FORGOTTEN],
    ['an asynchronous function', async () => FORGOTTEN],
    ['a promise', Promise.resolve(FORGOTTEN)],
  ] as const)
    test(`refuses every operation of Yoga when the schema is given by ${given}`, async () => {
      const { server, errors } = createAccounts();
      const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
      for (const query of [
        '{ secret }',
        '{ secret }',
        '{ open }',
        '{ __typename }',
        'subscription { ticks }',
      ]) {
        const answer = await ask(yoga, query);
        expect(answer).toEqual({
          errors: [{ message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
        });
      }
      expect(errors).toHaveLength(1);
      expect(String(errors[0]?.error)).toContain('Query.secret');
    });

  test('refuses every operation of Envelop when the schema is given by the context', async () => {
    const { server, errors } = createAccounts();
    const byContext = useSchemaByContext((context) => (context as { schema: GraphQLSchema }).schema);
    const engine = useEngine({ parse, validate, execute, subscribe });
    const getEnveloped = envelop({ plugins: [engine, byContext, useAccounts(server)] });
    await Promise.resolve();
    const run = async (schema: GraphQLSchema, source = '{ secret }') => {
      const enveloped = getEnveloped({ schema });
      const contextValue = await enveloped.contextFactory();
      return (await enveloped.execute({
        schema: enveloped.schema,
        document: parse(source),
        contextValue,
      })) as Answer;
    };
    expect(codeIn(await run(FORGOTTEN))).toBe('INTERNAL_SERVER_ERROR');
    expect(codeIn(await run(FORGOTTEN, '{ open }'))).toBe('INTERNAL_SERVER_ERROR');
    expect(codeIn(await run(APPLIED))).toBe('UNAUTHENTICATED');
    expect(await run(NO_ACCOUNTS)).toEqual({ data: { secret: 'text' } });
    expect(codeIn(await run(FORGOTTEN))).toBe('INTERNAL_SERVER_ERROR');
    expect(errors).toHaveLength(1);
  });

  test('refuses an Envelop that asks for its schema before anything else', () => {
    const { server } = createAccounts();
    const engine = useEngine({ parse, validate, execute, subscribe });
    const getEnveloped = envelop({
      plugins: [engine, useSchemaByContext(() => FORGOTTEN), useAccounts(server)],
    });
    expect(() => getEnveloped({})).toThrow(TypeError);
  });
});

describe('S51 a directive that was applied', () => {
  const startsWith = async (schema: GraphQLSchema) => {
    const { server } = createAccounts();
    return createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
  };

  test('is recognised when applied twice', async () => {
    const yoga = await startsWith(auth.authDirectiveTransformer(APPLIED));
    expect(codeIn(await ask(yoga, '{ secret }'))).toBe('UNAUTHENTICATED');
  });

  test('is recognised behind the resolvers of another directive', async () => {
    const upper = mapSchema(APPLIED, {
      [MapperKind.OBJECT_FIELD]: (config) => {
        const { resolve = defaultFieldResolver } = config;
        return { ...config, resolve: async (...args) => String(await resolve(...args)).toUpperCase() };
      },
    });
    const yoga = await startsWith(upper);
    expect(codeIn(await ask(yoga, '{ secret }'))).toBe('UNAUTHENTICATED');
    expect(await ask(yoga, '{ open }')).toEqual({ data: { open: 'TEXT' } });
  });

  test('is recognised in a merged schema, which may have directives of its own', async () => {
    const other = makeExecutableSchema({
      typeDefs: 'directive @own on FIELD_DEFINITION type Query { other: String @own }',
      resolvers: { Query: { other: () => 'other' } },
    });
    const merged = mergeSchemas({ schemas: [APPLIED, other] });
    const yoga = await startsWith(merged);
    expect(codeIn(await ask(yoga, '{ secret }'))).toBe('UNAUTHENTICATED');
    expect(await ask(yoga, '{ other open }')).toEqual({ data: { other: 'other', open: 'text' } });
    await startsWith(auth.authDirectiveTransformer(merged));
  });

  test('holds when its resolver was replaced afterwards', async () => {
    const replaced = mergeSchemas({
      schemas: [APPLIED],
      resolvers: { Query: { secret: () => 'without a guard' } },
    });
    const yoga = await startsWith(replaced);
    const answer = await ask(yoga, '{ secret }');
    expect(codeIn(answer)).toBe('UNAUTHENTICATED');
    expect(JSON.stringify(answer)).not.toContain('without a guard');
  });

  test('does not stand for fields that were merged in later', async () => {
    const later = makeSchema('type Query { later: String @auth }');
    const merged = mergeSchemas({ schemas: [APPLIED, later] });
    await expect(startsWith(merged)).rejects.toThrow(/Query\.later:/);
  });
});

function makeSchema(typeDefs: string): GraphQLSchema {
  return makeExecutableSchema({
    typeDefs: [auth.authDirectiveTypeDefs, typeDefs],
    resolvers: { Query: { open: () => 'text', secret: () => 'text', later: () => 'text' } },
    resolverValidationOptions: { requireResolversToMatchSchema: 'ignore' },
  });
}

async function ask(
  yoga: { fetch: typeof fetch | ((...args: never[]) => unknown) },
  query: string,
): Promise<Answer> {
  const response = await (yoga.fetch as typeof fetch)('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}
