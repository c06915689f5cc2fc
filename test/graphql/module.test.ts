import { makeExecutableSchema } from '@graphql-tools/schema';
import { buildASTSchema, buildSchema, graphql, parse, printSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { AccountsServer, type ServiceFactory } from '../../src/index.ts';
import { createAccounts, SECRET } from '../accounts.ts';

const { server } = createAccounts();

/** A service with a field in each root type, one of which needs a session. */
const greeter: ServiceFactory = {
  create: () => ({
    operations: {
      typeDefs:
        'extend type Query { greeting: String } extend type Mutation { greet(name: String!): String }',
      Query: { greeting: () => 'hello' },
      Mutation: { greet: ({ name }: { name: string }) => `hello ${name}` },
      needsSession: ['greet'],
    },
  }),
};
const withServices = (services: { [name: string]: ServiceFactory }) =>
  new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET }, services);

describe('accountsModule', () => {
  test('gives SDL that is a schema by itself, and a resolver for each field', () => {
    const { typeDefs, resolvers } = accountsModule(server);
    const schema = buildSchema(typeDefs);
    for (const type of [schema.getQueryType(), schema.getMutationType()])
      expect(Object.keys(resolvers[type?.name ?? ''] ?? {}).toSorted()).toEqual(
        Object.keys(type?.getFields() ?? {}).toSorted(),
      );
  });

  test('merges with a host that defines or extends the root types', () => {
    const { typeDefs, resolvers } = accountsModule(server);
    for (const mine of [
      'type Query { mine: Int } type Mutation { mine: Int }',
      'extend type Query { mine: Int }',
    ]) {
      const schema = makeExecutableSchema({
        typeDefs: [typeDefs, `${mine} extend type User { nickname: String }`],
        resolvers: [resolvers, { Query: { mine: () => 1 } }],
      });
      expect(Object.keys(schema.getQueryType()?.getFields() ?? {}).toSorted()).toEqual(['getUser', 'mine']);
    }
  });

  test('extends the root types of a host that does not merge', () => {
    const { typeDefs } = accountsModule(server, { extendTypeDefs: true });
    expect(typeDefs).toMatch(/^extend type Query {/);
    expect(typeDefs).not.toMatch(/^type (Query|Mutation)/m);
    const schema = buildASTSchema(parse(`type Query { mine: Int } type Mutation { mine: Int } ${typeDefs}`));
    expect(Object.keys(schema.getQueryType()?.getFields() ?? {})).toEqual(['mine', 'getUser']);
  });

  test('follows root types of other names', async () => {
    const { typeDefs, resolvers } = accountsModule(withServices({ greeter }), {
      rootQueryName: 'Questions',
      rootMutationName: 'Orders',
    });
    const schema = makeExecutableSchema({
      typeDefs: [typeDefs, 'schema { query: Questions mutation: Orders }'],
      resolvers,
    });
    expect(await graphql({ schema, source: '{ getUser { id } greeting }' })).toEqual({
      data: { getUser: null, greeting: 'hello' },
    });
    expect(await graphql({ schema, source: 'mutation { greet(name: "Ada") }' })).toEqual({
      data: { greet: 'hello Ada' },
    });
  });

  test('marks the fields that need a session when asked to, and they are refused as they are without', async () => {
    const { typeDefs, resolvers } = accountsModule(withServices({ greeter }), { directiveName: 'loggedIn' });
    expect(typeDefs).toContain('greet(name: String!): String @loggedIn');
    expect(typeDefs.match(/@/g)?.length).toBe(
      1 + (accountsModule(withServices({ greeter })).typeDefs.match(/@/g)?.length ?? 0),
    );
    const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective('loggedIn');
    const schema = authDirectiveTransformer(
      makeExecutableSchema({ typeDefs: [typeDefs, authDirectiveTypeDefs], resolvers }),
    );
    const { errors } = await graphql({ schema, source: 'mutation { greet(name: "Ada") }' });
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(accountsModule(withServices({ greeter })).typeDefs).not.toContain('@loggedIn');
  });

  test('of a server that only verifies tokens has no operations', async () => {
    const micro = createAccounts({ micro: true }).server;
    const { typeDefs, resolvers } = accountsModule(micro);
    expect(resolvers).toEqual({});
    const schema = makeExecutableSchema({ typeDefs, resolvers });
    expect(await graphql({ schema, source: '{ _accounts_core }' })).toEqual({
      data: { _accounts_core: null },
    });
    expect(accountsModule(micro, { extendTypeDefs: true }).typeDefs).toMatch(/^extend type Query/);
  });

  test('adapts nothing but the root types', () => {
    const plain = buildSchema(accountsModule(server).typeDefs);
    const extended = accountsModule(server, { extendTypeDefs: true }).typeDefs;
    const other = buildSchema(`type Query type Mutation ${extended}`);
    expect(printSchema(other)).toBe(printSchema(plain));
  });

  test('refuses a wrong option, and two services with one operation', () => {
    for (const options of [
      { extend: true },
      { extendTypeDefs: 'yes' },
      { rootQueryName: '' },
      { rootMutationName: 'Two Words' },
      { directiveName: '@auth' },
      { withSchemaDefinition: true },
      { userAsInterface: true },
      { micro: true },
    ])
      expect(() => accountsModule(server, options as never)).toThrow(TypeError);
    expect(() => accountsModule(withServices({ greeter, again: greeter }))).toThrow(/greet/);
    for (const none of [undefined, null, {}, { extendTypeDefs: true }])
      expect(() => accountsModule(none as never)).toThrow('accountsModule needs the AccountsServer');
  });
});
