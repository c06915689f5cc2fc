import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { GraphQLObjectType, GraphQLSchema, GraphQLString, graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { createAccounts } from '../accounts.ts';

const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const WAY_OUT =
  /directiveName.*directive @auth\(maxAge: Int, secondFactor: Boolean\) on FIELD_DEFINITION \| OBJECT \| INTERFACE/;

const start = (schema: GraphQLSchema, options = {}) =>
  createYoga({ schema, logging: false, plugins: [useAccounts(createAccounts().server, options)] });

function schemaOf(...typeDefs: string[]): GraphQLSchema {
  return makeExecutableSchema({
    typeDefs: [...typeDefs, 'type Query { open: String }'],
    resolvers: { Query: { open: () => 'open', secret: () => 'secret' } },
    resolverValidationOptions: { requireResolversToMatchSchema: 'ignore' },
  });
}

describe('S51 a directive of our name that is more than ours', () => {
  test.each([
    [
      'the argument requires',
      'directive @auth(requires: Role) on FIELD_DEFINITION | OBJECT enum Role { ADMIN }',
    ],
    ['the argument requires', 'directive @auth(maxAge: Int, requires: String) on FIELD_DEFINITION'],
    ['the argument maxAge', 'directive @auth(maxAge: Int = 600) on FIELD_DEFINITION'],
    ['the argument maxAge', 'directive @auth(maxAge: Int = null) on FIELD_DEFINITION'],
    ['the argument maxAge', 'directive @auth(maxAge: Int!) on FIELD_DEFINITION'],
    ['the argument maxAge', 'directive @auth(maxAge: Float, secondFactor: Boolean) on FIELD_DEFINITION'],
    ['the argument secondFactor', 'directive @auth(secondFactor: Boolean = true) on FIELD_DEFINITION'],
    ['the argument secondFactor', 'directive @auth(secondFactor: String) on FIELD_DEFINITION'],
    ['the argument requires', 'directive @auth(requires: String = "USER") on FIELD_DEFINITION'],
    ['the location UNION', 'directive @auth on FIELD_DEFINITION | UNION'],
    ['the location ENUM', 'directive @auth on ENUM'],
    ['the location SCALAR', 'directive @auth on OBJECT | SCALAR'],
    ['the location ARGUMENT_DEFINITION', 'directive @auth on FIELD_DEFINITION | ARGUMENT_DEFINITION'],
    ['the location INPUT_OBJECT', 'directive @auth on INPUT_OBJECT'],
    ['the location FIELD', 'directive @auth on FIELD'],
    ['the argument a, the location QUERY', 'directive @auth(a: Int) on QUERY'],
  ])('is refused by the transformer and by the plugin: %s', (excess, definition) => {
    const schema = schemaOf(definition);
    for (const use of [() => authDirectiveTransformer(schema), () => start(schema)]) {
      expect(use).toThrow(TypeError);
      expect(use).toThrow(`@auth is declared with ${excess}, which would be ignored`);
      expect(use).toThrow(WAY_OUT);
    }
    expect(() => start(schema, { directiveName: 'loggedIn' })).not.toThrow();
  });

  test('is refused after another schema was merged in', () => {
    const applied = authDirectiveTransformer(
      schemaOf(authDirectiveTypeDefs, 'type Query { secret: String @auth }'),
    );
    const other = schemaOf('directive @auth on FIELD_DEFINITION | UNION');
    expect(() => start(mergeSchemas({ schemas: [applied, other] }))).toThrow('the location UNION');
  });

  test('is refused where it is used with arguments and declared nowhere', () => {
    const extensions = { directives: { auth: { requires: 'ADMIN' } } };
    const query = new GraphQLObjectType({
      name: 'Query',
      fields: { secret: { type: GraphQLString, extensions } },
    });
    const schema = new GraphQLSchema({ query });
    for (const use of [() => authDirectiveTransformer(schema), () => start(schema)])
      expect(use).toThrow('@auth has the argument requires, which would be ignored');
  });

  test.each([{ name: 'auth' }, { name: 'auth', args: {} }, { name: 'auth', args: { maxAge: 60 } }])(
    'S51 is found in the list that code writes directives as: %j',
    async (use) => {
      const extensions = { directives: [{ name: 'other' }, null, use] };
      const query = new GraphQLObjectType({
        name: 'Query',
        fields: { secret: { type: GraphQLString, extensions, resolve: () => 'the treasure' } },
      });
      const schema = new GraphQLSchema({ query });
      expect(() => start(schema)).toThrow('@auth stands in the schema but was not applied to Query.secret');
      const applied = authDirectiveTransformer(schema);
      expect(() => start(applied)).not.toThrow();
      const { errors } = await graphql({
        schema: applied,
        source: '{ secret }',
        contextValue: { accounts: {} },
      });
      expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    },
  );

  test.each([
    'directive @auth on FIELD_DEFINITION | OBJECT',
    'directive @auth on FIELD_DEFINITION',
    'directive @auth repeatable on INTERFACE | FIELD_DEFINITION',
    'directive @auth(maxAge: Int) on FIELD_DEFINITION',
    'directive @auth(secondFactor: Boolean, maxAge: Int) on FIELD_DEFINITION',
    authDirectiveTypeDefs,
  ])('and works when declared as %s', async (definition) => {
    const schema = authDirectiveTransformer(schemaOf(definition, 'type Query { secret: String @auth }'));
    expect(() => start(schema)).not.toThrow();
    const { errors } = await graphql({ schema, source: '{ secret }', contextValue: { accounts: {} } });
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  test('and when several modules declare it', () => {
    const twice = schemaOf(authDirectiveTypeDefs, authDirectiveTypeDefs, 'directive @auth on OBJECT');
    expect(() => start(authDirectiveTransformer(twice))).not.toThrow();
  });
});

test('S51 ours is judged under whatever name it was declared', async () => {
  const loggedIn = authDirective('loggedIn');
  const forgotten = schemaOf(loggedIn.authDirectiveTypeDefs, 'type Query { secret: String @loggedIn }');
  expect(() => start(forgotten)).toThrow(
    /@loggedIn stands in the schema but was not applied to Query\.secret/,
  );
  expect(() => start(loggedIn.authDirectiveTransformer(forgotten))).not.toThrow();
});
