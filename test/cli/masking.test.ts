import type { Server } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLError } from 'graphql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { graphqlEndpoint } from '../../src/cli/graphql/endpoint.ts';
import { createRouter } from '../../src/cli/http/router.ts';
import { createHttpServer, listen } from '../../src/cli/http/server.ts';
import { post } from './child.ts';

const CANARY = 'canary of a driver';
const MASKED = { code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' };

let server: Server | undefined;
let reported: unknown[];
beforeEach(() => {
  reported = [];
});
afterEach(() => server?.close());

test.each<[string, () => unknown]>([
  ['throws an Error', () => fail(new Error(CANARY))],
  ['throws a GraphQLError without a code', () => fail(new GraphQLError(CANARY))],
  [
    'throws one with a code of its own',
    () => fail(new GraphQLError(CANARY, { extensions: { code: CANARY } })),
  ],
  [
    'throws one with a name of the prototype',
    () => fail(new GraphQLError(CANARY, { extensions: { code: 'toString' } })),
  ],
  ['throws a string', () => fail(CANARY)],
  ['throws nothing', () => fail(undefined)],
  ['rejects', () => Promise.reject(new Error(CANARY))],
  ['answers what does not fit', () => ({ [CANARY]: 1 })],
])('S45 a resolver that %s says nothing, and is reported', async (_, resolve) => {
  const { text, code } = await post(await serve(resolve), '{"query":"{ field }"}');
  expect(text).not.toContain(CANARY);
  expect(code).toBe(MASKED.code);
  expect(text).toContain(MASKED.message);
  expect(reported).toHaveLength(1);
});

test.each<[string, () => object | Promise<object>]>([
  ['throws', () => fail(new Error(CANARY))],
  ['rejects', () => Promise.reject(new Error(CANARY))],
])('S45 a context that %s says nothing, and is reported', async (_, context) => {
  const { text, status, code } = await post(await serve(() => 1, context), '{"query":"{ field }"}');
  expect(text).not.toContain(CANARY);
  expect({ status, code }).toEqual({ status: 500, code: MASKED.code });
  expect(reported).toHaveLength(1);
});

test('what is ours passes, with what belongs to it', async () => {
  const extensions = { code: 'BUSY', retryable: true };
  const resolve = () => fail(new GraphQLError('The server is busy.', { extensions }));
  const { text, status } = await post(await serve(resolve), '{"query":"{ field }"}');
  expect(JSON.parse(text).errors).toEqual([
    { message: 'The server is busy.', path: ['field'], locations: [{ line: 1, column: 3 }], extensions },
  ]);
  expect(status).toBe(200);
  expect(reported).toEqual([]);
});

async function serve(
  resolve: () => unknown,
  context: () => object | Promise<object> = () => ({}),
): Promise<string> {
  const schema = makeExecutableSchema({
    typeDefs: 'type Query { field: Int }',
    resolvers: { Query: { field: resolve } },
  });
  const report = (error: unknown): void => void reported.push(error);
  const graphql = graphqlEndpoint({
    schema,
    context,
    introspection: true,
    trustedOrigins: [],
    graphiql: null,
    accessLog: null,
    report,
  });
  const routes = { graphql, health: () => {}, pages: () => false as const, accessLog: null, report };
  server = createHttpServer(createRouter(routes));
  return `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}/graphql`;
}

function fail(error: unknown): never {
  throw error;
}
