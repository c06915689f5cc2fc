// A diary with accounts, on Yoga as a route of Fastify: subscriptions as server-sent events and over graphql-ws.

import websocket from '@fastify/websocket';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
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
import type { ConnectionInitMessage, ServerOptions } from 'graphql-ws';
import { type Extra, makeHandler } from 'graphql-ws/use/@fastify/websocket';
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

const app = fastify();
const yoga = createYoga<{ req: FastifyRequest; reply: FastifyReply }>({
  schema,
  logging: app.log,
  plugins: [useAccounts(accountsServer), useDeferStream()],
});

const { execute, subscribe } = yoga.getEnveloped();
const overWebSocket: ServerOptions<ConnectionInitMessage['payload'], Extra> = {
  execute,
  subscribe,
  async onSubscribe(socket, _id, { query, operationName, variables }) {
    const { schema, parse, validate, contextFactory } = yoga.getEnveloped(socket);
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) return errors;
    return {
      schema,
      document,
      operationName,
      variableValues: variables,
      contextValue: await contextFactory(),
    };
  },
};

await app.register(websocket);
// Yoga reads the body itself.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, _body, done) => done(null));
const handler = (req: FastifyRequest, reply: FastifyReply) =>
  yoga.handleNodeRequestAndResponse(req, reply, { req, reply });
app.route({ method: ['POST', 'OPTIONS'], url: '/graphql', handler });
app.route({ method: 'GET', url: '/graphql', handler, wsHandler: makeHandler(overWebSocket) });

const address = await app.listen({ port: Number(process.env.PORT ?? 4000), host: '127.0.0.1' });
console.log(`listening at ${address}/graphql`);
