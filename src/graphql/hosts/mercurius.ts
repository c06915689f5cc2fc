import type { GraphQLSchema } from 'graphql';
import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { AccountsError } from '../../errors.ts';
import { answerOf, type FastifyReply } from '../answer/fastify-reply.ts';
import { contextReader } from '../context.ts';
import { type PluginOptions, parsePluginOptions } from '../context-options.ts';
import { ensureOurs } from '../ensure-ours.ts';
import { ofEveryCopy } from '../every-copy.ts';
import { toGraphQLError } from '../graphql-error.ts';
import type { RequestHolder } from '../request/request.ts';
import { createSchemaJudge } from '../schema/judge.ts';

export type MercuriusAccountsOptions = PluginOptions;

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

/**
 * A plugin of Fastify that puts `AccountsContext` into the context of every operation of Mercurius. Register it after
 * Mercurius, and before plugins that read `context.user`:
 *
 * ```ts
 * app.register(mercurius, { schema, subscription: { context: (socket) => ({ socket }) } });
 * app.register(mercuriusAccounts(accountsServer));
 * ```
 *
 * Rejects with a TypeError when `@auth` stands in the schema and was not applied, when our operations there are not of
 * this server, and when it is registered twice. On a socket each operation looks its
 * session up again; a subscription ends with its session, and the socket with it when it is handed over as above.
 */
export function mercuriusAccounts<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: MercuriusAccountsOptions = {},
): (app: FastifyWithMercurius) => Promise<void> {
  const { contextOptions, directiveName } = parsePluginOptions(options, 'mercuriusAccounts');
  const read = contextReader('mercuriusAccounts', server, contextOptions);
  const { check, isRefused } = createSchemaJudge(
    (schema) => ensureOurs(server, schema, directiveName),
    (error) => server.report(error, 'every operation on this schema is refused'),
  );
  const extend: Parameters<AddHook>[1] = async (schema, _document, context) => {
    // Mercurius takes another schema at any time, also when it has begun to serve.
    if (isRefused(schema)) throw toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
    const holder = holderOf(context);
    Object.assign(context, await read(holder), holder);
  };
  return async (app) => {
    if (!app.graphql) throw new TypeError('mercuriusAccounts: register mercurius first');
    // Two would disagree about who asks, and the last would win.
    if (registered.has(app.graphql)) throw new TypeError('mercuriusAccounts is registered more than once');
    registered.add(app.graphql);
    // And again at the first operation: until then plugins may give the same schema other resolvers, by `defineLoaders`.
    check(app.graphql.schema);
    const graphql = app.graphql as { addHook: AddHook };
    graphql.addHook('preExecution', extend);
    graphql.addHook('preSubscriptionExecution', extend);
  };
}

const registered = ofEveryCopy('mercurius', () => new WeakSet<object>());

function holderOf({ reply, request, socket, _connectionInit }: Given): RequestHolder {
  if (reply) return { req: reply.request.raw, res: answerOf(reply) };
  return { connectionParams: _connectionInit ?? {}, extra: { request: request?.raw, socket } };
}
