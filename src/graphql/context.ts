import type { IncomingMessage } from 'node:http';
import type { AccountsServer } from '../core/accounts-server.ts';
import type { Connection } from '../core/connection.ts';
import { refuseUnknown } from '../core/known-options.ts';
import { flag } from '../core/option-checks.ts';
import type { Services } from '../core/service.ts';
import type { SessionInfo } from '../core/sessions.ts';
import type { User } from '../core/user.ts';
import type { AccountsError } from '../errors.ts';
import {
  CONTEXT_OPTIONS,
  type ContextOptions,
  createAddressOf,
  parseCookie,
  parseHeaderName,
  REFUSED_CONTEXT_OPTIONS,
} from './context-options.ts';
import { COOKIE_OF_REQUEST, type WithCookie } from './cookie/session-cookie.ts';
import { withSocket } from './live/socket.ts';
import { ASKED_AT } from './operation/deadline.ts';
import { oncePerRequest } from './request/once-per-request.ts';
import {
  type AnyRequest,
  hasHeaders,
  headerOf,
  type RequestHolder,
  requestOf,
  staysOpen,
  type WebSocketContext,
} from './request/request.ts';
import { createResume, NOBODY, type PossibleRequester } from './request/requester.ts';
import { tokenOf } from './request/token.ts';
import { checkServer } from './server-argument.ts';

/** What resolvers find in their context; `ContextOf<typeof accountsServer>` has its types from the server. */
export interface AccountsContext<U extends User = User, F extends Services = Services> {
  /** Who asks; null without a token that is good now. In stateless mode what the token says, unless `loadUser`. */
  user: U | null;
  userId: string | null;
  session: SessionInfo | null;
  /** The access token as it came, also when it is not good. */
  authToken: string | null;
  connection: Connection;
  /** The same as `connection`, under the name that it has in accounts-js. */
  infos: Connection;
  accounts: AccountsServer<U, F>;
  /** Why the token of this request made no user. `@auth` reports it. */
  authError: AccountsError | null;
}

/**
 * The context that goes with a server, with its users and services.
 *
 * ```ts
 * type Context = ContextOf<typeof accountsServer>;
 * const myId = (_parent: unknown, _args: unknown, { userId }: Context) => userId;
 * ```
 */
export type ContextOf<S> = S extends AccountsServer<infer U, infer F> ? AccountsContext<U, F> : never;

/**
 * Builds the context on hosts without Envelop plugins, from a request of Node or of the Fetch API, or from what
 * graphql-ws knows of a socket.
 *
 * ```ts
 * const accountsContext = createContext(accountsServer);
 * expressMiddleware(apollo, { context: async ({ req }) => ({ ...(await accountsContext(req)), loaders }) });
 * useServer({ schema, context: (socket) => accountsContext(socket) }, webSocketServer);
 * ```
 *
 * Neither a bad token nor a failing store rejects it: `user` is null then, and `authError` says why.
 */
export function createContext<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ContextOptions = {},
): (request: IncomingMessage | Request | WebSocketContext) => Promise<AccountsContext<U, F>> {
  const read = contextReader('createContext', server, options);
  return async (request) => read(hasHeaders(request) ? { request } : ((request ?? {}) as RequestHolder));
}

/**
 * Reads a request once, however many operations it holds. No promise where nothing is looked up. Throws a TypeError for
 * wrong arguments of `caller`, the function that people call.
 */
export function contextReader<U extends User, F extends Services>(
  caller: string,
  server: AccountsServer<U, F>,
  options: ContextOptions,
): (holder: RequestHolder) => AccountsContext<U, F> | Promise<AccountsContext<U, F>> {
  checkServer(server, caller);
  refuseUnknown(options, CONTEXT_OPTIONS, caller, REFUSED_CONTEXT_OPTIONS);
  const tokenIn = tokenReader(server, options);
  const addressOf = createAddressOf(options, server);
  const loadUser = flag(options.loadUser, false, 'loadUser');
  const resume = createResume(server, loadUser);
  const once = oncePerRequest(server, loadUser ? 'user' : 'session', resume);

  // On a socket each operation looks again.
  const resumeOnce = (token: string, holder: RequestHolder, request: AnyRequest | null) =>
    once(token, !request || staysOpen(holder, request) ? {} : holder);

  return (holder) => {
    const request = requestOf(holder);
    const { authToken, refused, ...ofCookie } = tokenIn(holder, request);
    const connection = {
      ip: request && addressOf(request),
      userAgent: request && headerOf(request, 'user-agent'),
    };
    const context = ({ user, session, authError }: PossibleRequester<U>): AccountsContext<U, F> => {
      const userId = user ? user.id : null;
      const who = { user, userId, session, authToken, authError };
      return { ...who, connection, infos: connection, accounts: server, ...ofCookie, ...withSocket(holder) };
    };
    if (authToken === null) return context({ ...NOBODY, authError: refused });
    const { answer: requester, askedAt } = resumeOnce(authToken, holder, request);
    if (!(requester instanceof Promise)) return context(requester);
    return requester.then((found) => Object.assign(context(found), { [ASKED_AT]: askedAt }));
  };
}

interface TokenOfRequest extends WithCookie {
  authToken: string | null;
  refused: AccountsError | null;
}

/** The token of the header before that of the cookie; and what was wrong with the cookie when it would have counted. */
export function tokenReader(
  server: Pick<AccountsServer, 'siteUrl' | 'report'>,
  options: ContextOptions,
): (holder: RequestHolder, request: AnyRequest | null) => TokenOfRequest {
  const headerName = parseHeaderName(options.headerName);
  const cookie = parseCookie(options.cookie, server);
  return (holder, request) => {
    const sent = tokenOf(holder, request, headerName);
    if (!cookie || !request) return { authToken: sent, refused: null };
    const suspicion = cookie.suspicion(request, staysOpen(holder, request));
    const kept = sent === null ? cookie.tokenOf(request) : null;
    if (suspicion) return { authToken: sent, refused: kept === null ? null : suspicion };
    return { authToken: sent ?? kept, refused: null, [COOKIE_OF_REQUEST]: cookie };
  };
}
