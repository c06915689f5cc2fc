// A diary with accounts, on Yoga: queries and mutations over HTTP, subscriptions as server-sent events and over graphql-ws.
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import {
  AccountsServer,
  accountsModule,
  authDirective,
  type ContextOf,
  consoleMail,
  password,
  useAccounts,
} from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
type Context = ContextOf<typeof accountsServer>;

const accounts = accountsModule(accountsServer);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();

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

const schema = authDirectiveTransformer(
  makeExecutableSchema({
    typeDefs: [accounts.typeDefs, authDirectiveTypeDefs, typeDefs],
    resolvers: [accounts.resolvers, resolvers],
  }),
);

const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer), useDeferStream()] });

const server = createServer(yoga);
const { execute, subscribe } = yoga.getEnveloped();
useServer(
  {
    execute,
    subscribe,
    async onSubscribe(socket, _id, { query, operationName, variables }) {
      const { schema, parse, validate, contextFactory } = yoga.getEnveloped(socket);
      const document = parse(query);
      const errors = validate(schema, document);
      if (errors.length > 0) return errors;
      return {
        schema,
        document,
        operationName,
        variableValues: variables,
        contextValue: await contextFactory(),
      };
    },
  },
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
