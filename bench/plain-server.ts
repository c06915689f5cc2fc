// What ours is measured against: a Yoga without accounts.
import { makeExecutableSchema } from '@graphql-tools/schema';
import { serveBench } from './children.ts';
import { tunedYoga } from './tuned-yoga.ts';

const server = tunedYoga(
  makeExecutableSchema({
    typeDefs: 'type Query { hello: String }',
    resolvers: { Query: { hello: () => 'world' } },
  }),
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) serveBench(address.port);
});
