import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { contextReader, tokenReader } from '../context.ts';
import { type PluginOptions, parseHeaderName, parsePluginOptions } from '../context-options.ts';
import { ensureOursIn } from '../ensure-ours.ts';
import { createOperations } from '../live/operations.ts';
import { type RequestHolder, requestOf } from '../request/request.ts';
import { tokenOf } from '../request/token.ts';

/** What graphql-ws knows of a socket. */
interface Socket extends RequestHolder {
  connectionParams?: { readonly [name: string]: unknown };
}

type Hook = (socket: Socket, ...more: unknown[]) => unknown;

/** What we use of graphql-ws's `ServerOptions`, written out so that the package is not needed for its types. */
interface Hooks {
  context: Hook;
  onPing: Hook;
  onSubscribe: Hook;
  onOperation: Hook;
}

/**
 * The options of graphql-ws, with accounts: for every server that it runs on.
 *
 * - Each operation finds `AccountsContext` in its context, beside what your own `context` gives. The token is that of
 *   `connectionParams`, else of the request that opened the socket.
 * - A bad token closes nothing: operations that need a user are refused, one by one, and `refreshTokens` is not.
 * - When the session ends, its streams end with UNAUTHENTICATED within 5 seconds, and the socket is closed with 4403.
 * - A fresh token of the same session is handed over with the socket open: in the payload of a ping, or in the
 *   `extensions` of any operation, under the name that it has in `connectionParams`.
 *
 * ```ts
 * useServer(graphqlWsAccounts(accountsServer, { schema }), webSocketServer);
 * ```
 *
 * What it returns is of the type that it is given: `ServerOptions` of graphql-ws.
 */
export function graphqlWsAccounts<U extends User, F extends Services, O extends object>(
  server: AccountsServer<U, F>,
  options: O,
  accountsOptions: PluginOptions = {},
): O {
  const { contextOptions, directiveName } = parsePluginOptions(accountsOptions, 'graphqlWsAccounts');
  const read = contextReader('graphqlWsAccounts', server, contextOptions);
  ensureOursIn(server, options, directiveName, 'graphqlWsAccounts');
  const tokenIn = tokenReader(server, contextOptions);
  const operations = createOperations();
  const headerName = parseHeaderName(contextOptions.headerName);
  const { context, ...given } = options as { [hook in keyof Hooks]?: Hook | null | undefined };
  const own = (hook: keyof typeof given, args: Parameters<Hook>): unknown => given[hook]?.(...args);

  /** From here on the socket is known by the new token, to whoever reads it. */
  const takeToken = (socket: Socket, from: unknown): void => {
    const token = tokenOf({ connectionParams: from }, null, headerName);
    if (token === null) return;
    const holder = holderOf(socket);
    if (!server.handOver(token, tokenIn(holder, requestOf(holder)).authToken)) return;
    socket.connectionParams = { ...socket.connectionParams, [headerName]: `Bearer ${token}` };
  };

  const hooks: Hooks = {
    context: async (socket, ...more) =>
      operations.contextOf(context, [socket, ...more], await read(holderOf(socket))),
    onPing(socket, payload, ...more) {
      takeToken(socket, payload);
      return own('onPing', [socket, payload, ...more]);
    },
    onSubscribe(socket, id, payload, ...more) {
      takeToken(socket, (payload as { extensions?: unknown } | undefined)?.extensions);
      return own('onSubscribe', [socket, id, payload, ...more]);
    },
    async onOperation(socket, id, payload, args, result, ...more) {
      const changed = await own('onOperation', [socket, id, payload, args, result, ...more]);
      return operations.resultOf(args, changed ?? result);
    },
  };
  return { ...options, ...hooks };
}

/** On uWebSockets.js the request has another name. */
function holderOf({ connectionParams, extra }: Socket): RequestHolder {
  const { request, persistedRequest } = (extra ?? {}) as { request?: unknown; persistedRequest?: unknown };
  if (request || !persistedRequest) return { connectionParams, extra };
  return { connectionParams, extra: { ...(extra as object), request: persistedRequest } };
}
