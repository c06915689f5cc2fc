// A diary with accounts, stitched of two schemas: one that was there before, and one with the accounts.
import { createServer } from 'node:http';
import { delegateToSchema } from '@graphql-tools/delegate';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { stitchSchemas } from '@graphql-tools/stitch';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { type GraphQLResolveInfo, OperationTypeNode } from 'graphql';
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
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
type Context = ContextOf<typeof accountsServer>;
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();

const accounts = makeExecutableSchema(accountsModule(accountsServer));
const diary = makeExecutableSchema({
  typeDefs: [
    authDirectiveTypeDefs,
    /* GraphQL */ `
      type Query { diary(page: Int = 1): [String!] @auth }
      type Subscription { pages: String @auth }
    `,
  ],
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

// Guarded here as well, the diary keeps strangers out of whatever it is stitched into.
const diaries = { schema: authDirectiveTransformer(diary) };
const schema = authDirectiveTransformer(
  stitchSchemas({
    subschemas: [{ schema: accounts }, diaries],
    typeDefs: 'extend type User { diary: [String!] @auth }',
    resolvers: {
      User: {
        diary: (_: unknown, __: unknown, context: Context, info: GraphQLResolveInfo) =>
          delegateToSchema({ schema: diaries, operation: OperationTypeNode.QUERY, context, info }),
      },
    },
  }),
);
const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer), useDeferStream()] });

const server = createServer(yoga);
useServer(graphqlWsAccounts(accountsServer, { schema }), new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
