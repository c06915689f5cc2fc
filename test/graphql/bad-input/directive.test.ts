// The directive left unapplied, applied twice or too early, and schemas that change while the server runs.
import { envelop, useEngine, useSchemaByContext } from '@envelop/core';
import { addResolversToSchema, makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { filterSchema, MapperKind, mapSchema, pruneSchema } from '@graphql-tools/utils';
import {
  execute,
  extendSchema,
  type GraphQLSchema,
  graphql,
  lexicographicSortSchema,
  parse,
  subscribe,
  validate,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { authDirective } from '../../../src/graphql/auth-directive/index.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import { createAccounts } from '../../accounts.ts';
import { type Answer, codeIn } from '../gateway.ts';

const TYPE_DEFS = /* GraphQL */ `
  type Query { open: String secret: String @auth mine: Mine }
  type Mine @auth { name: String }
  type Subscription { ticks: Int @auth }
`;
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const make = (directive = authDirectiveTypeDefs, typeDefs = TYPE_DEFS) =>
  makeExecutableSchema({
    typeDefs: [directive, typeDefs],
    resolvers: {
      Query: { open: () => 'open', secret: () => 'the treasure', mine: () => ({ name: 'the treasure' }) },
      Subscription: {
        ticks: {
          subscribe: async function* () {
            yield { ticks: 1 };
          },
        },
      },
    },
    resolverValidationOptions: { requireResolversToMatchSchema: 'ignore' },
  });
const FORGOTTEN = make();
const APPLIED = authDirectiveTransformer(FORGOTTEN);
const OTHER = makeExecutableSchema({
  typeDefs: 'type Query { other: String }',
  resolvers: { Query: { other: () => 'other' } },
});

const QUERIES = [
  '{ secret }',
  '{ mine { name } }',
  '{ a: secret ...F } fragment F on Query { mine { n: name } }',
];

async function holds(schema: GraphQLSchema): Promise<void> {
  for (const source of QUERIES) {
    const answer = await graphql({ schema, source, contextValue: { accounts: {} } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(
      answer.errors?.map(() => 'UNAUTHENTICATED'),
    );
    expect(answer.errors?.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer.data ?? null)).not.toContain('treasure');
  }
  const ticks = await subscribe({
    schema,
    document: parse('subscription { ticks }'),
    contextValue: { accounts: {} },
  });
  expect(ticks).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
}

/** What other tools make of a schema. */
const REMADE: [string, (schema: GraphQLSchema) => GraphQLSchema][] = [
  ['nothing', (schema) => schema],
  ['the transformer again', authDirectiveTransformer],
  ['mergeSchemas', (schema) => mergeSchemas({ schemas: [schema, OTHER] })],
  [
    'mergeSchemas, twice',
    (schema) => mergeSchemas({ schemas: [mergeSchemas({ schemas: [OTHER, schema] }), schema] }),
  ],
  ['filterSchema', (schema) => filterSchema({ schema, rootFieldFilter: (_, name) => name !== 'open' })],
  ['pruneSchema', (schema) => pruneSchema(schema)],
  ['mapSchema', (schema) => mapSchema(schema, { [MapperKind.OBJECT_FIELD]: (config) => ({ ...config }) })],
  ['lexicographicSortSchema', (schema) => lexicographicSortSchema(schema)],
  ['extendSchema', (schema) => extendSchema(schema, parse('extend type Query { more: Int }'))],
  [
    'addResolversToSchema',
    (schema) => addResolversToSchema({ schema, resolvers: { Query: { open: () => 'new' } } }),
  ],
];
const start = (schema: GraphQLSchema) =>
  createYoga({ schema, logging: false, plugins: [useAccounts(createAccounts().server)] });

describe('S51 guards that were applied before', () => {
  test.each(REMADE)('hold after %s, with and without the plugin', async (_, remake) => {
    const schema = remake(APPLIED);
    await holds(schema);
    start(schema);
    await holds(schema);
  });

  test.each(REMADE)('hold after %s and the transformer', async (_, remake) => {
    await holds(authDirectiveTransformer(remake(APPLIED)));
    await holds(authDirectiveTransformer(remake(FORGOTTEN)));
  });

  test('hold after addResolversToSchema has replaced what they guard, once the plugin has seen it', async () => {
    const schema = addResolversToSchema({
      schema: APPLIED,
      resolvers: { Query: { secret: () => 'the treasure' }, Mine: { name: () => 'the treasure' } },
    });
    start(schema);
    await holds(schema);
  });

  test('do not stand for a type that another schema adds fields to', () => {
    const later = make(authDirectiveTypeDefs, 'type Query { later: Mine } type Mine { email: String }');
    expect(() => start(mergeSchemas({ schemas: [APPLIED, later] }))).toThrow(
      'was not applied to Mine.email:',
    );
  });
});

describe('S51 a directive that was forgotten', () => {
  test.each(REMADE.filter(([name]) => name !== 'the transformer again'))(
    'is noticed after %s, by the name of each field',
    (_, remake) => {
      const begin = () => start(remake(FORGOTTEN));
      expect(begin).toThrow(TypeError);
      expect(begin).toThrow(/^@auth stands in the schema but was not applied to /);
      for (const field of ['Query.secret', 'Mine.name', 'Subscription.ticks']) expect(begin).toThrow(field);
      expect(begin).not.toThrow('Query.open');
    },
  );
});

describe('S51 a schema that is swapped while the server runs', () => {
  const loggedIn = authDirective('loggedIn');
  const RENAMED = make(loggedIn.authDirectiveTypeDefs, TYPE_DEFS.replaceAll('@auth', '@loggedIn'));
  const RENAMED_APPLIED = loggedIn.authDirectiveTransformer(RENAMED);
  const UNGUARDED = makeExecutableSchema({
    typeDefs: 'type Query { open: String }',
    resolvers: { Query: { open: () => 'open' } },
  });

  /** Each with what its open field and its secret one answer. */
  const STEPS: [GraphQLSchema, string, string][] = [
    [APPLIED, 'open', 'UNAUTHENTICATED'],
    [FORGOTTEN, 'INTERNAL_SERVER_ERROR', 'INTERNAL_SERVER_ERROR'],
    [FORGOTTEN, 'INTERNAL_SERVER_ERROR', 'INTERNAL_SERVER_ERROR'],
    [APPLIED, 'open', 'UNAUTHENTICATED'],
    [UNGUARDED, 'open', 'GRAPHQL_VALIDATION_FAILED'],
    [RENAMED, 'INTERNAL_SERVER_ERROR', 'INTERNAL_SERVER_ERROR'],
    [RENAMED_APPLIED, 'open', 'UNAUTHENTICATED'],
    [mergeSchemas({ schemas: [APPLIED, RENAMED_APPLIED] }), 'open', 'UNAUTHENTICATED'],
    [
      mergeSchemas({ schemas: [APPLIED, make(authDirectiveTypeDefs, 'type Query { later: Int @auth }')] }),
      'INTERNAL_SERVER_ERROR',
      'INTERNAL_SERVER_ERROR',
    ],
    [APPLIED, 'open', 'UNAUTHENTICATED'],
  ];

  test('of Yoga: each is judged, whatever came before it', async () => {
    const { server, errors } = createAccounts();
    let current = APPLIED;
    const yoga = createYoga({ schema: () => current, logging: false, plugins: [useAccounts(server)] });
    const ask = async (query: string): Promise<Answer> => {
      const response = await yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query }),
      });
      return (await response.json()) as Answer;
    };
    for (const [schema, open, secret] of STEPS) {
      current = schema;
      const answer = await ask('{ open }');
      expect(codeIn(answer) ?? answer.data?.open).toBe(open);
      const refused = await ask('{ secret }');
      expect(codeIn(refused) ?? 'GRAPHQL_VALIDATION_FAILED').toBe(secret);
      expect(JSON.stringify(refused.data ?? null)).not.toContain('treasure');
    }
    // Once for each bad schema.
    expect(errors.map(({ error }) => String(error).slice(0, 45))).toEqual([
      'TypeError: @auth stands in the schema but was',
      'TypeError: @loggedIn stands in the schema but',
      'TypeError: @auth stands in the schema but was',
    ]);
  });

  test('by the context of Envelop: two at a time keep their own verdicts', async () => {
    const { server } = createAccounts();
    const byContext = useSchemaByContext((context) => (context as { schema: GraphQLSchema }).schema);
    const engine = useEngine({ parse, validate, execute, subscribe });
    const getEnveloped = envelop({ plugins: [engine, byContext, useAccounts(server)] });
    await Promise.resolve();
    const run = async (schema: GraphQLSchema, source: string) => {
      const enveloped = getEnveloped({ schema });
      const contextValue = await enveloped.contextFactory();
      const document = parse(source);
      return (await enveloped.execute({ schema: enveloped.schema, document, contextValue })) as Answer;
    };
    const answers = await Promise.all(STEPS.map(([schema]) => run(schema, '{ open }')));
    expect(answers.map((answer) => codeIn(answer) ?? answer.data?.open)).toEqual(
      STEPS.map(([, open]) => open),
    );
  });
});
