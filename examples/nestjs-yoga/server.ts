// A diary with accounts, on NestJS with the Yoga driver, its schema written in code.
import 'reflect-metadata';
import { YogaDriver, type YogaDriverConfig } from '@graphql-yoga/nestjs';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { createParamDecorator, type ExecutionContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Args,
  Directive,
  GqlExecutionContext,
  GraphQLModule,
  Int,
  Query,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { AccountsServer, type ContextOf, consoleMail, password, type User } from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { nestjsYoga } from 'graphql-accounts/hosts/nestjs';

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
    GraphQLModule.forRoot<YogaDriverConfig>(
      nestjsYoga(accountsServer, {
        driver: YogaDriver,
        autoSchemaFile: true,
        subscriptions: { 'graphql-ws': true },
        plugins: [useDeferStream()],
      }),
    ),
  ],
  providers: [DiaryResolver],
})
class DiaryModule {}

const app = await NestFactory.create(DiaryModule);
await app.listen(Number(process.env.PORT ?? 4000), '127.0.0.1');
console.log(`listening at ${await app.getUrl()}/graphql`);
