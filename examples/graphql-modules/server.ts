// A diary with accounts, of GraphQL Modules: one module is the accounts, the other the diary.
import { createServer } from 'node:http';
import { useGraphQLModules } from '@envelop/graphql-modules';
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
import { graphqlWsAccounts } from 'graphql-accounts/hosts/graphql-ws';
import { createApplication, createModule, gql } from 'graphql-modules';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
type Context = ContextOf<typeof accountsServer>;

const { typeDefs, resolvers } = accountsModule(accountsServer);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();

const accounts = createModule({
  id: 'accounts',
  typeDefs: [gql(typeDefs), gql(authDirectiveTypeDefs)],
  resolvers,
});
const diary = createModule({
  id: 'diary',
  typeDefs: gql`
    extend type Query { diary(page: Int = 1): [String!] @auth }
    type Subscription { pages: String @auth }
  `,
  resolvers: {
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
  },
});

const application = createApplication({
  modules: [accounts, diary],
  schemaBuilder: ({ typeDefs, resolvers }) =>
    authDirectiveTransformer(makeExecutableSchema({ typeDefs, resolvers })),
});
const yoga = createYoga({
  plugins: [useGraphQLModules(application), useAccounts(accountsServer), useDeferStream()],
});

const server = createServer(yoga);
const { schema } = application;
useServer(
  graphqlWsAccounts(accountsServer, {
    schema,
    execute: application.createExecution(),
    subscribe: application.createSubscription(),
  }),
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
