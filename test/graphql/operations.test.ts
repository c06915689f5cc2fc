import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/core/time.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { AccountsServer, type ServiceFactory } from '../../src/index.ts';
import { countQueries, PASSWORD, SECRET } from '../accounts.ts';
import { type Answer, codeIn, createGateway } from './gateway.ts';

const SIGN_UP = `mutation ($user: CreateUserInput!) { createUser(user: $user) { userId loginResult { sessionId } } }`;
const LOGIN = `mutation ($params: AuthenticateParamsInput!) {
  authenticate(serviceName: "password", params: $params) {
    sessionId tokens { accessToken refreshToken } user { id emails { address verified } username }
  }
}`;
const REFRESH = `mutation ($accessToken: String!, $refreshToken: String!) {
  refreshTokens(accessToken: $accessToken, refreshToken: $refreshToken) {
    sessionId tokens { accessToken refreshToken } user { id }
  }
}`;
const ada = { user: { email: 'ada@example.com' }, password: PASSWORD };

for (const useStatelessSession of [false, true]) {
  describe(useStatelessSession ? 'over GraphQL, statelessly,' : 'over GraphQL, statefully,', () => {
    const start = async (options = {}, hosting = {}) => {
      const gateway = createGateway({ useStatelessSession, ...options }, hosting);
      const id = await gateway.signUp({ email: 'ada@example.com' });
      const { tokens } = await gateway.logIn('ada@example.com');
      return { ...gateway, id, ...tokens };
    };

    test('somebody signs up, logs in, is known, refreshes and logs out', async () => {
      const { ask } = createGateway({ useStatelessSession });
      const user = { email: 'ada@example.com', password: PASSWORD };
      expect(await ask(SIGN_UP, { variables: { user } })).toEqual({
        data: { createUser: { userId: null, loginResult: null } },
      });
      const login = (await ask(LOGIN, { variables: { params: ada } })) as unknown as {
        data: { authenticate: { tokens: { accessToken: string; refreshToken: string }; user: object } };
      };
      const { tokens, user: seen } = login.data.authenticate;
      expect(seen).toMatchObject({
        emails: [{ address: 'ada@example.com', verified: false }],
        username: null,
      });
      const me = await ask('{ getUser { id emails { address verified } username } }', {
        token: tokens.accessToken,
      });
      expect(me).toEqual({ data: { getUser: seen } });
      const refreshed = (await ask(REFRESH, { variables: tokens })) as unknown as {
        data: { refreshTokens: { tokens: { accessToken: string } } };
      };
      const { accessToken } = refreshed.data.refreshTokens.tokens;
      expect(await ask('mutation { logout }', { token: accessToken })).toEqual({ data: { logout: true } });
      expect(codeIn(await ask(REFRESH, { variables: tokens }))).toBe('UNAUTHENTICATED');
    });

    test('getUser is null without a token, with a bad one and with an expired one, and never an error', async () => {
      const { ask, accessToken, clock } = await start();
      expect(await ask('{ getUser { id } }')).toEqual({ data: { getUser: null } });
      expect(await ask('{ getUser { id } }', { token: 'bad' })).toEqual({ data: { getUser: null } });
      clock.pass(15 * MINUTE);
      expect(await ask('{ getUser { id } }', { token: accessToken })).toEqual({ data: { getUser: null } });
    });

    test('getUser is null for the deactivated', async () => {
      const { ask, accessToken, server, id } = await start();
      await server.deactivateUser(id);
      expect(await ask('{ getUser { id } }', { token: accessToken })).toEqual({ data: { getUser: null } });
    });

    test('S21 logout takes an expired token and none that is not genuine', async () => {
      const { ask, accessToken, refreshToken, clock } = await start();
      clock.pass(15 * MINUTE);
      expect(codeIn(await ask('mutation { logout }'))).toBe('UNAUTHENTICATED');
      expect(codeIn(await ask('mutation { logout }', { token: 'bad' }))).toBe('UNAUTHENTICATED');
      expect(await ask('mutation { logout }', { token: accessToken })).toEqual({ data: { logout: true } });
      expect(codeIn(await ask(REFRESH, { variables: { accessToken, refreshToken } }))).toBe(
        'UNAUTHENTICATED',
      );
      expect(await ask('mutation { logout }', { token: accessToken })).toEqual({ data: { logout: true } });
    });

    test('a client with an expired header refreshes and logs in', async () => {
      const { ask, accessToken, refreshToken, clock } = await start();
      clock.pass(15 * MINUTE);
      const refreshed = await ask(REFRESH, { token: accessToken, variables: { accessToken, refreshToken } });
      expect(refreshed.errors).toBeUndefined();
      expect((await ask(LOGIN, { token: accessToken, variables: { params: ada } })).errors).toBeUndefined();
    });

    test('an operation of a service knows its caller, in stateless mode as stored', async () => {
      const { ask, accessToken, server, id } = await start();
      const change = `mutation { setUsername(newUsername: "ada") }`;
      expect(codeIn(await ask(change))).toBe('UNAUTHENTICATED');
      expect(codeIn(await ask(change, { token: 'bad' }))).toBe('UNAUTHENTICATED');
      expect(await ask(change, { token: accessToken })).toEqual({ data: { setUsername: true } });
      expect(await ask('{ getUser { username } }', { token: accessToken })).toEqual({
        data: { getUser: { username: 'ada' } },
      });
      await server.deactivateUser(id);
      expect(codeIn(await ask(change, { token: accessToken }))).toBe('UNAUTHENTICATED');
    });

    test('verifyAuthentication proves an identity and starts nothing', async () => {
      const { ask } = await start();
      const verify = (password: string) =>
        ask(
          `mutation ($params: AuthenticateParamsInput!) {
            verifyAuthentication(serviceName: "password", params: $params)
          }`,
          { variables: { params: { ...ada, password } } },
        );
      expect(await verify(PASSWORD)).toEqual({ data: { verifyAuthentication: true } });
      expect(codeIn(await verify('not the password'))).toBe('INVALID_CREDENTIALS');
    });

    test('S42 impersonation is refused, and made when it is allowed', async () => {
      const impersonate = `mutation ($accessToken: String!, $impersonated: ImpersonationUserIdentityInput!) {
        impersonate(accessToken: $accessToken, impersonated: $impersonated) {
          authorized tokens { accessToken } user { id }
        }
      }`;
      const impersonated = { email: 'eve@example.com' };
      const refusing = await start();
      await refusing.signUp({ email: 'eve@example.com' });
      const { accessToken } = refusing;
      const refusal = await refusing.ask(impersonate, { variables: { accessToken, impersonated } });
      expect(codeIn(refusal)).toBe('FORBIDDEN');
      const allowing = await start({ impersonationAuthorize: () => true });
      const eve = await allowing.signUp({ email: 'eve@example.com' });
      const answer = (await allowing.ask(impersonate, {
        variables: { accessToken: allowing.accessToken, impersonated },
      })) as unknown as { data: { impersonate: { tokens: { accessToken: string } } } };
      expect(answer.data.impersonate).toMatchObject({ authorized: true, user: { id: eve } });
      const token = answer.data.impersonate.tokens.accessToken;
      expect(await allowing.ask('{ getUser { id } }', { token })).toEqual({ data: { getUser: { id: eve } } });
      expect(codeIn(await allowing.ask('mutation { setUsername(newUsername: "x") }', { token }))).toBe(
        'FORBIDDEN',
      );
    });

    test('S44 names of Object.prototype are no services', async () => {
      const { ask } = await start();
      for (const name of ['__proto__', 'constructor', 'prototype', 'toString', '']) {
        const answer = await ask(
          `mutation ($name: String!) { authenticate(serviceName: $name, params: {}) { sessionId } }`,
          { variables: { name } },
        );
        expect(codeIn(answer)).toBe('SERVICE_NOT_FOUND');
      }
    });

    test('S55 a failing store is SERVICE_UNAVAILABLE and retryable for all that need it, then it recovers', async () => {
      const { db, switchOff, switchOn } = switchable();
      const { ask, accessToken, refreshToken, errors } = await start({ db });
      switchOff(async () => Promise.reject(new Error('the driver says: password=hunter2')));
      const asked = await Promise.all([
        ask('{ getUser { id } }', { token: accessToken }),
        ask('mutation { logout }', { token: accessToken }),
        ask('mutation { setUsername(newUsername: "ada") }', { token: accessToken }),
        ask(REFRESH, { variables: { accessToken, refreshToken } }),
        ask(LOGIN, { variables: { params: ada } }),
      ]);
      for (const answer of asked) {
        expect(answer.errors).toMatchObject([
          { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } },
        ]);
        expect(JSON.stringify(answer)).not.toContain('hunter2');
      }
      expect(errors.length).toBeGreaterThan(0);
      expect(await ask('{ hello getUser { id } }')).toEqual({ data: { hello: 'world', getUser: null } });
      switchOn();
      expect(codeIn(await ask('{ getUser { id } }', { token: accessToken }))).toBeNull();
    });

    test('S55 a store that never answers is waited for once', async () => {
      const { db, switchOff } = switchable();
      const { ask, accessToken, errors } = await start({ db, storeTimeout: 20 });
      let calls = 0;
      switchOff(() => {
        calls++;
        return new Promise(() => undefined);
      });
      const answer = await ask(LOGIN, { token: accessToken, variables: { params: ada } });
      expect(codeIn(answer)).toBe('SERVICE_UNAVAILABLE');
      expect(calls).toBe(1);
      expect(errors).toHaveLength(1);
    });

    test('S55 an operation ends in time on a store that is slow at every call', async () => {
      const { db, switchOff } = switchable();
      const { ask, errors } = await start({ db, storeTimeout: 60_000, operationTimeout: 20 });
      const slow = Promise.withResolvers<never>();
      switchOff(() => slow.promise);
      const answer = await ask(LOGIN, { variables: { params: ada } });
      expect(answer.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }]);
      slow.reject(new Error('too late'));
      expect(errors).toEqual([]);
    });

    test('S48 500 interleaved users are each themselves', async () => {
      const { ask, signUp, logIn } = createGateway({ useStatelessSession });
      const users = await Promise.all(
        Array.from({ length: 500 }, async (_, index) => {
          const username = `user${index}`;
          const id = await signUp({ username });
          return { id, token: (await logIn(username)).tokens.accessToken };
        }),
      );
      const interleaved = [...users, ...users.toReversed()];
      const answers = await Promise.all(
        interleaved.map(({ token }) => ask('{ getUser { id } whoAmI }', { token })),
      );
      expect(answers).toEqual(
        interleaved.map(({ id }) => ({ data: { getUser: { id }, whoAmI: id } }) as unknown as Answer),
      );
    });
  });
}

