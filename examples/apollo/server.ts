// A diary with accounts, on Apollo Server and Express: graphql-ws and graphql-sse for its subscriptions.
import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import { makeExecutableSchema } from '@graphql-tools/schema';
import express from 'express';
import {
  AccountsServer,
  accountsModule,
  authDirective,
  type ContextOf,
  consoleMail,
  password,
} from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { apolloContext, apolloPlugin } from 'graphql-accounts/hosts/apollo';
import { graphqlSseAccounts } from 'graphql-accounts/hosts/graphql-sse';
import { graphqlWsAccounts } from 'graphql-accounts/hosts/graphql-ws';
import { createHandler } from 'graphql-sse/lib/use/express';
import { useServer } from 'graphql-ws/use/ws';
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

const apollo = new ApolloServer<Context>({ schema, plugins: [apolloPlugin(accountsServer)] });
await apollo.start();
const overHttp = expressMiddleware(apollo, { context: apolloContext(accountsServer) });
const overSse = createHandler(graphqlSseAccounts(accountsServer, { schema }));
const app = express();
app.use('/graphql', express.json(), (req, res, next) =>
  req.headers.accept === 'text/event-stream' ? overSse(req, res) : overHttp(req, res, next),
);

const server = createServer(app);
useServer(graphqlWsAccounts(accountsServer, { schema }), new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
