import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { accountsModule } from '../../src/graphql/module.ts';
import { setNoStore } from '../../src/graphql/no-store.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import { createAccounts, PASSWORD } from '../accounts.ts';
import { createGateway } from './gateway.ts';

const login = (password: string) => `mutation {
  authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${password}" }) {
    tokens { accessToken }
  }
}`;

for (const useStatelessSession of [false, true])
  describe(`an answer that carries a token, ${useStatelessSession ? 'statelessly' : 'statefully'},`, () => {
    const start = async () => {
      const gateway = createGateway({ useStatelessSession }, { yoga: { batching: true } });
      await gateway.signUp({ email: 'ada@example.com' });
      const cacheControl = async (body: unknown, token?: string) =>
        (await gateway.post(body, token)).headers.get('cache-control');
      return { ...gateway, cacheControl };
    };

    test('is kept out of caches, as is the refusal of one', async () => {
      const { cacheControl, logIn } = await start();
      expect(await cacheControl({ query: login(PASSWORD) })).toBe('no-store');
      expect(await cacheControl({ query: login('not the password') })).toBe('no-store');
      expect(await cacheControl([{ query: '{ hello }' }, { query: login(PASSWORD) }])).toBe('no-store');
      const { tokens } = await logIn('ada@example.com');
      const query = `mutation { refreshTokens(accessToken: "${tokens.accessToken}", refreshToken: "${tokens.refreshToken}") { sessionId } }`;
      expect(await cacheControl({ query })).toBe('no-store');
      expect(await cacheControl({ query: '{ hello getUser { id } }' }, tokens.accessToken)).toBeNull();
      expect(await cacheControl({ query: '{ hello }' })).toBeNull();
    });

    test('is so over real HTTP, and while a part of it is outstanding', async () => {
      const { server, signUp } = createAccounts({ useStatelessSession });
      await signUp({ email: 'ada@example.com' });
      const { typeDefs, resolvers } = accountsModule(server);
      const defer =
        'directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT';
      const schema = makeExecutableSchema({ typeDefs: [typeDefs, defer], resolvers });
      const yoga = createYoga({ schema, logging: false, plugins: [useAccounts(server)] });
      const http = createServer(yoga);
      await once(http.listen(0, '127.0.0.1'), 'listening');
      const { port } = http.address() as AddressInfo;
      const post = (query: string) =>
        fetch(`http://127.0.0.1:${port}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'multipart/mixed, application/json' },
          body: JSON.stringify({ query }),
        });
      const whole = await post(login(PASSWORD));
      expect(whole.headers.get('cache-control')).toBe('no-store');
      expect(await whole.text()).toContain('accessToken');
      const deferred = await post(
        login(PASSWORD).replace('tokens { accessToken }', '... @defer { tokens { accessToken } }'),
      );
      expect(deferred.headers.get('content-type')).toContain('multipart/mixed');
      expect(deferred.headers.get('cache-control')).toBe('no-store');
      expect(await deferred.text()).toContain('"accessToken":"ey');
      expect((await post('{ getUser { id } }')).headers.get('cache-control')).toBeNull();
      http.close();
    });
  });

test('a response whose headers are fixed is replaced', async () => {
  const fixed = Response.error();
  const made: Response[] = [];
  class Tolerant extends Response {
    constructor(body: BodyInit | null, init: ResponseInit) {
      super(body, { ...init, status: 200 });
    }
  }
  setNoStore(fixed, (response) => made.push(response), Tolerant as typeof Response);
  expect(made[0]?.headers.get('cache-control')).toBe('no-store');
});
