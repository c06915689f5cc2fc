import { makeExecutableSchema } from '@graphql-tools/schema';
import { execute, type GraphQLSchema, parse } from 'graphql';
import { expect, test, vi } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { AccountsServer, password, type ServiceFactory, type User } from '../../src/index.ts';
import { fastHashes, PASSWORD, SECRET } from '../accounts.ts';
import { outcomeAfter, slow, useSteppedTimers } from '../slow.ts';
import { codeIn, createGateway } from './gateway.ts';

useSteppedTimers();

const CHANGE = `mutation { changePassword(oldPassword: "correct horse battery staple", newPassword: "another passphrase") }`;

async function start(operationTimeout: number) {
  const { state, database } = slow(memoryDatabase());
  const gateway = createGateway({ db: database, storeTimeout: 400, operationTimeout });
  await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  return { ...gateway, token: tokens.accessToken, state };
}

for (const [name, query] of [
  ['getUser', '{ getUser { id } }'],
  ['a field with @auth', '{ secret }'],
  ['a mutation', CHANGE],
] as const) {
  test(`S55 ${name} is SERVICE_UNAVAILABLE in time when the look-up of the session is slow at every call`, async () => {
    const { ask, token, state } = await start(500);
    state.delay = 350;
    const code = ask(query, { token }).then(codeIn);
    expect(await outcomeAfter(470, code)).toBe('pending');
    expect(await outcomeAfter(60, code)).toBe('SERVICE_UNAVAILABLE');
  });
}

test('S55 an operation and the look-up before it end in time together', async () => {
  const { ask, token, state } = await start(900);
  state.delay = 350;
  // 700 ms for the session, and 350 for the first call of the operation.
  const code = ask(CHANGE, { token }).then(codeIn);
  expect(await outcomeAfter(860, code)).toBe('pending');
  expect(await outcomeAfter(80, code)).toBe('SERVICE_UNAVAILABLE');
});

test('a field of the user’s own has the whole time in a subscription, however long it has gone on', async () => {
  const secrets: ServiceFactory = {
    create: () => ({
      operations: {
        typeDefs: 'extend type User { secret: String }',
        ownFields: {
          secret: async ({ id }: User) => {
            await new Promise((resolve) => setTimeout(resolve, 50));
            return `the secret of ${id}`;
          },
        },
      },
    }),
  };
  const server = new AccountsServer(
    { db: memoryDatabase(), tokenSecret: SECRET, operationTimeout: 900 },
    { password: password(fastHashes), secrets },
  );
  const { typeDefs, resolvers } = accountsModule(server);
  const schema: GraphQLSchema = makeExecutableSchema({
    typeDefs: [typeDefs, 'type Query { me: User } type Subscription { me: User }'],
    resolvers,
  });
  await server.services.password.createUser({ username: 'ada', password: PASSWORD });
  const { tokens } = await server.loginWithService('password', { user: 'ada', password: PASSWORD });
  const headers = { authorization: `Bearer ${tokens.accessToken}` };
  const contextValue = await createContext(server)(new Request('http://localhost/', { headers }));
  vi.advanceTimersByTime(10_000);
  const told = async (operation: string) => {
    const document = parse(`${operation} { me { secret } }`);
    const args = { schema, document, contextValue, rootValue: { me: contextValue.user } };
    const { data, errors } = await execute(args);
    return errors?.[0]?.extensions.code ?? JSON.stringify(data);
  };
  expect(await outcomeAfter(60, told('subscription'))).toMatch(/^{"me":{"secret":"the secret of /);
  expect(await outcomeAfter(60, told('query'))).toBe('SERVICE_UNAVAILABLE');
});
