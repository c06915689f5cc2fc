// Types of ours that meet others: twice ours, or the host's under one name.
import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { filterSchema, pruneSchema } from '@graphql-tools/utils';
import {
  buildASTSchema,
  buildSchema,
  type DocumentNode,
  type GraphQLSchema,
  graphql,
  parse,
  printSchema,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { createContext } from '../../../src/graphql/context.ts';
import { type AccountsModuleOptions, accountsModule } from '../../../src/graphql/module.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import { AccountsServer, passkey, password, type ServiceFactory, twoFactor } from '../../../src/index.ts';
import { createAccounts, PASSWORD, SECRET } from '../../accounts.ts';

/** A server whose services extend `User`. */
const createServer = () =>
  new AccountsServer(
    { db: memoryDatabase(), tokenSecret: SECRET },
    { password: password(), twoFactor: twoFactor(), passkey: passkey() },
  );
const server = createServer();
const start = (schema: GraphQLSchema, of = server) =>
  createYoga({ schema, logging: false, plugins: [useAccounts(of)] });
const merged = (...typeDefs: (string | DocumentNode)[]) => {
  const ours = accountsModule(server);
  return makeExecutableSchema({ typeDefs: [ours.typeDefs, ...typeDefs], resolvers: [ours.resolvers] });
};

describe('our types twice', () => {
  const ours = accountsModule(server);
  const once = makeExecutableSchema(ours);

  test.each<[string, () => GraphQLSchema]>([
    [
      'the module',
      () =>
        makeExecutableSchema({
          typeDefs: [ours.typeDefs, accountsModule(server).typeDefs],
          resolvers: [ours.resolvers, accountsModule(server).resolvers],
        }),
    ],
    [
      'the type definitions, pasted',
      () => makeExecutableSchema({ typeDefs: [ours.typeDefs, printSchema(once)], resolvers: ours.resolvers }),
    ],
    ['the schema', () => mergeSchemas({ schemas: [once, makeExecutableSchema(accountsModule(server))] })],
  ])('are one where the host merges: %s', (_, make) => {
    const schema = make();
    expect(printSchema(schema)).toBe(printSchema(once));
    expect(() => start(schema)).not.toThrow();
  });

  test('are refused by name where it does not', () => {
    expect(() => buildSchema(ours.typeDefs + ours.typeDefs)).toThrow(
      'There can be only one type named "User"',
    );
  });

  test.each<[string, (a: AccountsServer, b: AccountsServer) => GraphQLSchema]>([
    [
      'modules',
      (a, b) => {
        const [first, second] = [accountsModule(a), accountsModule(b)];
        return makeExecutableSchema({
          typeDefs: [first.typeDefs, second.typeDefs],
          resolvers: [first.resolvers, second.resolvers],
        });
      },
    ],
    [
      'schemas',
      (a, b) =>
        mergeSchemas({
          schemas: [makeExecutableSchema(accountsModule(a)), makeExecutableSchema(accountsModule(b))],
        }),
    ],
  ])('of two servers stop the start: %s', (_, make) => {
    const [mine, other] = [createAccounts().server, createAccounts().server];
    const begin = () => createYoga({ schema: make(mine, other), plugins: [useAccounts(mine)] });
    expect(begin).toThrow(TypeError);
    expect(begin).toThrow(/^Query\.getUser is of another AccountsServer than useAccounts/);
  });

  test('of two servers refuse their operations where there is no plugin', async () => {
    const [mine, other] = [createAccounts(), createAccounts()];
    await mine.signUp({ email: 'ada@example.com' });
    const { tokens } = await mine.logIn('ada@example.com');
    const schema = makeExecutableSchema(accountsModule(other.server));
    const request = new Request('http://localhost/', {
      headers: { authorization: `Bearer ${tokens.accessToken}` },
    });
    const contextValue = await createContext(mine.server)(request);
    expect(contextValue.user).not.toBeNull();
    const answer = await graphql({ schema, source: '{ getUser { id } }', contextValue });
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({
      data: { getUser: null },
      errors: [{ message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
    expect(other.errors.map(({ error }) => String(error))).toEqual([
      expect.stringMatching(/is of another AccountsServer/),
    ]);
  });
});

describe('a type of the host under a name of ours', () => {
  test.each([
    [
      'User',
      'interface User { id: ID! }',
      'User is both an object type of accountsModule and an interface of this schema: rename yours, or ours by userType of accountsModule.',
    ],
    [
      'User',
      'input User { id: ID! }',
      'User is both an object type of accountsModule and an input type of this schema: rename yours, or ours by userType of accountsModule.',
    ],
    [
      'LoginResult',
      'union LoginResult = Tokens',
      'LoginResult is both an object type of accountsModule and a union of this schema: rename yours.',
    ],
    [
      'Tokens',
      'scalar Tokens',
      'Tokens is both an object type of accountsModule and a scalar of this schema: rename yours.',
    ],
    [
      'JSON',
      'enum JSON { A }',
      'JSON is both a scalar of accountsModule and an enum of this schema: rename yours.',
    ],
  ])('stops the start when it makes of %s: %s', (_, typeDefs, message) => {
    const ours = accountsModule(server);
    // Which of two kinds comes out depends on their order: one of them is no type of ours.
    const told = [
      [ours.typeDefs, typeDefs],
      [typeDefs, ours.typeDefs],
    ].map((given) => {
      try {
        const schema = makeExecutableSchema({
          typeDefs: given,
          resolvers: ours.resolvers,
          assumeValid: true,
          resolverValidationOptions: { requireResolversToMatchSchema: 'ignore' },
        });
        start(schema);
        return 'starts';
      } catch (error) {
        return String(error);
      }
    });
    expect(told.toSorted()).toEqual([`TypeError: ${message}`, 'starts']);
  });

  test('is refused by name where two fields of one name have two types', () => {
    for (const typeDefs of [
      'type User { id: Int! }',
      'type User { emails: [String!] }',
      'type Tokens { accessToken: Int }',
    ])
      expect(() => merged(typeDefs)).toThrow(
        /Unable to merge GraphQL type "(User|Tokens)": Field "\w+" already defined/,
      );
  });

  test('is refused by the plugin where another tool let the last one win', () => {
    const schema = buildASTSchema(
      parse('type Query { getUser: User } type User { id: Int! emails: [String!] }'),
    );
    accountsModule(server);
    expect(() => start(schema)).toThrow(
      'User of accountsModule has in this schema another field id: rename yours, or ours',
    );
  });

  test.each<[string, string | DocumentNode]>([
    ['as text', 'type User { id: ID! nickname: String }'],
    ['parsed', parse('type User { id: ID! nickname: String }')],
    ['beside an extension', 'type User { nickname: String } extend type User { city: String }'],
  ])('that merges, %s, is refused by the names of both: nobody said that it is ours', (_, typeDefs) => {
    expect(() => start(merged(typeDefs))).toThrow(
      'User of accountsModule was merged with another User, which has nickname (write "extend type User" to add to ' +
        'ours): rename yours, or ours by userType of accountsModule.',
    );
  });

  test('may be printed, and be made again of what was printed', () => {
    const printed = printSchema(merged('extend type User { nickname: String }'));
    expect(() => start(buildSchema(printed))).not.toThrow();
  });

  test('may extend ours: then it has our fields too', () => {
    const schema = merged(
      'extend type User { nickname: String }',
      'extend type LoginResult { greeting: String }',
      'extend input CreateUserInput { age: Int! }',
    );
    expect(() => start(schema)).not.toThrow();
    expect(printSchema(schema)).toMatch(/type User {[^}]*nickname: String/);
  });

  test("is nobody's business in a schema without our operations, or with a part of them", () => {
    expect(() =>
      start(buildSchema('type Query { me: User } interface User { id: Int } type Tokens { left: Int }')),
    ).not.toThrow();
    expect(() =>
      start(buildSchema('type Query { getUser: Person } type Person { id: Int } interface User { id: Int }')),
    ).not.toThrow();
    const part = pruneSchema(
      filterSchema({
        schema: merged(),
        rootFieldFilter: (_, name) => name === 'getUser',
        objectFieldFilter: (_, name) => name === 'id',
      }),
    );
    expect(printSchema(part).length).toBeLessThan(200);
    expect(() => start(part)).not.toThrow();
  });
});

describe('userType', () => {
  const gateway = (options: AccountsModuleOptions = {}) => {
    const ours = accountsModule(server, { userType: 'Account', ...options });
    return makeExecutableSchema({
      typeDefs: [ours.typeDefs, 'type Query { users: [User!]! } type User { id: Int! emails: String }'],
      resolvers: [ours.resolvers, { Query: { users: () => [{ id: 1, emails: 'theirs' }] } }],
    });
  };

  test('renames our User everywhere, beside one of the host', async () => {
    const { typeDefs, resolvers } = accountsModule(server, { userType: 'Account' });
    expect(typeDefs).not.toMatch(/\bUser\b(?! to log| was)/);
    expect(Object.keys(resolvers)).toEqual(['Query', 'Mutation', 'Account']);
    const plain = printSchema(buildSchema(accountsModule(server).typeDefs));
    const renamed = printSchema(buildSchema(typeDefs));
    expect(
      renamed
        .replace(/\bAccount\b/g, 'User')
        .split('\n')
        .toSorted(),
    ).toEqual(plain.split('\n').toSorted());
  });

  test('lets both be used', async () => {
    const schema = gateway();
    const yoga = start(schema);
    const ask = async (query: string, token?: string) => {
      const headers = {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const answer = await yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers,
        body: JSON.stringify({ query }),
      });
      return answer.json();
    };
    const credentials = `email: "ada@example.com"`;
    await ask(`mutation { createUser(user: { ${credentials}, password: "${PASSWORD}" }) { userId } }`);
    const login =
      await ask(`mutation { authenticate(serviceName: "password", params: { user: { ${credentials} }, password: "${PASSWORD}" }) {
      tokens { accessToken } user { __typename emails { address } twoFactorEnabled }
    } }`);
    expect(login.data.authenticate.user).toEqual({
      __typename: 'Account',
      emails: [{ address: 'ada@example.com' }],
      twoFactorEnabled: false,
    });
    expect(
      await ask(
        '{ users { __typename id emails } getUser { __typename } }',
        login.data.authenticate.tokens.accessToken,
      ),
    ).toEqual({
      data: { users: [{ __typename: 'User', id: 1, emails: 'theirs' }], getUser: { __typename: 'Account' } },
    });
  });

  test('goes with the other options', () => {
    const { typeDefs } = accountsModule(server, {
      userType: 'Account',
      extendTypeDefs: true,
      rootQueryName: 'Q',
      directiveName: 'auth',
    });
    expect(typeDefs).toMatch(/^extend type Q {/);
    expect(typeDefs).toMatch(/^type Account {/m);
    expect(typeDefs).toContain('extend type Account {');
    const greeting: ServiceFactory = {
      create: () => ({
        operations: {
          typeDefs: 'extend type User { greeting: String } extend type Query { greeting: String }',
          Query: { greeting: () => 'hello' },
          needsSession: ['greeting'],
        },
      }),
    };
    const greeter = new AccountsServer({ db: memoryDatabase(), tokenSecret: SECRET }, { greeting });
    const marked = accountsModule(greeter, { userType: 'Account', directiveName: 'auth' }).typeDefs;
    expect(marked).toContain('extend type Query {\n  greeting: String @auth\n}');
    expect(marked).toContain('extend type Account {\n  greeting: String\n}');
  });

  test('is refused when it is no name, or that of another type', () => {
    for (const userType of ['', 'Two Words', '__User', 7, null])
      expect(() => accountsModule(server, { userType } as never)).toThrow(
        'userType must be a name of GraphQL',
      );
    for (const userType of ['Tokens', 'UserInput', 'JSON', 'Query', 'Mutation'])
      expect(() => accountsModule(server, { userType })).toThrow(
        `accountsModule: there is another type ${userType}`,
      );
    expect(() => accountsModule(server, { rootQueryName: 'User' })).toThrow('there is another type User');
    expect(() => accountsModule(server, { rootQueryName: 'Root', rootMutationName: 'Root' })).toThrow(
      'another type Root',
    );
  });
});
