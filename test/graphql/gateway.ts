import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { type AccountsModuleOptions, accountsModule } from '../../src/graphql/module.ts';
import { type UseAccountsOptions, useAccounts } from '../../src/graphql/use-accounts.ts';
import type { AccountsServerOptions, PasswordOptions } from '../../src/index.ts';
import { createAccounts } from '../accounts.ts';

export const auth = authDirective();

const MINE = /* GraphQL */ `
  type Query {
    hello: String
    secret: String @auth
    whoAmI: String
  }
`;

const RESOLVERS = {
  Query: {
    hello: () => 'world',
    secret: () => 'the treasure',
    whoAmI: (_parent: unknown, _args: unknown, { userId }: { userId: string | null }) => userId,
  },
};

export type Answer = {
  data?: Record<string, never> | null;
  errors?: { message: string; extensions?: Record<string, unknown>; path?: unknown }[];
};

/** A gateway with a field of its own, on Yoga: what the README's five lines make. */
export function createGateway(
  options: Partial<AccountsServerOptions> = {},
  {
    plugin,
    module,
    yoga,
  }: { plugin?: UseAccountsOptions; module?: AccountsModuleOptions; yoga?: object } = {},
  passwordOptions?: PasswordOptions,
) {
  const accounts = createAccounts(options, passwordOptions);
  const { typeDefs, resolvers } = accountsModule(accounts.server, module);
  const schema: GraphQLSchema = auth.authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [typeDefs, auth.authDirectiveTypeDefs, MINE],
      resolvers: [resolvers, RESOLVERS],
    }),
  );
  const server = createYoga({
    schema,
    logging: false,
    plugins: [useAccounts(accounts.server, plugin)],
    ...yoga,
  });
  const post = (body: unknown, token?: string, headers: Record<string, string> = {}) =>
    server.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  return {
    ...accounts,
    schema,
    yoga: server,
    post,
    /** Asks one operation; what came back. */
    async ask(query: string, { token, variables }: { token?: string; variables?: object } = {}) {
      const response = await post({ query, variables }, token);
      return (await response.json()) as Answer;
    },
  };
}

/** The code of the first error of an answer. */
export function codeIn(answer: Answer): unknown {
  return answer.errors?.[0]?.extensions?.code ?? null;
}
