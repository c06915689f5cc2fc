// A diary with accounts, on Yoga as a Fetch handler: `deno serve`, Bun and others take it as it is, and server.ts serves it on Node.
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
import { createYoga } from 'graphql-yoga';

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

const yoga = createYoga({
  schema,
  plugins: [
    useAccounts(accountsServer, {
      // Set by whatever stands in front, and never taken from the client: by server.ts here.
      clientAddress: (request) => request.headers.get('x-client-address'),
    }),
    useDeferStream(),
  ],
});

export default { fetch: (request: Request) => yoga.fetch(request) };
