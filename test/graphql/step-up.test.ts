import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  type ExecutionResult,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  graphql,
  parse,
  subscribe,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/core/time.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { authDirective } from '../../src/graphql/auth-directive/index.ts';
import { createContext } from '../../src/graphql/context.ts';
import { accountsModule } from '../../src/graphql/module.ts';
import { useAccounts } from '../../src/graphql/use-accounts.ts';
import {
  AccountsError,
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  password,
  type ServiceFactory,
} from '../../src/index.ts';
import { codeOf, createClock, fastHashes, PASSWORD, SECRET } from '../accounts.ts';

const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();

const SDL = /* GraphQL */ `
  type Query {
    open: String
    plain: String @auth
    fresh: String @auth(maxAge: 300)
    now: String @auth(maxAge: 0)
    strong: String @auth(secondFactor: true)
    both: String @auth(maxAge: 300, secondFactor: true)
    nothing: String @auth(maxAge: null, secondFactor: false)
    vault: Vault
    loose: Loose
    document: Document
    note: Note
    _entities(representations: [ID!]!): [Thing]!
  }
  type Subscription { ticks: Int @auth(maxAge: 300)  strongTicks: Int @auth(secondFactor: true) }
  type Vault @auth(maxAge: 300) { gold: String  silver: String @auth(maxAge: 60)  tin: String @auth(maxAge: 900)  key: String @auth(secondFactor: true) }
  type Loose { a: String @auth }
  extend type Loose @auth(maxAge: 60)
  interface Node @auth(maxAge: 60) { id: String }
  interface Named { name: String @auth(secondFactor: true) }
  type Document implements Node & Named @auth(maxAge: 300) { id: String  name: String  text: String }
  type Note implements Node { id: String  text: String }
  union Thing = Vault | Note
`;

const value = () => 'value';
const VAULT = { __typename: 'Vault', gold: 'g', silver: 's', tin: 't', key: 'k' };
const NOTE = { __typename: 'Note', id: 'i', text: 't' };

/** A way in of two factors: whoever has both is their user. */
const strongbox: ServiceFactory<AccountsService> = {
  create: ({ users }) => ({
    async authenticate({ who }) {
      const user = await users.findByReference({ username: String(who) });
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      return { user, amr: ['hwk', 'user', 'mfa'], secondFactor: true };
    },
  }),
};

function createSchema(directive: typeof authDirectiveTransformer = authDirectiveTransformer) {
  const started: string[] = [];
  const ticking = (name: string) => ({
    subscribe: async function* () {
      started.push(name);
      for (let n = 1; n < 4; n++) yield { [name]: n };
    },
  });
  const names = ['open', 'plain', 'fresh', 'now', 'strong', 'both', 'nothing'];
  const schema = directive(
    makeExecutableSchema({
      typeDefs: [SDL, authDirectiveTypeDefs],
      resolvers: {
        Query: {
          ...Object.fromEntries(names.map((name) => [name, value])),
          vault: () => VAULT,
          loose: () => ({ a: 'a' }),
          document: () => ({ id: 'i', name: 'n', text: 't' }),
          note: () => NOTE,
          _entities: () => [VAULT, NOTE],
        },
        Subscription: { ticks: ticking('ticks'), strongTicks: ticking('strongTicks') },
      },
    }),
  );
  return { schema, started };
}

async function start(options: Partial<AccountsServerOptions> = {}, given = createSchema()) {
  const clock = createClock();
  const server = new AccountsServer(
    { db: memoryDatabase(), tokenSecret: SECRET, now: clock.now, onError: () => {}, ...options },
    { password: password(fastHashes), strongbox },
  );
  await server.services.password.createUser({ username: 'ada', password: PASSWORD });
  await server.services.password.createUser({ username: 'eve', password: PASSWORD });
  const byPassword = { user: 'ada', password: PASSWORD };
  const contextOf = createContext(server);
  const context = (token: string) =>
    contextOf(new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } }));
  return {
    ...given,
    server,
    clock,
    context,
    logIn: async () => (await server.loginWithService('password', byPassword)).tokens,
    logInStrongly: async () => (await server.loginWithService('strongbox', { who: 'ada' })).tokens,
    verify: (accessToken: string, params: object = byPassword) =>
      server.authenticateWithService('password', params, null, { accessToken }),
    /** The fields that were refused, with the code of each. */
    refused: async (token: string, source: string, schema = given.schema) => {
      const { errors = [] } = await graphql({ schema, source, contextValue: await context(token) });
      return errors.map(({ path, extensions }) => `${path?.join('.')} ${extensions.code}`).sort();
    },
  };
}

