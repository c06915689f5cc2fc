// What ours is measured against: a Yoga without accounts, tuned as its documentation and its source allow.
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { serveBench } from './children.ts';

const schema = makeExecutableSchema({
  typeDefs: 'type Query { hello: String }',
  resolvers: { Query: { hello: () => 'world' } },
});
const yoga = createYoga({
  ...{ schema, logging: false, graphiql: false, landingPage: false, batching: false, cors: false },
  ...{ healthCheckEndpoint: '/alive', multipart: false, maskedErrors: true, maxRequestBodySize: false },
  parserAndValidationCache: true,
});
const server = createServer({ keepAliveTimeout: 600_000 }, yoga);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) serveBench(address.port);
});
