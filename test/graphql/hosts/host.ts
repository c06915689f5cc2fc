import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type GraphQLSchema, graphql } from 'graphql';
import { onTestFinished } from 'vitest';
import { authDirective } from '../../../src/graphql/auth-directive/index.ts';
import type { AccountsContext } from '../../../src/graphql/context.ts';
import { accountsModule } from '../../../src/graphql/module.ts';
import { AccountsError } from '../../../src/index.ts';
import { createAccounts, PASSWORD } from '../../accounts.ts';

export const LOG_IN = (typed: string = PASSWORD) => `mutation {
  authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${typed}" }) {
    tokens { accessToken }
  }
}`;
/** Without it the cookie would not be set (S50). */
export const FROM_PAGE = { 'x-accounts-csrf': '1' };

/** A diary, with the directive applied and without. */
export function createDiary() {
  const accounts = createAccounts();
  const { typeDefs, resolvers } = accountsModule(accounts.server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const unguarded = makeExecutableSchema({
    typeDefs: [typeDefs, authDirectiveTypeDefs, 'type Query { diary: String @auth, refuse: String }'],
    resolvers: [
      resolvers,
      {
        Query: {
          diary: (_: unknown, __: unknown, { userId }: AccountsContext) => `Diary of ${userId}`,
          refuse: () => {
            throw new AccountsError('FORBIDDEN');
          },
        },
      },
    ],
  });
  return { ...accounts, unguarded, schema: authDirectiveTransformer(unguarded) };
}

/** Serves a schema over real HTTP as hosts do: one context for each request, whatever number of operations it holds. */
export async function serve(
  schema: GraphQLSchema,
  contextOf: (req: IncomingMessage, res: ServerResponse) => Promise<object>,
) {
  const http = createServer(async (req, res) => {
    const body = (await json(req)) as { query: string }[];
    const contextValue = await contextOf(req, res);
    const results = body.map(({ query }) => graphql({ schema, source: query, contextValue }));
    res.end(JSON.stringify(await Promise.all(results)));
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void http.close());
  const { port } = http.address() as AddressInfo;
  return async (queries: string[], headers: Record<string, string> = {}) => {
    const body = JSON.stringify(queries.map((query) => ({ query })));
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body });
    const results = (await response.json()) as {
      data: { [field: string]: unknown } | null;
      errors?: { message: string; extensions?: { code?: string } }[];
    }[];
    return { headers: response.headers, results };
  };
}
