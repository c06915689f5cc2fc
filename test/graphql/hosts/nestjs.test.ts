// What the examples do not show: how a schema that is written in code is joined, and what becomes of one's own options.
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  graphql,
  parse,
  printType,
  validateSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { type NestjsOptions, nestjsApollo, nestjsYoga } from '../../../src/graphql/hosts/nestjs.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import { createAccounts, PASSWORD } from '../../accounts.ts';

const LOG_IN = `mutation { authenticate(serviceName: "password",
  params: { user: { email: "ada@example.com" }, password: "${PASSWORD}" }) { tokens { accessToken } } }`;

/** As Nest builds it: the directive stands in the AST of a field, and is declared nowhere. */
function writtenInCode(fields: Partial<ConstructorParameters<typeof GraphQLObjectType>[0]['fields']> = {}) {
  const [definition] = parse('type Query { diary: String @auth }').definitions;
  const astNode = definition?.kind === 'ObjectTypeDefinition' ? definition.fields?.[0] : undefined;
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        diary: {
          type: new GraphQLNonNull(GraphQLString),
          args: { page: { type: new GraphQLNonNull(GraphQLInt), defaultValue: 1 } },
          resolve: (_, { page }) => `page ${page}`,
          astNode,
        },
        ...fields,
      },
    }),
  });
}

const joined = async (schema: GraphQLSchema, options: NestjsOptions = {}) =>
  nestjsApollo(createAccounts().server, options).transformSchema?.(schema) as Promise<GraphQLSchema>;

/** What Express gives. */
const express = (headers: object = {}) => {
  const set: { [name: string]: string } = {};
  const setHeader = (name: string, value: string) => Object.assign(set, { [name]: value });
  const res = { headersSent: false, setHeader, appendHeader: setHeader };
  return { given: { req: { headers, socket: { remoteAddress: '192.0.2.1' } }, res }, set };
};

const contextOf = (options: NestjsOptions, ...given: unknown[]) =>
  (options.context as (...args: unknown[]) => Promise<{ [key: string]: unknown }>)(...given);

