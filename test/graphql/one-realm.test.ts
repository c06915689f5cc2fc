import { makeExecutableSchema } from '@graphql-tools/schema';
import { mapSchema } from '@graphql-tools/utils';
import { GraphQLError, GraphQLSchema, versionInfo } from 'graphql';
import { createGraphQLError } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { toGraphQLError } from '../../src/graphql/graphql-error.ts';
import { AccountsError } from '../../src/index.ts';

test('these tests run on the graphql that they are meant for', () => {
  expect(versionInfo.major).toBe(Number(process.env.GRAPHQL_MAJOR ?? 17));
});

test('the tools, the server and we have one copy of graphql', () => {
  expect(createGraphQLError('of Yoga')).toBeInstanceOf(GraphQLError);
  expect(toGraphQLError(new AccountsError('UNAUTHENTICATED'))).toBeInstanceOf(GraphQLError);
  const schema = makeExecutableSchema({ typeDefs: 'type Query { a: Int }' });
  expect(schema).toBeInstanceOf(GraphQLSchema);
  expect(mapSchema(schema, {})).toBeInstanceOf(GraphQLSchema);
  expect(authDirective().authDirectiveTransformer(schema)).toBeInstanceOf(GraphQLSchema);
});
