// A diary with accounts, its schema written in classes with TypeGraphQL.
import 'reflect-metadata';
import { createServer } from 'node:http';
import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
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
import { graphqlWsAccounts } from 'graphql-accounts/hosts/graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createYoga } from 'graphql-yoga';
import { Arg, buildSchema, Ctx, Directive, Int, Query, Resolver, Root, Subscription } from 'type-graphql';
import { WebSocketServer } from 'ws';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);
type Context = ContextOf<typeof accountsServer>;

@Resolver()
class DiaryResolver {
  @Directive('@auth')
  @Query(() => [String], { nullable: true })
  diary(@Arg('page', () => Int, { defaultValue: 1 }) page: number, @Ctx() { user }: Context): string[] {
    if (page < 1) throw new RangeError(`there is no page ${page}`);
    return [`Diary of ${user?.id}`];
  }

  @Directive('@auth')
  @Subscription(() => String, { nullable: true, subscribe: ({ context }) => writePages(context) })
  pages(@Root() page: string): string {
    return page;
  }
}

async function* writePages({ userId }: Context) {
  yield `Page of ${userId}`;
  // Nothing more is written today.
  await new Promise(() => {});
}

const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const schema = authDirectiveTransformer(
  mergeSchemas({
    schemas: [
      makeExecutableSchema(accountsModule(accountsServer)),
      await buildSchema({ resolvers: [DiaryResolver], pubSub: createPubSub() }),
    ],
    typeDefs: authDirectiveTypeDefs,
  }),
);
const yoga = createYoga({ schema, plugins: [useAccounts(accountsServer), useDeferStream()] });

const server = createServer(yoga);
useServer(graphqlWsAccounts(accountsServer, { schema }), new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${port}/graphql`);
});
