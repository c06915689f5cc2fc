import { createServer, type Server } from 'node:http';
import { createYoga, type Plugin, type YogaSchemaDefinition } from 'graphql-yoga';

/** A Yoga that does nothing it need not, as its documentation and its source allow. */
export function tunedYoga(schema: YogaSchemaDefinition<object, object>, plugins: Plugin[] = []): Server {
  const yoga = createYoga({
    schema,
    plugins,
    logging: false,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: '/alive',
    batching: false,
    cors: false,
    multipart: false,
    maskedErrors: true,
    maxRequestBodySize: false,
    parserAndValidationCache: true,
  });
  return createServer({ keepAliveTimeout: 600_000 }, yoga);
}
