import type { GraphQLSchema } from 'graphql';
import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { answerOf, type FastifyReply } from '../answer/fastify-reply.ts';
import { authDirective } from '../auth-directive/index.ts';
import { contextReader } from '../context.ts';
import type { PluginOptions } from '../context-options.ts';
import { type AccountsModuleOptions, accountsModule } from '../module.ts';
import type { RequestHolder } from '../request/request.ts';
import { addResolvers, joinSchema } from '../schema/join-schema.ts';
import { ensureOwnTypes } from '../schema/own-types.ts';
import { useAccounts } from '../use-accounts.ts';
import { apolloPlugin } from './apollo.ts';
import { graphqlWsAccounts } from './graphql-ws.ts';

/** What we use of the options of Nest's `GraphQLModule`, written out so that no package is needed for its types. */
export interface NestjsOptions {
  context?: unknown;
  transformSchema?: ((schema: GraphQLSchema) => GraphQLSchema | Promise<GraphQLSchema>) | undefined;
  plugins?: readonly unknown[] | undefined;
  subscriptions?: unknown;
  typeDefs?: string | string[] | undefined;
  typePaths?: string[] | undefined;
}

export interface NestjsAccountsOptions extends PluginOptions {
  /** How our types join yours. */
  module?: AccountsModuleOptions | undefined;
}

/**
 * The options of Nest's `GraphQLModule` for the Apollo driver, with accounts: our operations beside yours, whether
 * yours are written in code or as SDL; `@Directive('@auth')` applied; `AccountsContext` in the context of every
 * operation, beside `req` and what your own `context` gives; over graphql-ws too, where `subscriptions` says so.
 *
 * ```ts
 * GraphQLModule.forRoot<ApolloDriverConfig>(
 *   nestjsApollo(accountsServer, { driver: ApolloDriver, autoSchemaFile: true, subscriptions: { 'graphql-ws': true } }),
 * );
 * ```
 *
 * Guards and interceptors of yours, global ones too, do not run for our operations: a login must be open to everybody.
 */
export function nestjsApollo<U extends User, F extends Services, O extends NestjsOptions>(
  server: AccountsServer<U, F>,
  options: O,
  { directiveName, module, ...contextOptions }: NestjsAccountsOptions = {},
): O {
  const read = contextReader('nestjsApollo', server, contextOptions);
  const context = async (...args: unknown[]): Promise<object> => {
    const holder = holderOf(args);
    const { connectionParams: _, extra: __, ...request } = holder;
    return Object.assign(await ownContext(options, args), await read(holder), request);
  };
  // The rest is graphqlWsAccounts's.
  const socketContext = async (...args: unknown[]): Promise<object> =>
    Object.assign(await ownContext(options, args), { req: holderOf(args).req });
  return {
    ...options,
    context,
    ...joined(server, options, { directiveName, module }),
    plugins: [...(options.plugins ?? []), apolloPlugin(server, { directiveName })],
    ...overSockets(options, (given) =>
      graphqlWsAccounts(server, { context: socketContext, ...given }, contextOptions),
    ),
  };
}

/**
 * The same for the Yoga driver (`@graphql-yoga/nestjs`), by the plugin `useAccounts`.
 *
 * ```ts
 * GraphQLModule.forRoot<YogaDriverConfig>(
 *   nestjsYoga(accountsServer, { driver: YogaDriver, autoSchemaFile: true, subscriptions: { 'graphql-ws': true } }),
 * );
 * ```
 */
export function nestjsYoga<U extends User, F extends Services, O extends NestjsOptions>(
  server: AccountsServer<U, F>,
  options: O,
  { directiveName, module, ...contextOptions }: NestjsAccountsOptions = {},
): O {
  const plugin = useAccounts(server, { directiveName, ...contextOptions });
  return {
    ...options,
    ...joined(server, options, { directiveName, module }),
    plugins: [plugin, ...(options.plugins ?? [])],
    ...overSockets(options, (given) => graphqlWsAccounts(server, given, contextOptions)),
  };
}

/**
 * Ours in your SDL, so that it can use our types and the directive; or else in the schema that your code gives. Your own
 * `transformSchema` comes before that, and the directive is applied to both after it.
 */
function joined<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  { transformSchema, typeDefs, typePaths }: NestjsOptions,
  { directiveName, module }: Pick<NestjsAccountsOptions, 'directiveName' | 'module'>,
): Pick<NestjsOptions, 'transformSchema' | 'typeDefs'> {
  const ours = accountsModule(server, module);
  const { authDirectiveTypeDefs, authDirectiveTransformer } = authDirective(directiveName);
  const { rootQueryName: query = 'Query', rootMutationName: mutation = 'Mutation' } = module ?? {};
  const isSdl = typeDefs !== undefined || typePaths !== undefined;
  const join = (schema: GraphQLSchema): GraphQLSchema => {
    if (!isSdl) return joinSchema(schema, ours, authDirectiveTypeDefs, { query, mutation });
    addResolvers(schema, ours.resolvers);
    return schema;
  };
  return {
    ...(isSdl && { typeDefs: [typeDefs ?? [], ours.typeDefs, authDirectiveTypeDefs].flat().join('\n') }),
    async transformSchema(schema) {
      const both = join(transformSchema ? await transformSchema(schema) : schema);
      ensureOwnTypes(server, both);
      return authDirectiveTransformer(both);
    },
  };
}

/** A copy: it may be one object for all requests. Its class is kept, as Nest does. */
async function ownContext({ context }: NestjsOptions, args: readonly unknown[]): Promise<object> {
  const given: unknown = typeof context === 'function' ? await context(...args) : context;
  return Object.assign(Object.create(Object.getPrototypeOf(given ?? {})), given);
}

/** What the driver was given: `{ req, res }` of Express, the request and the reply of Fastify, or a socket. */
function holderOf([given, reply]: readonly unknown[]): RequestHolder {
  const { req, res, connectionParams, extra } = given as RequestHolder & { extra?: { request?: unknown } };
  if (extra) return { connectionParams, extra, req: extra.request };
  if (req) return { req, res };
  return { req: given, res: reply ? answerOf(reply as FastifyReply) : undefined };
}

/** Where graphql-ws is on. */
function overSockets(
  { subscriptions }: NestjsOptions,
  accountsOf: (given: object) => object,
): { subscriptions?: unknown } {
  const given = (subscriptions ?? {}) as { readonly [protocol: string]: unknown };
  const graphqlWs = given['graphql-ws'];
  if (!graphqlWs) return {};
  return { subscriptions: { ...given, 'graphql-ws': accountsOf(graphqlWs === true ? {} : graphqlWs) } };
}
