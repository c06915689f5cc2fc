import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLDeferDirective, GraphQLStreamDirective } from '@graphql-tools/utils';
import { createYoga, type Plugin, type YogaServerOptions } from 'graphql-yoga';
import {
  type AccountsContext,
  AccountsError,
  type AccountsPlugin,
  type AccountsServer,
  type AccountsServerOptions,
  accountsModule,
  authDirective,
  type UseAccountsOptions,
  useAccounts,
} from '../../../src/index.ts';
import { createAccounts } from '../../accounts.ts';
import type { Answer } from '../gateway.ts';

const MINE = /* GraphQL */ `
  type Query {
    hello: String
    secret: String @auth
    fresh: String @auth(maxAge: 60)
    whoAmI: String
    mySession: String
    refused: String
    crash: String
    public: Public
    treasures: [String!] @auth
    vaults: [Vault!]
  }
  type Public {
    name: String
    owner: String @auth
  }
  type Vault @auth {
    gold: Int
  }
  type Subscription {
    ticks: String @auth
  }
`;

/** What no answer to a stranger, no log and no metric may hold. */
export const CANARY = 'the-canary-sings';

function resolversOf(started: string[]) {
  return {
    Query: {
      hello: () => 'world',
      secret: (_: unknown, __: unknown, { userId }: AccountsContext) => `${CANARY} of ${userId}`,
      fresh: () => CANARY,
      whoAmI: (_: unknown, __: unknown, { userId }: AccountsContext) => userId,
      mySession: (_: unknown, __: unknown, { session }: AccountsContext) => session?.id ?? null,
      refused: () => {
        throw new AccountsError('LOGIN_REFUSED');
      },
      crash: () => {
        throw new Error(`${CANARY} of a driver`);
      },
      public: () => ({ name: 'everybody’s', owner: CANARY }),
      treasures: () => [CANARY, CANARY],
      vaults: () => [{ gold: 1001 }, { gold: 1002 }],
    },
    Subscription: {
      ticks: {
        async *subscribe() {
          started.push('ticks');
          yield { ticks: CANARY };
        },
      },
    },
  };
}

interface Given {
  options?: Partial<AccountsServerOptions>;
  /** The plugins of the gateway in their order. */
  plugins?: (accounts: AccountsServer, ours: Plugin & AccountsPlugin) => Plugin[];
  plugin?: UseAccountsOptions;
  yoga?: Partial<YogaServerOptions<object, object>>;
  incremental?: boolean;
}

/** A gateway on Yoga with fields of its own, an account and whatever else is to work beside it. */
export async function createCompanions({ options, plugins, plugin, yoga, incremental = false }: Given = {}) {
  const accounts = createAccounts(options);
  const { typeDefs, resolvers } = accountsModule(accounts.server);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective();
  const started: string[] = [];
  const plain = makeExecutableSchema({
    typeDefs: [typeDefs, authDirectiveTypeDefs, MINE],
    resolvers: [resolvers, resolversOf(started)],
  });
  const config = plain.toConfig();
  const Schema = plain.constructor as new (given: typeof config) => typeof plain;
  const directives = [...config.directives, GraphQLDeferDirective, GraphQLStreamDirective];
  const schema = authDirectiveTransformer(incremental ? new Schema({ ...config, directives }) : plain);
  const ours = useAccounts(accounts.server, plugin) as Plugin & AccountsPlugin;
  const server = createYoga({
    schema,
    logging: false,
    plugins: plugins?.(accounts.server as unknown as AccountsServer, ours) ?? [ours],
    ...yoga,
  });
  const post = (body: unknown, token?: string | null, headers: Record<string, string> = {}) =>
    server.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  const login = async (email: string) => {
    const { tokens, sessionId, user } = await accounts.logIn(email);
    return { ...tokens, sessionId, id: user.id };
  };
  await accounts.signUp({ email: 'ada@example.com' });
  await accounts.signUp({ email: 'grace@example.com' });
  return {
    ...accounts,
    schema,
    yoga: server,
    /** The sources of subscriptions that have begun. */
    started,
    post,
    login,
    async ask(query: string, token?: string | null, more: object = {}): Promise<Answer> {
      const response = await post({ query, ...more }, token);
      return (await response.json()) as Answer;
    },
  };
}
