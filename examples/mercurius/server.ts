// A diary with accounts, on Mercurius and Fastify: queries and mutations over HTTP, subscriptions over its WebSocket.
import { makeExecutableSchema } from '@graphql-tools/schema';
import fastify from 'fastify';
import {
  AccountsServer,
  accountsModule,
  authDirective,
  type ContextOf,
  consoleMail,
  password,
} from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { mercuriusAccounts } from 'graphql-accounts/hosts/mercurius';
import mercurius from 'mercurius';

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

const app = fastify();
app.register(mercurius, { schema, subscription: { context: (socket) => ({ socket }) } });
app.register(mercuriusAccounts(accountsServer));

const address = await app.listen({ port: Number(process.env.PORT ?? 4000), host: '127.0.0.1' });
console.log(`listening at ${address}/graphql`);
