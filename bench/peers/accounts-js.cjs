// accounts-js as published, with its GraphQL module on Yoga, as fast as its documentation allows.
//
// Its database is in memory: no driver of it is as fast. The documents are parsed and validated once, as ours are. Its
// schema is built once, and its context for each request, as its documentation has it. CommonJS, as its
// packages are: one copy of graphql.
require('reflect-metadata');
const { createServer } = require('node:http');
const { AccountsModule } = require('@accounts/graphql-api');
const { AccountsPassword } = require('@accounts/password');
const { AccountsServer } = require('@accounts/server');
const { mergeResolvers, mergeTypeDefs } = require('@graphql-tools/merge');
const { makeExecutableSchema } = require('@graphql-tools/schema');
const { createYoga } = require('graphql-yoga');
const { serveBench } = require('../children.ts');
const { memoryDatabase } = require('./accounts-js-memory.cjs');

const password = new AccountsPassword();
const accounts = new AccountsServer(
  {
    db: memoryDatabase(),
    tokenSecret: 'a secret of the benchmark, long enough',
    ambiguousErrorMessages: true,
  },
  { password },
);
const accountsModule = AccountsModule.forRoot({ accountsServer: accounts });
const schema = makeExecutableSchema({
  typeDefs: mergeTypeDefs([accountsModule.typeDefs]),
  resolvers: mergeResolvers([accountsModule.resolvers]),
  schemaDirectives: accountsModule.schemaDirectives,
});
const yoga = createYoga({
  ...{ schema, logging: false, graphiql: false, landingPage: false, batching: false, cors: false },
  ...{ healthCheckEndpoint: '/alive', multipart: false, maskedErrors: true, maxRequestBodySize: false },
  context: ({ req }) => accountsModule.context({ req }),
});
const server = createServer({ keepAliveTimeout: 600_000 }, yoga);
server.listen(0, '127.0.0.1', () => {
  serveBench(server.address().port, {
    /** Users who have signed up; it hashes each password. */
    users: async (users) => {
      for (const user of users) await password.createUser(user);
    },
    /** The tokens of as many new sessions. */
    sessions: async ({ emails, count }) => {
      const users = await Promise.all(emails.map((email) => password.findUserByEmail(email)));
      const logins = Array.from({ length: count }, (_, n) =>
        accounts.loginWithUser(users[n % users.length], { ip: '127.0.0.1', userAgent: 'bench' }),
      );
      return (await Promise.all(logins)).map(({ tokens }) => tokens);
    },
  });
});
