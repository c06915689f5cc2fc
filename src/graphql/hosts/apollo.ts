import type { IncomingMessage } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { AccountsServer } from '../../core/accounts-server.ts';
import { refuseUnknown } from '../../core/known-options.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { type AccountsContext, contextReader } from '../context.ts';
import type { ContextOptions } from '../context-options.ts';
import { ensureOurs } from '../ensure-ours.ts';
import { parseGraphQLName } from '../schema/type-defs.ts';
import { checkServer } from '../server-argument.ts';

/**
 * The context of Apollo Server, standalone or on Express.
 *
 * ```ts
 * const apollo = new ApolloServer<ContextOf<typeof accountsServer>>({ schema, plugins: [apolloPlugin(accountsServer)] });
 * app.use('/graphql', express.json(), expressMiddleware(apollo, { context: apolloContext(accountsServer) }));
 * ```
 *
 * `req` and `res` are in it too: `Retry-After` and cookies are set through the response.
 */
export function apolloContext<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ContextOptions = {},
): <Req extends IncomingMessage, Res extends object>(given: {
  req: Req;
  res: Res;
}) => Promise<AccountsContext<U, F> & { req: Req; res: Res }> {
  const read = contextReader('apolloContext', server, options);
  return async ({ req, res }) => ({ ...(await read({ req, res })), req, res });
}

export interface ApolloPluginOptions {
  /** The directive whose application is checked. `auth` by default. */
  directiveName?: string | undefined;
}

/**
 * The plugin that goes with it. Throws a TypeError at the start when `@auth` stands in the schema and was not applied,
 * and when our operations there are not of this server.
 * Answers with tokens it keeps out of caches also where cache hints (`defaultMaxAge`) would let them in.
 */
export function apolloPlugin<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ApolloPluginOptions = {},
) {
  checkServer(server, 'apolloPlugin');
  refuseUnknown(options, { directiveName: true }, 'apolloPlugin');
  const directiveName = parseGraphQLName(options.directiveName ?? 'auth', 'directiveName');
  return {
    async serverWillStart({ schema }: { schema: GraphQLSchema }): Promise<void> {
      ensureOurs(server, schema, directiveName);
    },
    async requestDidStart() {
      return { willSendResponse: keepOutOfCaches };
    },
  };
}

interface Sending {
  contextValue: object;
  response: { http: { headers: { set(name: string, value: string): unknown } } };
}

/** Apollo writes its headers over those of Node's response, so what stands there is said again. */
async function keepOutOfCaches({ contextValue, response }: Sending): Promise<void> {
  const { res } = contextValue as { res?: { getHeader?(name: string): unknown } };
  if (res?.getHeader?.('cache-control') === 'no-store')
    response.http.headers.set('cache-control', 'no-store');
}
