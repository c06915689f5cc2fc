// A diary with accounts, its schema written in code with Pothos.
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import SchemaBuilder from '@pothos/core';
import AddGraphQLPlugin from '@pothos/plugin-add-graphql';
import DirectivesPlugin from '@pothos/plugin-directives';
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
import { graphqlWsAccounts } from 'graphql-accounts/hosts/graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
const { authDirectiveTransformer } = authDirective();

const builder = new SchemaBuilder<{
  Context: ContextOf<typeof accountsServer>;
  Directives: {
    auth: {
      locations: 'FIELD_DEFINITION' | 'OBJECT' | 'INTERFACE';
      args: { maxAge?: number; secondFactor?: boolean };
    };
  };
}>({
  plugins: [AddGraphQLPlugin, DirectivesPlugin],
  add: { schema: makeExecutableSchema(accountsModule(accountsServer)) },
});

// `queryType` would take the place of our Query; `queryFields` joins it.
builder.queryFields((t) => ({
  diary: t.stringList({
    nullable: true,
    args: { page: t.arg.int({ required: true, defaultValue: 1 }) },
    directives: { auth: {} },
    resolve(_, { page }, { user }) {
      if (page < 1) throw new RangeError(`there is no page ${page}`);
      return [`Diary of ${user?.id}`];
    },
  }),
}));
builder.subscriptionType({
  fields: (t) => ({
    pages: t.string({
      nullable: true,
      directives: { auth: {} },
      async *subscribe(_, __, { userId }) {
        yield `Page of ${userId}`;
        // Nothing more is written today.
        await new Promise(() => {});
      },
      resolve: (page) => page,
    }),
  }),
});

const schema = authDirectiveTransformer(builder.toSchema());
const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer), useDeferStream()] });

const server = createServer(yoga);
useServer(graphqlWsAccounts(accountsServer, { schema }), new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
