import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { contextReader } from '../context.ts';
import { type PluginOptions, parsePluginOptions } from '../context-options.ts';
import { ensureOursIn } from '../ensure-ours.ts';
import { createOperations } from '../live/operations.ts';
import { hasHeaders, isNodeRequest, type RequestHolder } from '../request/request.ts';

type Hook = (...args: unknown[]) => unknown;

/** What we use of graphql-sse's `HandlerOptions`, written out so that the package is not needed for its types. */
interface Hooks {
  context: Hook;
  onOperation: Hook;
}

/**
 * The options of graphql-sse, with accounts: for every server that it runs on, with one connection for each stream and
 * with one for all.
 *
 * - Each operation finds `AccountsContext` in its context, beside what your own `context` gives. The token is that of
 *   the request that brought the operation.
 * - When the session ends, its streams end with UNAUTHENTICATED within 5 seconds.
 *
 * ```ts
 * const handler = createHandler(graphqlSseAccounts(accountsServer, { schema }));
 * ```
 *
 * What it returns is of the type that it is given: `HandlerOptions` of graphql-sse.
 */
export function graphqlSseAccounts<U extends User, F extends Services, O extends object>(
  server: AccountsServer<U, F>,
  options: O,
  accountsOptions: PluginOptions = {},
): O {
  const { contextOptions, directiveName } = parsePluginOptions(accountsOptions, 'graphqlSseAccounts');
  const read = contextReader('graphqlSseAccounts', server, contextOptions);
  ensureOursIn(server, options, directiveName, 'graphqlSseAccounts');
  const operations = createOperations();
  const own = options as { [hook in keyof Hooks]?: Hook | null | undefined };
  const hooks: Hooks = {
    async context(request, ...more) {
      const holder = holderOf(request);
      const accounts = { ...(await read(holder)), ...holder };
      return operations.contextOf(own.context, [request, ...more], accounts);
    },
    async onOperation(contextValue, request, args, result, ...more) {
      const changed = await own.onOperation?.(contextValue, request, args, result, ...more);
      return operations.resultOf(args, changed ?? result);
    },
  };
  return { ...options, ...hooks };
}

/** That of the server before graphql-sse's own: it has a socket, and a response for cookies while nothing was sent. */
function holderOf(request: unknown): RequestHolder {
  const { raw, context } = request as { raw?: unknown; context?: { res?: unknown } | undefined };
  if (!hasHeaders(raw)) return { request };
  return isNodeRequest(raw) ? { req: raw, res: context?.res } : { request: raw };
}
