import type { IncomingMessage } from 'node:http';
import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { answerOf, type FastifyReply } from '../answer/fastify-reply.ts';
import { type AccountsContext, contextReader } from '../context.ts';
import type { ContextOptions } from '../context-options.ts';

/** What graphql-http gives its `context`: the request of the server below it, and that server's response, if any. */
export interface GraphqlHttpRequest {
  readonly raw: IncomingMessage | Request;
  readonly context: unknown;
}

/** Spelt out key by key: graphql-http takes no interface for a context. */
export type GraphqlHttpContext<U extends User, F extends Services> = {
  [key in keyof AccountsContext<U, F>]: AccountsContext<U, F>[key];
} & { req: unknown; res: unknown };

/**
 * The context of graphql-http, on Express, Koa, Fastify, or Node alone.
 *
 * ```ts
 * app.all('/graphql', createHandler({ schema, context: graphqlHttpContext(accountsServer) }));
 * ```
 *
 * Answers of ours get `Cache-Control: no-store`, `Retry-After` and cookies through it. On its adapters for `fetch` and
 * uWebSockets, which give nobody the response, set the first yourself. Whoever has more in the context spreads it:
 * `context: async (request) => ({ ...(await accountsContext(request)), loaders })`.
 */
export function graphqlHttpContext<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ContextOptions = {},
): (request: GraphqlHttpRequest) => Promise<GraphqlHttpContext<U, F>> {
  const read = contextReader('graphqlHttpContext', server, options);
  return async ({ raw, context }) => {
    const holder = { req: raw, res: responseIn(context) };
    return { ...(await read(holder)), ...holder };
  };
}

/** That of Node: Koa has it inside of its own, and Fastify would write over what is set on it. */
function responseIn(context: unknown): unknown {
  const { res, reply } = (context ?? {}) as { res?: { res?: unknown }; reply?: FastifyReply };
  return reply ? answerOf(reply) : (res?.res ?? res);
}
