// A diary with accounts, on NestJS with the Apollo driver, its schema written in code: subscriptions over graphql-ws and graphql-sse.
import 'reflect-metadata';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { createParamDecorator, type ExecutionContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Args,
  Directive,
  GqlExecutionContext,
  GraphQLModule,
  GraphQLSchemaHost,
  Int,
  Query,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { AccountsServer, type ContextOf, consoleMail, password, type User } from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { graphqlSseAccounts } from 'graphql-accounts/hosts/graphql-sse';
import { nestjsApollo } from 'graphql-accounts/hosts/nestjs';
import { createHandler } from 'graphql-sse/lib/use/express';

const accountsServer = new AccountsServer(
  { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET, sendMail: consoleMail() },
  { password: password() },
);

const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    GqlExecutionContext.create(context).getContext<ContextOf<typeof accountsServer>>().user,
);

@Resolver()
class DiaryResolver {
  @Directive('@auth')
  @Query(() => [String], { nullable: true })
  diary(
    @Args('page', { type: () => Int, defaultValue: 1 }) page: number,
    @CurrentUser() user: User,
  ): string[] {
    if (page < 1) throw new RangeError(`there is no page ${page}`);
    return [`Diary of ${user.id}`];
  }

  @Directive('@auth')
  @Subscription(() => String, { nullable: true })
  async *pages(@CurrentUser() user: User): AsyncGenerator<{ pages: string }> {
    yield { pages: `Page of ${user.id}` };
    // Nothing more is written today.
    await new Promise(() => {});
  }
}

@Module({
  imports: [
    GraphQLModule.forRoot<ApolloDriverConfig>(
      nestjsApollo(accountsServer, {
        driver: ApolloDriver,
        autoSchemaFile: true,
        subscriptions: { 'graphql-ws': true },
      }),
    ),
  ],
  providers: [DiaryResolver],
})
class DiaryModule {}

const app = await NestFactory.create<NestExpressApplication>(DiaryModule);
const schema = () => app.get(GraphQLSchemaHost).schema;
const overSse = createHandler(graphqlSseAccounts(accountsServer, { schema }));
app.use('/graphql', (req: Request, res: Response, next: NextFunction) =>
  req.headers.accept === 'text/event-stream' ? overSse(req, res) : next(),
);
await app.listen(Number(process.env.PORT ?? 4000), '127.0.0.1');
console.log(`listening at ${await app.getUrl()}/graphql`);
