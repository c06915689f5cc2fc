// A diary with accounts, on Envelop alone: graphql-http, graphql-sse and graphql-ws bring it operations.
import { createServer } from 'node:http';
import { envelop, useEngine, useMaskedErrors, useSchema } from '@envelop/core';
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  type DocumentNode,
  execute,
  type GraphQLError,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
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
import { createHandler } from 'graphql-http/lib/use/http';
import { createHandler as createSseHandler } from 'graphql-sse/lib/use/http';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

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

const getEnveloped = envelop({
  plugins: [
    useEngine({ parse, validate, specifiedRules, execute, subscribe }),
    useSchema(schema),
    useAccounts(accountsServer),
    useMaskedErrors(),
  ],
});

interface Params {
  query: string;
  operationName?: string | null | undefined;
  variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** What is executed for a request, or why nothing is. */
async function prepare(request: object, { query, operationName, variables }: Params) {
  const { schema, parse, validate, contextFactory } = getEnveloped(request);
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return [error as GraphQLError];
  }
  const errors: GraphQLError[] = validate(schema, document);
  if (errors.length > 0) return errors;
  return { schema, document, operationName, variableValues: variables, contextValue: await contextFactory() };
}

const enveloped = getEnveloped();
const engine = { execute: enveloped.execute, subscribe: enveloped.subscribe };
const overHttp = createHandler({
  execute: engine.execute,
  onSubscribe: ({ raw, context: { res } }, params) => prepare({ req: raw, res }, params),
});
const overSse = createSseHandler({
  ...engine,
  async onSubscribe({ raw, context: { res } }, params) {
    const prepared = await prepare({ req: raw, res }, params);
    return Array.isArray(prepared) ? { data: null, errors: prepared } : prepared;
  },
});
const server = createServer((req, res) => {
  const answered = req.headers.accept === 'text/event-stream' ? overSse(req, res) : overHttp(req, res);
  // graphql-sse rejects when its client has left before the stream began.
  answered.catch(() => res.destroy());
});
useServer(
  { ...engine, onSubscribe: (socket, _id, params) => prepare(socket, params) },
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
