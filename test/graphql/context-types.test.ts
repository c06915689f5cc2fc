// The context is typed without a cast, in each way that a host names it.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Plugin as EnvelopPlugin, envelop, useEngine } from '@envelop/core';
import { execute, parse, subscribe, validate } from 'graphql';
import { createSchema, createYoga, type YogaInitialContext, type Plugin as YogaPlugin } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import {
  type AccountsContext,
  AccountsServer,
  type AccountsServerOptions,
  accountsModule,
  type ContextOf,
  createContext,
  type PasswordService,
  password,
  type SessionInfo,
  type User,
  useAccounts,
} from '../../src/index.ts';
import { SECRET } from '../accounts.ts';

interface Member extends User {
  nickname: string;
}

const options: AccountsServerOptions<Member> = { db: memoryDatabase(), tokenSecret: SECRET };
const server = new AccountsServer(options, { password: password() });
type Context = ContextOf<typeof server>;

const typeDefs = 'type Query { nickname: String }';
const nickname = (_parent: unknown, _args: unknown, { user }: Context) => user?.nickname;

test('AccountsContext has the fields of the application', () => {
  expectTypeOf<AccountsContext<Member>['user']>().toEqualTypeOf<Member | null>();
  expectTypeOf<AccountsContext['user']>().toEqualTypeOf<User | null>();
  expectTypeOf<Context['user']>().toEqualTypeOf<Member | null>();
  expectTypeOf<Context['session']>().toEqualTypeOf<SessionInfo | null>();
  expectTypeOf<Context['accounts']['services']['password']>().toEqualTypeOf<PasswordService<Member>>();
});

test('a host extends it by an interface of its own', () => {
  interface Mine extends ContextOf<typeof server> {
    loaders: { posts: number };
  }
  expectTypeOf<Mine['user']>().toEqualTypeOf<Member | null>();
  expectTypeOf<Mine>().toExtend<AccountsContext>();
});

test('createContext gives it', () => {
  expectTypeOf(createContext(server)).returns.resolves.toEqualTypeOf<Context>();
});

test('resolvers of Yoga have it, from createSchema or from createYoga', () => {
  const named = createSchema<YogaInitialContext & Context>({
    typeDefs,
    resolvers: {
      Query: {
        nickname: (_parent, _args, { user }) => {
          expectTypeOf(user).toEqualTypeOf<Member | null>();
          return user?.nickname;
        },
      },
    },
  });
  const plugins = [useAccounts(server)];
  expect(createYoga<object, Context>({ schema: named, logging: false, plugins })).toBeDefined();
  expect(createYoga({ schema: named, logging: false, plugins })).toBeDefined();
  const ours = accountsModule(server);
  const merged = createSchema<YogaInitialContext & Context>({
    typeDefs: [ours.typeDefs, typeDefs],
    resolvers: [ours.resolvers, { Query: { nickname } }],
  });
  expect(createYoga({ schema: merged, logging: false, plugins })).toBeDefined();
});

test('plugins of Yoga and Envelop that read it are typed by it, and ours is one of them', () => {
  const reading: YogaPlugin<Context> = {
    onExecute: ({ args }) => expectTypeOf(args.contextValue.user).toEqualTypeOf<Member | null>() as never,
  };
  const readingToo: EnvelopPlugin<Context> = {
    onExecute: ({ args }) => expectTypeOf(args.contextValue.user).toEqualTypeOf<Member | null>() as never,
  };
  expectTypeOf(useAccounts(server)).toExtend<YogaPlugin>();
  expectTypeOf(useAccounts(server)).toExtend<YogaPlugin<Context>>();
  expectTypeOf(useAccounts(server)).toExtend<EnvelopPlugin>();
  expectTypeOf(useAccounts(server)).toExtend<EnvelopPlugin<Context>>();
  const engine = useEngine({ parse, validate, execute, subscribe });
  expect(envelop({ plugins: [engine, useAccounts(server), readingToo] })).toBeTypeOf('function');
  expect(reading).toBeDefined();
});

describe('module augmentation', () => {
  const ROOT = join(import.meta.dirname, '../..');
  const run = promisify(execFile);
  let stage: string;

  // As an application sees them: against the declarations of the package, not its source.
  beforeAll(async () => {
    mkdirSync(join(ROOT, '.tmp'), { recursive: true });
    stage = mkdtempSync(join(ROOT, '.tmp/augmented-'));
    const home = join(stage, 'node_modules/graphql-accounts');
    mkdirSync(home, { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
    await tsc(
      '-p',
      join(ROOT, 'tsconfig.build.json'),
      '--emitDeclarationOnly',
      '--outDir',
      join(home, 'dist'),
    );
    writeFileSync(join(stage, 'package.json'), '{ "type": "module" }');
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'esnext.disposable'], types: ['node'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    };
    writeFileSync(join(stage, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  });
  afterAll(() => rmSync(stage, { recursive: true, force: true }));

  async function tsc(...args: string[]): Promise<string> {
    return run(join(ROOT, 'node_modules/.bin/tsc'), args).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
  }

  const APPLICATION = `
    import { type AccountsContext, AccountsServer, type ContextOf, createContext, password, type User } from 'graphql-accounts';
    import { memoryDatabase } from 'graphql-accounts/database/memory';
    declare module 'graphql-accounts' {
      interface User {
        nickname: string;
      }
    }
    const server = new AccountsServer(
      { db: memoryDatabase(), tokenSecret: process.env.TOKEN_SECRET },
      { password: password() },
    );
    export const inAll = (user: User, context: AccountsContext, own: ContextOf<typeof server>): (string | undefined)[] => [
      user.nickname,
      context.user?.nickname,
      own.user?.nickname,
    ];
    export const found: string | undefined = (await server.services.password.findUserByEmail('ada@example.com'))?.nickname;
    export const asked: string | undefined = (await createContext(server)(new Request('http://localhost/'))).user?.nickname;
    server.on('LoginSuccess', ({ user }) => console.log(user.nickname.toUpperCase()));
  `;

  test('of User is seen everywhere that a user comes from', async () => {
    writeFileSync(join(stage, 'application.ts'), APPLICATION);
    expect(await tsc('-p', stage)).toBe('');
    writeFileSync(
      join(stage, 'application.ts'),
      APPLICATION.replace('nickname: string;', 'nickname: number;'),
    );
    const errors = (await tsc('-p', stage)).match(/error TS\d+/g);
    expect(errors?.length).toBeGreaterThan(4);
  });
});