const ALL = '{ open plain fresh strong both nothing }';

for (const useStatelessSession of [false, true])
  describe(`S51 @auth(maxAge, secondFactor), ${useStatelessSession ? 'statelessly' : 'statefully'},`, () => {
    const begin = () => start({ useStatelessSession });

    test('lets a fresh proof through, and one that is too old not', async () => {
      const { refused, logIn, clock } = await begin();
      const { accessToken } = await logIn();
      expect(await refused(accessToken, '{ open plain fresh now nothing }')).toEqual([]);
      clock.pass(300 * SECOND);
      expect(await refused(accessToken, '{ open plain fresh nothing }')).toEqual([]);
      expect(await refused(accessToken, '{ now }')).toEqual(['now RECENT_LOGIN_REQUIRED']);
      clock.pass(1);
      expect(await refused(accessToken, '{ open plain fresh nothing }')).toEqual([
        'fresh RECENT_LOGIN_REQUIRED',
      ]);
    });

    test('asks for two factors, without a challenge, after the fresh proof', async () => {
      const { schema, refused, context, logIn, logInStrongly, clock } = await begin();
      const weak = await logIn();
      expect(await refused(weak.accessToken, ALL)).toEqual([
        'both TWO_FACTOR_REQUIRED',
        'strong TWO_FACTOR_REQUIRED',
      ]);
      const contextValue = await context(weak.accessToken);
      const { errors } = await graphql({ schema, source: '{ strong }', contextValue });
      expect(errors?.[0]?.toJSON()).toMatchObject({ message: 'This needs a login with a second factor.' });
      expect(errors?.[0]?.extensions).toEqual({ code: 'TWO_FACTOR_REQUIRED' });
      const strong = await logInStrongly();
      expect(await refused(strong.accessToken, ALL)).toEqual([]);
      clock.pass(6 * MINUTE);
      expect(await refused(strong.accessToken, '{ strong both }')).toEqual(['both RECENT_LOGIN_REQUIRED']);
      expect(await refused(weak.accessToken, '{ both }')).toEqual(['both RECENT_LOGIN_REQUIRED']);
    });

    test('tells a stranger to log in', async () => {
      const { refused } = await begin();
      expect(await refused('bad', '{ fresh strong both }')).toEqual(
        ['both', 'fresh', 'strong'].map((field) => `${field} UNAUTHENTICATED`),
      );
    });

    test('survives a refresh, which proves nothing', async () => {
      const { refused, logInStrongly, server, clock } = await begin();
      let tokens = await logInStrongly();
      clock.pass(4 * MINUTE);
      tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      expect(await refused(tokens.accessToken, ALL)).toEqual([]);
      clock.pass(2 * MINUTE);
      tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      expect(await refused(tokens.accessToken, '{ strong fresh }')).toEqual(['fresh RECENT_LOGIN_REQUIRED']);
    });

    test('verifyAuthentication renews the proof of the session that asks, and no other', async () => {
      const { refused, logIn, verify, server, clock } = await begin();
      const [tokens, other] = [await logIn(), await logIn()];
      clock.pass(6 * MINUTE);
      expect(await verify(tokens.accessToken)).toBe(true);
      // A token says what was true when it was made: statelessly the client refreshes.
      const renewed = useStatelessSession
        ? (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens
        : tokens;
      expect(await refused(renewed.accessToken, '{ fresh }')).toEqual([]);
      expect(await refused(other.accessToken, '{ fresh }')).toEqual(['fresh RECENT_LOGIN_REQUIRED']);
    });

    test('verifyAuthentication by somebody else, or by a wrong password, renews nothing', async () => {
      const { refused, logIn, verify, clock, server } = await begin();
      const { accessToken, refreshToken } = await logIn();
      clock.pass(6 * MINUTE);
      const others = [
        { user: 'eve', password: PASSWORD },
        { user: 'ada', password: 'not the password' },
      ];
      for (const params of others)
        expect(await codeOf(verify(accessToken, params))).toBe('INVALID_CREDENTIALS');
      const { tokens } = await server.refreshTokens(accessToken, refreshToken);
      expect(await refused(tokens.accessToken, '{ fresh }')).toEqual(['fresh RECENT_LOGIN_REQUIRED']);
    });

    test('holds at the strictest of all that cover a field, on objects, interfaces, extensions and entities', async () => {
      const { refused, logIn, clock } = await begin();
      const { accessToken } = await logIn();
      const source = `{
        vault { gold silver tin key } loose { a } document { id name text } note { id text }
        _entities(representations: [1]) { ... on Vault { g: gold s: silver } ... on Note { id text } }
      }`;
      const weak = ['document.name TWO_FACTOR_REQUIRED', 'vault.key TWO_FACTOR_REQUIRED'];
      expect(await refused(accessToken, source)).toEqual(weak);
      clock.pass(61 * SECOND);
      const atAMinute = [
        '_entities.0.s',
        '_entities.1.id',
        'document.id',
        'loose.a',
        'note.id',
        'vault.silver',
      ];
      expect(await refused(accessToken, source)).toEqual(
        [...atAMinute.map((path) => `${path} RECENT_LOGIN_REQUIRED`), ...weak].sort(),
      );
      clock.pass(240 * SECOND);
      const later = [
        '_entities.0.g',
        'document.name',
        'document.text',
        'vault.gold',
        'vault.key',
        'vault.tin',
      ];
      expect(await refused(accessToken, source)).toEqual(
        [...atAMinute, ...later].map((path) => `${path} RECENT_LOGIN_REQUIRED`).sort(),
      );
    });

    test('starts no source of a subscription, and stops its events once the proof is too old', async () => {
      const { schema, started, context, logIn, clock } = await begin();
      const { accessToken } = await logIn();
      const contextValue = await context(accessToken);
      const open = (field: string) =>
        subscribe({ schema, document: parse(`subscription { ${field} }`), contextValue });
      expect(await open('strongTicks')).toMatchObject({
        errors: [{ extensions: { code: 'TWO_FACTOR_REQUIRED' } }],
      });
      expect(started).toEqual([]);
      const events = (await open('ticks')) as AsyncGenerator<ExecutionResult>;
      expect((await events.next()).value).toEqual({ data: { ticks: 1 } });
      clock.pass(6 * MINUTE);
      const code = 'RECENT_LOGIN_REQUIRED';
      expect((await events.next()).value).toMatchObject({ errors: [{ extensions: { code } }] });
      started.length = 0;
      expect(await open('ticks')).toMatchObject({ errors: [{ extensions: { code } }] });
      expect(started).toEqual([]);
    });

    test('S42 is as old for an impersonator as the impersonator’s own proof, and never of two factors', async () => {
      const { server, refused, logInStrongly, clock } = await start({
        useStatelessSession,
        impersonationAuthorize: () => true,
      });
      const { accessToken } = await logInStrongly();
      clock.pass(4 * MINUTE);
      const { tokens } = await server.impersonate(accessToken, { username: 'eve' });
      expect(await refused(tokens.accessToken, '{ fresh strong }')).toEqual(['strong TWO_FACTOR_REQUIRED']);
      clock.pass(2 * MINUTE);
      expect(await refused(tokens.accessToken, '{ fresh }')).toEqual(['fresh RECENT_LOGIN_REQUIRED']);
    });

    test('the context tells when and how', async () => {
      const { context, logInStrongly, clock } = await begin();
      const { session } = await context((await logInStrongly()).accessToken);
      expect(session).toMatchObject({ authenticatedAt: new Date(clock.now()), amr: ['hwk', 'user', 'mfa'] });
    });
  });

describe('S51 what @auth(…) asks', () => {
  test('is asked once where the transformer is applied twice, and by schemas that were merged or mapped', async () => {
    const { schema } = createSchema((given) => authDirectiveTransformer(authDirectiveTransformer(given)));
    const merged = mergeSchemas({ schemas: [schema], typeDefs: ['type Query { more: String }'] });
    const mapped = mapSchema(schema, {
      [MapperKind.OBJECT_FIELD]: (config) => ({
        ...config,
        resolve: (_, __, ___, { fieldName }) => fieldName,
      }),
    });
    const { refused, logIn, clock, server } = await start();
    const { accessToken } = await logIn();
    clock.pass(6 * MINUTE);
    for (const judged of [schema, merged, authDirectiveTransformer(merged), mapped]) {
      const plugin = useAccounts(server);
      plugin.onPluginInit();
      // Guards what lost its guard on the way.
      plugin.onSchemaChange({ schema: judged });
      expect(await refused(accessToken, ALL, judged)).toEqual([
        'both RECENT_LOGIN_REQUIRED',
        'fresh RECENT_LOGIN_REQUIRED',
        'strong TWO_FACTOR_REQUIRED',
      ]);
    }
  });

  test('grows when a merged schema asks for more of a field that is guarded already', async () => {
    const one = authDirectiveTransformer(
      makeExecutableSchema({
        typeDefs: [authDirectiveTypeDefs, 'type Query { secret: String @auth }'],
        resolvers: { Query: { secret: value } },
      }),
    );
    const stricter = mergeSchemas({
      schemas: [one],
      typeDefs: [authDirectiveTypeDefs, 'extend type Query @auth(maxAge: 60)'],
    });
    const { refused, logIn, clock, server } = await start();
    const { accessToken } = await logIn();
    clock.pass(2 * MINUTE);
    for (const schema of [authDirectiveTransformer(stricter), stricter]) {
      const plugin = useAccounts(server);
      plugin.onPluginInit();
      plugin.onSchemaChange({ schema });
      expect(await refused(accessToken, '{ secret }', schema)).toEqual(['secret RECENT_LOGIN_REQUIRED']);
    }
  });

  test('is refused by a context without a session of ours', async () => {
    const { schema } = createSchema();
    const { server } = await start();
    for (const contextValue of [
      { user: { id: 'ada' } },
      { user: { id: 'ada' }, accounts: server },
      { user: { id: 'ada' }, accounts: server, session: null },
      { user: { id: 'ada' }, accounts: server, session: { authenticatedAt: Date.now(), amr: ['mfa'] } },
    ]) {
      const { data, errors } = await graphql({ schema, source: '{ plain fresh strong }', contextValue });
      expect(data).toEqual({ plain: 'value', fresh: null, strong: null });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual([
        'RECENT_LOGIN_REQUIRED',
        'RECENT_LOGIN_REQUIRED',
      ]);
    }
  });

  test.each([
    ['maxAge: -1', /maxAge/],
    ['maxAge: 2147483648', /maxAge|Int/],
    ['maxAge: 1.5', /maxAge|Int/],
    ['maxAge: "300"', /maxAge|Int/],
    ['secondFactor: 1', /secondFactor|Boolean/],
    ['requires: "ADMIN"', /requires/],
    ['maxAge: 60, role: ADMIN', /role/],
  ])('is refused where it is %s, also in a schema that nobody validated', (args, problem) => {
    const typeDefs = [authDirectiveTypeDefs, `type Query { secret: String @auth(${args}) }`];
    for (const assumeValidSDL of [false, true])
      expect(() => authDirectiveTransformer(makeExecutableSchema({ typeDefs, assumeValidSDL }))).toThrow(
        problem,
      );
    const undeclared = makeExecutableSchema({ typeDefs: typeDefs[1] ?? '', assumeValidSDL: true });
    expect(() => authDirectiveTransformer(undeclared)).toThrow(TypeError);
  });

  test('is read from a schema made by code, and refused there as well', async () => {
    const schemaOf = (auth: unknown) =>
      new GraphQLSchema({
        query: new GraphQLObjectType({
          name: 'Query',
          fields: { secret: { type: GraphQLString, resolve: value, extensions: { directives: { auth } } } },
        }),
      });
    for (const bad of [
      { maxAge: -1 },
      { maxAge: 2 ** 31 },
      { maxAge: Number.NaN },
      { maxAge: '60' },
      { secondFactor: 'yes' },
      { role: 1 },
    ])
      expect(() => authDirectiveTransformer(schemaOf(bad))).toThrow(TypeError);
    const { refused, logIn, clock } = await start();
    const { accessToken } = await logIn();
    clock.pass(2 * MINUTE);
    const uses = [{ maxAge: 60 }, [{ maxAge: 600 }, { maxAge: 60 }]];
    for (const use of uses)
      expect(await refused(accessToken, '{ secret }', authDirectiveTransformer(schemaOf(use)))).toEqual([
        'secret RECENT_LOGIN_REQUIRED',
      ]);
    expect(await refused(accessToken, '{ secret }', authDirectiveTransformer(schemaOf({})))).toEqual([]);
  });

  test('stands beside the module’s own mark on its fields', async () => {
    const { server } = await start();
    const { typeDefs, resolvers } = accountsModule(server, { directiveName: 'auth' });
    const mine = 'type Query { diary: String @auth(maxAge: 60) }';
    const schema = makeExecutableSchema({ typeDefs: [typeDefs, authDirectiveTypeDefs, mine], resolvers });
    expect(() => authDirectiveTransformer(schema)).not.toThrow();
  });
});

test('S41 an old token says nothing of its proof, and is never recent', async () => {
  const { server, context, logIn, refused, clock } = await start({ useStatelessSession: true });
  const { accessToken } = await logIn();
  const jwt = (await import('jsonwebtoken')).default;
  const { header, payload } = jwt.decode(accessToken, { complete: true }) ?? {};
  const { auth_time: _, amr: __, ...claims } = payload as Record<string, unknown>;
  const old = jwt.sign(claims, SECRET, { header: header as never });
  expect(await refused(old, '{ plain fresh strong }')).toEqual([
    'fresh RECENT_LOGIN_REQUIRED',
    'strong TWO_FACTOR_REQUIRED',
  ]);
  expect((await context(old)).session).toMatchObject({ authenticatedAt: new Date(0), amr: [] });
  expect(clock.now()).toBeGreaterThan(0);
  expect(server.stateless).toBe(true);
});

describe('S36, S41 what needs a recent login', () => {
  const addEmail = (server: AccountsServer, token: string, ip = '192.0.2.1') => {
    const service = server.services.password as unknown as AccountsService;
    const caller = {
      connection: { ip, userAgent: null },
      accessToken: token,
      session: () => server.resumeLiveSession(token),
      requireRecent: (live: never) => server.requireRecent(live),
    };
    return codeOf(async () =>
      service.operations?.Mutation?.addEmail?.({ newEmail: 'x' } as never, caller as never),
    );
  };

  test('is refused ten minutes after the login, before anything else, until it is proved again', async () => {
    const { server, logIn, verify, clock } = await start();
    const { accessToken } = await logIn();
    const asPlain = server as unknown as AccountsServer;
    expect(await addEmail(asPlain, accessToken)).toBe('INVALID_EMAIL');
    clock.pass(10 * MINUTE);
    expect(await addEmail(asPlain, accessToken)).toBe('INVALID_EMAIL');
    clock.pass(1);
    expect(await addEmail(asPlain, accessToken)).toBe('RECENT_LOGIN_REQUIRED');
    await verify(accessToken);
    expect(await addEmail(asPlain, accessToken)).toBe('INVALID_EMAIL');
  });

  test('has the time of the option', async () => {
    const { server, logIn, clock } = await start({ recentLogin: MINUTE });
    const { accessToken } = await logIn();
    clock.pass(MINUTE + 1);
    expect(await addEmail(server as unknown as AccountsServer, accessToken)).toBe('RECENT_LOGIN_REQUIRED');
  });
});
