// What stands behind the gateway: the accounts, and a diary. In earnest each is a program of its own, on one database.
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { composeServices } from '@theguild/federation-composition';
import { type GraphQLSchema, parse } from 'graphql';
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
import { createYoga } from 'graphql-yoga';

export const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
export type Context = ContextOf<typeof accountsServer>;

const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const federated = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])';

const { typeDefs, resolvers } = accountsModule(accountsServer);
const accounts = {
  typeDefs: parse(`${federated} ${typeDefs} extend type User @key(fields: "id")`),
  resolvers,
};
const diary = {
  typeDefs: parse(`
    ${federated}
    ${authDirectiveTypeDefs}
    type Query { diary(page: Int = 1): [String!] @auth }
    type Subscription { pages: String @auth }
    type User @key(fields: "id") { id: ID! pages: Int @auth }
  `),
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
    User: {
      pages: ({ id }: { id: string }, _: unknown, { userId }: Context) => (id === userId ? 1 : null),
    },
  },
};

/** Starts both, and makes the supergraph of them that a registry would give. */
export async function startSubgraphs(): Promise<string> {
  const services = [
    { name: 'accounts', typeDefs: accounts.typeDefs, url: await serve(buildSubgraphSchema([accounts])) },
    { name: 'diary', typeDefs: diary.typeDefs, url: await serve(buildSubgraphSchema([diary])) },
  ];
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new AggregateError(errors ?? []);
  return supergraphSdl;
}

async function serve(subgraph: GraphQLSchema): Promise<string> {
  const schema = authDirectiveTransformer(subgraph);
  // The gateway says whose request it passes on.
  const plugins = [useAccounts(accountsServer, { trustedProxies: ['127.0.0.1'] })];
  const server = createServer(createYoga({ schema, plugins }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/graphql`;
}