test('a schema written in code keeps its default values and resolvers, gets our operations, and is guarded', async () => {
  const { server, signUp, logIn } = createAccounts();
  await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const options = nestjsApollo(server, {} as NestjsOptions);
  const schema = await options.transformSchema?.(writtenInCode());
  if (!schema) throw new Error('no schema');
  expect(validateSchema(schema)).toEqual([]);
  const ask = async (source: string, headers = {}) =>
    graphql({ schema, source, contextValue: await contextOf(options, express(headers).given) });
  expect((await ask('{ diary }')).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  const authorization = `Bearer ${tokens.accessToken}`;
  expect((await ask('{ diary getUser { emails { address } } }', { authorization })).data).toEqual({
    diary: 'page 1',
    getUser: { emails: [{ address: 'ada@example.com' }] },
  });
  expect((await ask('mutation { logout }', { authorization })).data).toEqual({ logout: true });
});

test('a User of the host gets our fields, and keeps its own', async () => {
  const User = new GraphQLObjectType({
    name: 'User',
    fields: {
      username: { type: GraphQLString, resolve: () => 'theirs' },
      posts: { type: new GraphQLList(GraphQLString), resolve: () => ['first'] },
    },
  });
  const schema = await joined(writtenInCode({ author: { type: User, resolve: () => ({ id: '1' }) } }));
  expect(printType(schema.getType('User') as GraphQLObjectType)).toBe(
    'type User {\n  username: String\n  posts: [String]\n  id: ID!\n  emails: [EmailRecord!]\n}',
  );
  const { data } = await graphql({ schema, source: '{ author { id username posts } }', contextValue: {} });
  expect(data).toEqual({ author: { id: '1', username: 'theirs', posts: ['first'] } });
});

test('a type of the host that ours cannot be used with is refused by name', async () => {
  const Tokens = new GraphQLObjectType({ name: 'Tokens', fields: { accessToken: { type: GraphQLInt } } });
  await expect(joined(writtenInCode({ tokens: { type: Tokens } }))).rejects.toThrow(
    'Tokens of accountsModule has in this schema another field accessToken',
  );
  await expect(joined(writtenInCode({ getUser: { type: GraphQLString } }))).rejects.toThrow('Query.getUser');
});

test('a schema written as SDL may use our types and the directive', async () => {
  const { server, signUp, logIn } = createAccounts();
  await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const own = ['type Query { diary: String @auth, author: User }', 'extend type User { nickname: String }'];
  const options = nestjsApollo(server, { typeDefs: own } as NestjsOptions);
  const resolvers = { Query: { diary: () => 'mine' } };
  const made = makeExecutableSchema({ typeDefs: options.typeDefs ?? '', resolvers });
  const schema = (await options.transformSchema?.(made)) as GraphQLSchema;
  const ask = async (headers = {}) =>
    graphql({
      schema,
      source: '{ diary getUser { nickname } }',
      contextValue: await contextOf(options, express(headers).given),
    });
  expect((await ask()).data).toEqual({ diary: null, getUser: null });
  expect((await ask({ authorization: `Bearer ${tokens.accessToken}` })).data).toEqual({
    diary: 'mine',
    getUser: { nickname: null },
  });
});

test('User can have another name', async () => {
  const { server } = createAccounts();
  const User = new GraphQLObjectType({ name: 'User', fields: { id: { type: GraphQLInt } } });
  const options = nestjsApollo(server, {} as NestjsOptions, { module: { userType: 'Account' } });
  const schema = await options.transformSchema?.(writtenInCode({ author: { type: User } }));
  expect(String(schema?.getQueryType()?.getFields().getUser?.type)).toBe('Account');
});

test("one's own transformSchema comes first, and its own directive is not declared twice", async () => {
  const seen: string[] = [];
  const options: NestjsOptions = {
    transformSchema: (schema) => {
      seen.push(...Object.keys(schema.getQueryType()?.getFields() ?? {}));
      return schema;
    },
  };
  const once = await joined(writtenInCode(), options);
  expect(seen).toEqual(['diary']);
  expect(once.getDirective('auth')).toBeDefined();
});

test.each<[string, unknown]>([
  ['a function', async () => ({ loaders: 'mine', user: 'forged' })],
  ['an object', { loaders: 'mine', user: 'forged' }],
])("one's own context is %s: it stays, and makes nobody a user", async (_, context) => {
  const options = nestjsApollo(createAccounts().server, { context } as NestjsOptions);
  const { given } = express();
  const first = await contextOf(options, given);
  expect(first).toMatchObject({ loaders: 'mine', user: null, userId: null });
  expect(first.req).toBe(given.req);
  expect(await contextOf(options, given)).not.toBe(first);
});

test("one's own context keeps its class", async () => {
  class Loaders {
    load = () => 'loaded';
    name() {
      return this.load();
    }
  }
  const options = nestjsApollo(createAccounts().server, { context: () => new Loaders() } as NestjsOptions);
  const context = (await contextOf(options, express().given)) as unknown as Loaders;
  expect(context.name()).toBe('loaded');
});

test('the response is kept out of caches, on Express and on Fastify, and a login works without one', async () => {
  const { server, signUp } = createAccounts();
  await signUp({ email: 'ada@example.com' });
  const options = nestjsApollo(server, {} as NestjsOptions);
  const schema = (await options.transformSchema?.(writtenInCode())) as GraphQLSchema;
  const logIn = async (...given: unknown[]) => {
    const contextValue = await contextOf(options, ...given);
    const { data } = await graphql({ schema, source: LOG_IN, contextValue });
    expect(data).toMatchObject({ authenticate: { tokens: { accessToken: expect.any(String) } } });
  };
  const { given, set } = express();
  await logIn(given);
  expect(set).toEqual({ 'cache-control': 'no-store' });

  const replied: { [name: string]: string } = {};
  const header = (name: string, value: string) => Object.assign(replied, { [name]: value });
  await logIn({ headers: {}, socket: {} }, { sent: false, header });
  expect(replied).toEqual({ 'cache-control': 'no-store' });

  await logIn({ req: { headers: {}, socket: {} } });
  await logIn({ headers: {}, socket: {} });
});

test('Retry-After is set', async () => {
  const { server } = createAccounts();
  const options = nestjsApollo(server, {} as NestjsOptions);
  const schema = (await options.transformSchema?.(writtenInCode())) as GraphQLSchema;
  const { given, set } = express();
  for (let guess = 0; guess < 12; guess++)
    await graphql({ schema, source: LOG_IN, contextValue: await contextOf(options, given) });
  expect(Number(set['retry-after'])).toBeGreaterThan(0);
});

test('two operations of one request look their session up once', async () => {
  const { server, signUp, logIn } = createAccounts();
  await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const options = nestjsApollo(server, {} as NestjsOptions);
  const { given } = express({ authorization: `Bearer ${tokens.accessToken}` });
  const [one, other] = await Promise.all([contextOf(options, given), contextOf(options, given)]);
  expect(one?.user).not.toBeNull();
  expect(one?.user).toBe(other?.user);
});

test('a socket is asked for its token, whichever way graphql-ws was turned on', async () => {
  const { server, signUp, logIn } = createAccounts();
  await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  const request = { headers: {}, socket: {} };
  const socket = {
    connectionParams: { authorization: `Bearer ${tokens.accessToken}` },
    extra: { request },
  };
  const options = nestjsApollo(server, {
    subscriptions: { 'graphql-ws': true },
    context: () => ({ loaders: 'mine' }),
  } as NestjsOptions);
  const { 'graphql-ws': given } = options.subscriptions as { 'graphql-ws': NestjsOptions };
  for (const { context } of [options, given]) {
    const found = await contextOf({ context }, socket);
    expect(found).toMatchObject({ loaders: 'mine', userId: expect.any(String) });
    expect(found.req).toBe(request);
  }
  expect(nestjsApollo(server, {} as NestjsOptions)).not.toHaveProperty('subscriptions');
});

test('the plugins of the application stay', () => {
  const { server } = createAccounts();
  const mine = { name: 'mine' };
  expect(nestjsApollo(server, { plugins: [mine] }).plugins).toEqual([mine, expect.anything()]);
  const [first, second] = nestjsYoga(server, { plugins: [mine] } as NestjsOptions).plugins ?? [];
  expect(Object.keys(first as object)).toEqual(Object.keys(useAccounts(server)));
  expect(second).toBe(mine);
});

test('an unknown option is refused', () => {
  const { server } = createAccounts();
  expect(() => nestjsApollo(server, {}, { loadUsers: true } as never)).toThrow(TypeError);
  expect(() => nestjsYoga(server, {}, { loadUsers: true } as never)).toThrow(TypeError);
  expect(() => nestjsApollo(undefined as never, {})).toThrow('nestjsApollo needs the AccountsServer');
});
