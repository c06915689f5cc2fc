// This library twice in one process, as package managers and bundlers make it: each pair of its parts meets as strangers.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import * as one from '../../../src/index.ts';
import { fastHashes, PASSWORD, SECRET } from '../../accounts.ts';

const ROOT = join(import.meta.dirname, '../../..');
let folder: string;
let other: typeof one;
beforeAll(async () => {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.tmp/copy-'));
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
  other = await import(join(folder, 'src/index.ts'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('they are two', () => {
  expect(other.AccountsServer).not.toBe(one.AccountsServer);
  expect(other.AccountsError).not.toBe(one.AccountsError);
});

describe.each<[string, (of: (part: string) => typeof one) => void]>([
  ['the server', (of) => of('server')],
  ['the module', (of) => of('module')],
  ['the plugin', (of) => of('plugin')],
  ['the directive', (of) => of('directive')],
  ['the service', (of) => of('service')],
])('%s of another copy', (name) => {
  const part = name.replace('the ', '');
  const copyFor = (wanted: string) => (wanted === part ? other : one);

  function start(applied = true) {
    const errors: unknown[] = [];
    const server = new (copyFor('server').AccountsServer)(
      {
        db: memoryDatabase(),
        tokenSecret: SECRET,
        onError: (error) => errors.push(error),
        siteUrl: 'http://localhost',
      },
      { password: copyFor('service').password(fastHashes) },
    );
    const { typeDefs, resolvers } = copyFor('module').accountsModule(server);
    const { authDirectiveTypeDefs, authDirectiveTransformer } = copyFor('directive').authDirective();
    const schema = makeExecutableSchema({
      typeDefs: [
        typeDefs,
        authDirectiveTypeDefs,
        'type Query { secret: String @auth recent: Int @auth(maxAge: 0) thrown: Int }',
      ],
      resolvers: [
        resolvers,
        {
          Query: {
            secret: () => 'the treasure',
            recent: () => 1,
            thrown: () => {
              throw new (copyFor('service').AccountsError)('FORBIDDEN');
            },
          },
        },
      ],
    });
    const yoga = createYoga({
      schema: applied ? authDirectiveTransformer(schema) : schema,
      logging: false,
      plugins: [copyFor('plugin').useAccounts(server, { cookie: true })],
    });
    const post = (query: string, headers: Record<string, string> = {}) =>
      yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body: JSON.stringify({ query }),
      });
    const ask = async (query: string, token?: string) =>
      (await post(query, token === undefined ? {} : { authorization: `Bearer ${token}` })).json();
    return { errors, post, ask };
  }

  const login = (password = PASSWORD) =>
    `mutation { authenticate(serviceName: "password", params: { user: { email: "ada@example.com" }, password: "${password}" }) { tokens { accessToken } } }`;
  const signUp = `mutation { createUser(user: { email: "ada@example.com", password: "${PASSWORD}" }) { userId } }`;

  test('works, guards, tells its codes and keeps tokens out of caches', async () => {
    const { errors, post, ask } = start();
    await ask(signUp);
    const answer = await post(login(), { 'x-accounts-csrf': '1' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    const { accessToken } = (await answer.json()).data.authenticate.tokens;
    expect(await ask('{ secret getUser { emails { address } } }', accessToken)).toEqual({
      data: { secret: 'the treasure', getUser: { emails: [{ address: 'ada@example.com' }] } },
    });
    const codeIn = async (query: string, token?: string) =>
      (await ask(query, token)).errors?.[0]?.extensions?.code;
    expect(await codeIn('{ secret }')).toBe('UNAUTHENTICATED');
    expect(await codeIn('{ secret }', 'nonsense')).toBe('UNAUTHENTICATED');
    expect(await codeIn('{ recent }', accessToken)).toBeOneOf([undefined, 'RECENT_LOGIN_REQUIRED']);
    expect(await codeIn('{ thrown }')).toBe('FORBIDDEN');
    expect(await codeIn(login('not the password'))).toBe('INVALID_CREDENTIALS');
    expect(await codeIn('mutation { logout }')).toBe('UNAUTHENTICATED');
    expect(await ask('mutation { logout }', accessToken)).toEqual({ data: { logout: true } });
    expect(await codeIn('{ secret }', accessToken)).toBe('UNAUTHENTICATED');
    expect(errors).toEqual([]);
  });

  test('is refused at the start when the directive was forgotten', () => {
    expect(() => start(false)).toThrow(/@auth stands in the schema but was not applied to Query\.secret/);
  });
});

test('an error is known by every copy, and nothing else is', () => {
  const error = new other.AccountsError('FORBIDDEN');
  expect(error).toBeInstanceOf(one.AccountsError);
  class Stricter extends one.AccountsError {}
  expect(error).not.toBeInstanceOf(Stricter);
  expect(new Stricter('FORBIDDEN')).toBeInstanceOf(one.AccountsError);
  const named = Object.assign(new Error('of somebody else'), { name: 'AccountsError' });
  for (const foreign of [
    named,
    Object.assign(new Error(), { code: 'FORBIDDEN' }),
    Object.assign(named, { code: 'toString' }),
    { name: 'AccountsError', code: 'FORBIDDEN' },
    null,
    'FORBIDDEN',
  ])
    expect(foreign).not.toBeInstanceOf(one.AccountsError);
});
