// What an application writes, compiled against the packed declarations.
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  type AccountsContext,
  AccountsError,
  type AccountsErrorCode,
  AccountsServer,
  type AccountsServerOptions,
  accountsModule,
  authDirective,
  type ContextOf,
  createContext,
  magicLink,
  type PasswordService,
  password,
  twoFactor,
  type User,
  useAccounts,
} from 'graphql-accounts';
import { memoryDatabase } from 'graphql-accounts/database/memory';
import { sqliteDatabase } from 'graphql-accounts/database/sqlite';
import { type VerifiedAccessToken, type VerifyOptions, verifyAccessToken } from 'graphql-accounts/verify';
import { createYoga } from 'graphql-yoga';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <T extends true>(): T | undefined => undefined;

interface Reader extends User {
  profile: { city: string };
}

const options: AccountsServerOptions<Reader> = {
  db: process.env.DATABASE ? sqliteDatabase(process.env.DATABASE) : memoryDatabase(),
  tokenSecret: process.env.TOKEN_SECRET,
  createJwtPayload: (_data, user) => ({ city: user.profile.city }),
};
const accountsServer = new AccountsServer(options, {
  password: password({ minLength: 12 }),
  twoFactor: twoFactor(),
  magicLink: magicLink(),
});
same<Equal<typeof accountsServer.services.password, PasswordService<Reader>>>();

type Context = ContextOf<typeof accountsServer>;
same<Equal<Context['user'], Reader | null>>();
same<Equal<Context['userId'], string | null>>();

const accounts = accountsModule(accountsServer);
const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
const schema = authDirectiveTransformer(
  makeExecutableSchema<Context>({
    typeDefs: [accounts.typeDefs, authDirectiveTypeDefs, 'type Query { city: String @auth }'],
    resolvers: [
      accounts.resolvers,
      { Query: { city: (_: unknown, __: unknown, { user }: Context) => user?.profile.city } },
    ],
  }),
);
const yoga = createYoga<object, Context>({ schema, plugins: [useAccounts(accountsServer)] });
export const server = createServer(yoga);

export async function anywhere(request: Request): Promise<Reader | null> {
  const context: AccountsContext<Reader> = await createContext(accountsServer)(request);
  return context.user;
}

export async function inOtherService(token: string): Promise<string> {
  const byKeys: VerifyOptions = { jwks: accountsServer.jwks() };
  const claims: VerifiedAccessToken = await verifyAccessToken(token, byKeys);
  await verifyAccessToken(token, { key: process.env.TOKEN_SECRET, issuer: 'shop', audience: ['a', 'b'] });
  await verifyAccessToken(token, { jwks: new URL('https://accounts.example/.well-known/jwks.json') });
  same<Equal<typeof claims.actorUserId, string | null>>();
  return claims.userId;
}

export function isOver(error: unknown): boolean {
  const code: AccountsErrorCode = 'UNAUTHENTICATED';
  return error instanceof AccountsError && error.code === code;
}

// @ts-expect-error: an option that there is not
new AccountsServer({ tokenSecret: 'x', tokenSecrets: [] });
// @ts-expect-error: no user has it
export const age = (context: Context): number => context.user?.profile.age;
