import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { AccountsError, AccountsServer, password, type ServiceFactory, type User } from '../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../accounts.ts';

/** A service that says something of each user, to that user. */
const secrets = (asked: string[], fails = { now: false }): ServiceFactory => ({
  create: () => ({
    operations: {
      typeDefs: 'extend type User { secret: String }',
      ownFields: {
        secret: async ({ id }: User) => {
          if (fails.now) throw new AccountsError('SERVICE_UNAVAILABLE');
          asked.push(id);
          return `the secret of ${id}`;
        },
      },
    },
  }),
});

const HOST = /* GraphQL */ `
  extend type User { nickname: String }
  type Query { everybody: [User!]! online: [User!]! }
`;

async function start(options: { useStatelessSession?: boolean } = {}) {
  const clock = createClock();
  const asked: string[] = [];
  const fails = { now: false };
  const server = new AccountsServer(
    {
      db: memoryDatabase(),
      tokenSecret: SECRET,
      now: clock.now,
      impersonationAuthorize: () => true,
      ambiguousErrorMessages: false,
      enableAutologin: true,
      ...options,
    },
    { password: password(fastHashes), secrets: secrets(asked, fails) },
  );
  const { createUser, findUserByUsername } = server.services.password;
  const signUp = async (username: string): Promise<User> => {
    await createUser.call(server.services.password, { username, password: PASSWORD });
    const user = await findUserByUsername.call(server.services.password, username);
    if (!user) throw new Error('there is no user');
    return user;
  };
  const [ada, eve] = [await signUp('ada'), await signUp('eve')];
  const online: User[] = [];
  for (const event of ['LoginSuccess', 'RefreshTokensSuccess'] as const)
    server.on(event, ({ user }) => void (user.id === ada.id && online.splice(0, 1, user)));
  const { typeDefs, resolvers } = accountsModule(server);
  const mine = {
    User: { nickname: ({ username }: User) => `the one called ${username}` },
    Query: { everybody: () => [ada, eve], online: () => online },
  };
  const schema = makeExecutableSchema({ typeDefs: [typeDefs, HOST], resolvers: [resolvers, mine] });
  const yoga = createYoga({ schema, logging: false, batching: true, plugins: [useAccounts(server)] });
  const post = async (body: unknown, token?: string) => {
    const response = await yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  const logIn = async (user: string) =>
    (await server.loginWithService('password', { user, password: PASSWORD })).tokens;
  return {
    server,
    schema,
    asked,
    fails,
    ada,
    eve,
    post,
    logIn,
    ask: (query: string, token?: string) => post({ query }, token),
  };
}

const secretOf = ({ id }: User) => `the secret of ${id}`;
const EVERYBODY = '{ everybody { username secret nickname } }';
const LOGIN = `mutation { authenticate(serviceName: "password", params: { user: { username: "ada" }, password: "${PASSWORD}" }) {
  user { secret nickname } tokens { accessToken refreshToken }
} }`;

for (const useStatelessSession of [false, true])
  describe(`a field of the user’s own, ${useStatelessSession ? 'statelessly' : 'statefully'},`, () => {
    const begin = () => start({ useStatelessSession });

    test('is null for everybody but the user, and not even asked', async () => {
      const { ask, asked, logIn, ada, eve } = await begin();
      const seenBy = async (token?: string) => (await ask(EVERYBODY, token)).data.everybody;
      const nicknames = { ada: 'the one called ada', eve: 'the one called eve' };
      const all = (own: User | null) =>
        [ada, eve].map((user) => ({
          username: user.username,
          secret: user.id === own?.id ? secretOf(user) : null,
          nickname: nicknames[user.username as 'ada'],
        }));
      expect(await seenBy()).toEqual(all(null));
      expect(await seenBy('bad')).toEqual(all(null));
      expect(asked).toEqual([]);
      expect(await seenBy((await logIn('ada')).accessToken)).toEqual(all(ada));
      expect(await seenBy((await logIn('eve')).accessToken)).toEqual(all(eve));
      expect(asked).toEqual([ada.id, eve.id]);
    });

    test('is the user’s by getUser, under aliases and fragments', async () => {
      const { ask, logIn, ada } = await begin();
      const { accessToken } = await logIn('ada');
      const query = '{ getUser { secret ...Again } } fragment Again on User { again: secret }';
      expect(await ask(query, accessToken)).toEqual({
        data: { getUser: { secret: secretOf(ada), again: secretOf(ada) } },
      });
    });

    test('S42 is null for an impersonator, by a refresh as well', async () => {
      const { ask, server, logIn, asked, eve } = await begin();
      const { accessToken } = await logIn('ada');
      const { tokens } = await server.impersonate(accessToken, { userId: eve.id });
      expect(await ask('{ getUser { username secret } }', tokens.accessToken)).toEqual({
        data: { getUser: { username: 'eve', secret: null } },
      });
      const refresh = `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { user { username secret } } }`;
      expect(await ask(refresh, tokens.accessToken)).toEqual({
        data: { refreshTokens: { user: { username: 'eve', secret: null } } },
      });
      const impersonate = `mutation { impersonate(accessToken: "${accessToken}", impersonated: { username: "eve" }) { user { username secret } } }`;
      expect(await ask(impersonate, accessToken)).toEqual({
        data: { impersonate: { user: { username: 'eve', secret: null } } },
      });
      expect(asked).toEqual([]);
    });

    test('is the user’s in the answer to a login, a refresh and a sign-up that logs in', async () => {
      const { ask, ada, server } = await begin();
      const { data } = await ask(LOGIN);
      const { tokens, user } = data.authenticate;
      expect(user).toEqual({ secret: secretOf(ada), nickname: 'the one called ada' });
      const refresh = `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { user { secret } } }`;
      expect(await ask(refresh)).toEqual({ data: { refreshTokens: { user: { secret: secretOf(ada) } } } });
      const signUp = `mutation { createUser(user: { username: "grace", password: "${PASSWORD}" }) { loginResult { user { id secret } } } }`;
      const { user: grace } = (await ask(signUp)).data.createUser.loginResult;
      expect(grace.secret).toBe(`the secret of ${grace.id}`);
      expect(server.stateless).toBe(useStatelessSession);
    });

    test('S51 is nobody else’s where an application shows who has logged in', async () => {
      const { ask, server, logIn, ada, eve } = await begin();
      const { tokens, user } = (await ask(LOGIN)).data.authenticate;
      expect(user.secret).toBe(secretOf(ada));
      await ask(
        `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { user { secret } } }`,
      );
      const ONLINE = '{ online { username secret } }';
      const nobodys = { data: { online: [{ username: 'ada', secret: null }] } };
      const { accessToken } = await server.loginWithUser(eve).then(({ tokens }) => tokens);
      expect(await ask(ONLINE)).toEqual(nobodys);
      expect(await ask(ONLINE, accessToken)).toEqual(nobodys);
      expect((await ask(ONLINE, (await logIn('ada')).accessToken)).data.online[0].secret).toBe(secretOf(ada));
    });

    test('of one operation of a batch is no other’s', async () => {
      const { post, asked, ada } = await begin();
      const answers = await post([
        { query: LOGIN },
        { query: EVERYBODY },
        { query: '{ getUser { secret } }' },
      ]);
      expect(answers[0].data.authenticate.user.secret).toBe(secretOf(ada));
      expect(answers[1].data.everybody.map(({ secret }: { secret: unknown }) => secret)).toEqual([
        null,
        null,
      ]);
      expect(answers[2].data.getUser).toBeNull();
      expect(asked).toEqual([ada.id]);
    });

    test('fails with the code of what has failed, beside the other fields', async () => {
      const { ask, logIn, fails } = await begin();
      const { accessToken } = await logIn('ada');
      fails.now = true;
      expect(await ask('{ getUser { username secret } }', accessToken)).toMatchObject({
        errors: [{ path: ['getUser', 'secret'], extensions: { code: 'SERVICE_UNAVAILABLE' } }],
      });
    });

    test('works by createContext, and without any context is null', async () => {
      const { schema, server, logIn, ada } = await begin();
      const { accessToken } = await logIn('ada');
      const headers = { authorization: `Bearer ${accessToken}` };
      const source = '{ everybody { secret } }';
      const contextValue = await createContext(server)(new Request('http://localhost/', { headers }));
      const { data } = await graphql({ schema, source, contextValue });
      expect(data).toEqual({ everybody: [{ secret: secretOf(ada) }, { secret: null }] });
      for (const none of [undefined, null, {}, 7, { userId: null, session: null }])
        expect((await graphql({ schema, source, contextValue: none })).data).toEqual({
          everybody: [{ secret: null }, { secret: null }],
        });
    });
  });

test('two services that name one field are refused', () => {
  const server = new AccountsServer(
    { db: memoryDatabase(), tokenSecret: SECRET },
    { one: secrets([]), two: secrets([]) },
  );
  expect(() => accountsModule(server)).toThrow('two services have an operation secret');
});
