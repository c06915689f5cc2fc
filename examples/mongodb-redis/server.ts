// A gateway of one's own: users in MongoDB, sessions in Redis, a field for those who are logged in.
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  type AccountsContext,
  AccountsServer,
  accountsModule,
  authDirective,
  password,
  useAccounts,
} from 'graphql-accounts';
import { mongooseDatabase } from 'graphql-accounts/database/mongoose';
import { redisSessions } from 'graphql-accounts/database/redis';
import { createYoga } from 'graphql-yoga';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';

const {
  DATABASE_URL = 'mongodb://127.0.0.1:27017/accounts',
  SESSIONS_URL = 'redis://127.0.0.1:6379',
  TOKEN_SECRET,
  PORT = '4000',
} = process.env;

// Look-ups end by themselves when the network goes silent.
await mongoose.connect(DATABASE_URL, { socketTimeoutMS: 5_000 });
const redis = new Redis(SESSIONS_URL);
// Whoever asks for a session learns that Redis is away; this is for the log.
redis.on('error', ({ message }) => console.error(`Redis: ${message}`));

const sessions = redisSessions(redis);
for (const warning of await sessions.warnings()) console.warn(warning);
const db = { ...mongooseDatabase(mongoose.connection), sessions };
// Says so at once when the collections are missing: `npm run migrate` makes them.
await db.ping?.();

const accountsServer = new AccountsServer({ db, tokenSecret: TOKEN_SECRET }, { password: password() });

const accounts = accountsModule(accountsServer);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const schema = authDirectiveTransformer(
  makeExecutableSchema<AccountsContext>({
    typeDefs: [
      accounts.typeDefs,
      authDirectiveTypeDefs,
      /* GraphQL */ `
        extend type Query {
          greeting: String! @auth
        }
      `,
    ],
    resolvers: [
      accounts.resolvers,
      { Query: { greeting: (_, __, { user }) => `Hello, ${user?.emails?.[0]?.address ?? 'somebody'}!` } },
    ],
  }),
);

const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer)] });
const server = createServer(yoga).listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : PORT;
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});

process.once('SIGTERM', async () => {
  server.close();
  await accountsServer.settled();
  await mongoose.disconnect();
  redis.disconnect();
});
