// A diary with accounts: GraphQL at /graphql, by Yoga.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { accountsModule, authDirective, useAccounts } from 'graphql-accounts';
import { createYoga } from 'graphql-yoga';
import { accountsServer, type Context } from '../accounts';

const typeDefs = /* GraphQL */ `
  type Query { diary(page: Int = 1): [String!] @auth }
  type Subscription { pages: String @auth }
`;
const resolvers = {
  Query: {
    diary(_: unknown, { page }: { page: number }, { user }: Context) {
      if (page < 1) throw new RangeError(`there is no page ${page}`);
      return [`Diary of ${user?.id}`];
    },
  },
  Subscription: {
    pages: {
      async *subscribe(_: unknown, __: unknown, { userId }: Context) {
        yield { pages: `Page of ${userId}` };
        // Nothing more is written today.
        await new Promise(() => {});
      },
    },
  },
};

function createHandler() {
  const accounts = accountsModule(accountsServer());
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const schema = authDirectiveTransformer(
    makeExecutableSchema({
      typeDefs: [accounts.typeDefs, authDirectiveTypeDefs, typeDefs],
      resolvers: [accounts.resolvers, resolvers],
    }),
  );
  const plugins = [useAccounts(accountsServer(), { cookie: true }), useDeferStream()];
  return createYoga({ schema, plugins, graphqlEndpoint: '/graphql', fetchAPI: { Response } });
}

let yoga: ReturnType<typeof createHandler> | undefined;
function handle(request: Request) {
  yoga ??= createHandler();
  return yoga.fetch(request);
}

export { handle as GET, handle as OPTIONS, handle as POST };