test('statelessly getUser reads the user once where loadUser has read it', async () => {
  const { counted, queries } = countQueries(memoryDatabase());
  const gateway = createGateway({ db: counted, useStatelessSession: true }, { plugin: { loadUser: true } });
  await gateway.signUp({ email: 'ada@example.com' });
  const { tokens } = await gateway.logIn('ada@example.com');
  queries.length = 0;
  const answer = await gateway.ask('{ getUser { emails { address } } }', { token: tokens.accessToken });
  expect(answer).toEqual({ data: { getUser: { emails: [{ address: 'ada@example.com' }] } } });
  expect(queries).toEqual(['users.findMany']);
});

describe('S45 an unexpected error of a service', () => {
  const odd: ServiceFactory = {
    create: () => ({
      operations: {
        typeDefs: 'extend type Query { odd: Int }',
        Query: {
          odd: () => {
            throw new TypeError(`the stack says ${SECRET}`);
          },
        },
      },
    }),
  };
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const server = new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET, onError }, { odd });
  const schema = makeExecutableSchema(accountsModule(server));

  test('says nothing, also on a host that masks nothing, and is reported', async () => {
    errors.length = 0;
    const plugins = [useAccounts(server)];
    const yoga = createYoga({ schema, plugins, logging: false, maskedErrors: false });
    const answer = await (await yoga.fetch('http://localhost/graphql?query={odd}')).json();
    expect(answer).toMatchObject({
      errors: [{ message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    expect(errors).toMatchObject([{ message: `the stack says ${SECRET}` }]);
  });

  test('is hidden by the error itself, and not only by what prints it', async () => {
    const { errors: [error] = [] } = await graphql({ schema, source: '{ odd }' });
    expect(error?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
    expect(`${error?.stack} ${error?.originalError?.stack} ${error?.cause}`).not.toContain(SECRET);
  });
});

test('on a host without plugin and context nobody is logged in, and logging in works', async () => {
  const { schema, signUp } = createGateway();
  await signUp({ email: 'ada@example.com' });
  for (const contextValue of [undefined, null, {}, 7]) {
    const run = (source: string) =>
      graphql({
        schema,
        source,
        contextValue,
        variableValues: { params: ada },
      }) as unknown as Promise<Answer>;
    expect((await run('{ getUser { id } hello }')).data).toEqual({ getUser: null, hello: 'world' });
    expect(codeIn(await run('{ secret }'))).toBe('UNAUTHENTICATED');
    expect(codeIn(await run('mutation { logout }'))).toBe('UNAUTHENTICATED');
    expect((await run(LOGIN)).errors).toBeUndefined();
  }
});

/** A database whose every call can be made to do something else for a while. */
function switchable() {
  const inner = memoryDatabase();
  let instead: (() => Promise<never>) | null = null;
  const port = <T extends object>(store: T): T =>
    Object.fromEntries(
      Object.entries(store).map(([name, value]) => [
        name,
        typeof value === 'function'
          ? (...args: unknown[]) => (instead ? instead() : value.apply(store, args))
          : value,
      ]),
    ) as T;
  const { findWithUsers: _, ...sessions } = inner.sessions;
  const db: AccountsDatabase = {
    ...inner,
    users: port(inner.users),
    identities: port(inner.identities),
    sessions: port(sessions),
    oneTimeTokens: port(inner.oneTimeTokens),
  };
  return {
    db,
    switchOff: (what: () => Promise<never>) => {
      instead = what;
    },
    switchOn: () => {
      instead = null;
    },
  };
}
