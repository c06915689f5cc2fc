import type { GraphQLSchema } from 'graphql';
import type { AccountsServer } from '../../core/accounts-server.ts';
import { refuseUnknown } from '../../core/option-checks.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { AccountsError } from '../../errors.ts';
import { ensureGuards } from '../auth-directive/index.ts';
import { CONTEXT_OPTIONS, type ContextOptions, contextReader, REFUSED_CONTEXT_OPTIONS } from '../context.ts';
import { answerOf, type FastifyReply } from '../fastify-reply.ts';
import { toGraphQLError } from '../graphql-error.ts';
import type { RequestHolder } from '../request.ts';
import { checkServer } from '../server-argument.ts';
import { parseGraphQLName } from '../type-defs.ts';

export interface MercuriusAccountsOptions extends ContextOptions {
  /** The directive whose application is checked. `auth` by default. */
  directiveName?: string | undefined;
}

/** The part of Fastify that we use, once Mercurius is registered. */
export interface FastifyWithMercurius {
  graphql: { schema: GraphQLSchema; addHook: unknown };
}

type AddHook = (
  name: 'preExecution' | 'preSubscriptionExecution',
  hook: (schema: GraphQLSchema, document: unknown, context: Given) => Promise<void>,
) => void;

/** What Mercurius has in its context: a reply over HTTP, or the request that opened the socket. */
interface Given {
  reply?: FastifyReply & { request: { raw?: unknown } };
  request?: { raw?: unknown };
  /** Where the application hands it over: then we close it when its session ends. */
  socket?: unknown;
  /** What the client sent when it opened the socket. */
  _connectionInit?: unknown;
}

const KNOWN: { readonly [option in keyof Required<MercuriusAccountsOptions>]: true } = {
  ...CONTEXT_OPTIONS,
  directiveName: true,
};

/**
 * A plugin of Fastify that puts `AccountsContext` into the context of every operation of Mercurius. Register it after
 * Mercurius, and before plugins that read `context.user`:
 *
 * ```ts
 * app.register(mercurius, { schema, subscription: { context: (socket) => ({ socket }) } });
 * app.register(mercuriusAccounts(accountsServer));
 * ```
 *
 * Rejects with a TypeError when `@auth` stands in the schema and was not applied. On a socket each operation looks its
 * session up again; a subscription ends with its session, and the socket with it when it is handed over as above.
 */
export function mercuriusAccounts<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: MercuriusAccountsOptions = {},
): (app: FastifyWithMercurius) => Promise<void> {
  checkServer(server, 'mercuriusAccounts');
  refuseUnknown(options, KNOWN, 'mercuriusAccounts', REFUSED_CONTEXT_OPTIONS);
  const { directiveName = 'auth', ...contextOptions } = options;
  const name = parseGraphQLName(directiveName, 'directiveName');
  const read = contextReader(server, contextOptions);
  let checked: GraphQLSchema | null = null;
  const check = (schema: GraphQLSchema): void => {
    if (schema === checked) return;
    ensureGuards(schema, name);
    checked = schema;
  };
  /** Mercurius takes another schema at any time, also when it has begun to serve. */
  const refuseUnguarded = (schema: GraphQLSchema): void => {
    try {
      check(schema);
    } catch (error) {
      server.report(error, 'every operation on this schema is refused');
      throw toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
    }
  };
  const extend: Parameters<AddHook>[1] = async (schema, _document, context) => {
    refuseUnguarded(schema);
    const holder = holderOf(context);
    Object.assign(context, await read(holder), holder);
  };
  return async (app) => {
    if (!app.graphql) throw new TypeError('mercuriusAccounts: register mercurius first');
    // And again at the first operation: until then plugins may give the same schema other resolvers, by `defineLoaders`.
    ensureGuards(app.graphql.schema, name);
    const graphql = app.graphql as { addHook: AddHook };
    graphql.addHook('preExecution', extend);
    graphql.addHook('preSubscriptionExecution', extend);
  };
}

function holderOf({ reply, request, socket, _connectionInit }: Given): RequestHolder {
  if (reply) return { req: reply.request.raw, res: answerOf(reply) };
  return { connectionParams: _connectionInit ?? {}, extra: { request: request?.raw, socket } };
}
