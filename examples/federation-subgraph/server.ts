// A diary and books with accounts, as a subgraph of Federation 2.
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { parse } from 'graphql';
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

const accounts = accountsModule(accountsServer, { extendTypeDefs: true });
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();

const typeDefs = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])

  type Query { diary(page: Int = 1): [String!] @auth }
  type Subscription { pages: String @auth }
  type Book @key(fields: "id") { id: ID! title: String notes: String @auth }
  extend type User @key(fields: "id")
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
  Book: {
    __resolveReference: ({ id }: { id: string }) => ({ id, title: `Book ${id}`, notes: `Notes on ${id}` }),
  },
  User: {
    // Of others no more than the id: whoever can write a query can write a representation.
    __resolveReference: ({ id }: { id: string }, { user }: Context) => (user?.id === id ? user : { id }),
  },
};

const schema = authDirectiveTransformer(
  buildSubgraphSchema([
    { typeDefs: parse([accounts.typeDefs, authDirectiveTypeDefs].join('\n')), resolvers: accounts.resolvers },
    { typeDefs: parse(typeDefs), resolvers },
  ]),
);
const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer), useDeferStream()] });

const server = createServer(yoga);
useServer(graphqlWsAccounts(accountsServer, { schema }), new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
