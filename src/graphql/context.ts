import type { IncomingMessage } from 'node:http';
import type { AccountsServer } from '../core/accounts-server.ts';
import type { Connection } from '../core/connection.ts';
import { callback, flag, refuseUnknown } from '../core/option-checks.ts';
import type { Services } from '../core/service.ts';
import type { SessionInfo } from '../core/sessions.ts';
import type { User } from '../core/user.ts';
import type { AccountsError } from '../errors.ts';
import { clientAddress } from './client-address.ts';
import { ASKED_AT } from './deadline.ts';
import { withSocket } from './live/socket.ts';
import { oncePerRequest } from './once-per-request.ts';
import {
  type AnyRequest,
  hasHeaders,
  headerOf,
  isNodeRequest,
  type RequestHolder,
  requestOf,
  staysOpen,
  tokenOf,
  type WebSocketContext,
} from './request.ts';
import { createResume, NOBODY, type PossibleRequester } from './requester.ts';
import {
  COOKIE_OF_REQUEST,
  type CookieOptions,
  createSessionCookie,
  type SessionCookie,
  type WithCookie,
} from './session-cookie.ts';

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

export interface ContextOptions {
  /** The header that carries the token. `authorization` by default. */
  headerName?: string | undefined;
  /** Addresses and CIDRs of the proxies whose `X-Forwarded-For` is believed. None by default. */
  trustedProxies?: readonly string[] | undefined;
  /** The client's address on hosts that have only a `Request`. Null by default: such a request has none. */
  clientAddress?: ((request: Request) => string | null) | undefined;
  /** Takes and keeps the access token in a cookie too, for who can send no header. Off by default. */
  cookie?: CookieOptions | boolean | undefined;
  /** In stateless mode: read the whole user from the store, one look-up per request. Off by default. */
  loadUser?: boolean | undefined;
}

export const CONTEXT_OPTIONS: { readonly [option in keyof Required<ContextOptions>]: true } = {
  headerName: true,
  trustedProxies: true,
  clientAddress: true,
  cookie: true,
  loadUser: true,
};

/** The options of accounts-js's `context` that have no place here, and why. */
export const REFUSED_CONTEXT_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['createOperationController', 'there is no graphql-modules application: give the AccountsServer'],
  ['ctx', 'spread what createContext gives into a context of your own'],
  ['excludeAddUserInContext', 'use createContext only where a user is wanted'],
]);

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
  refuseUnknown(options, CONTEXT_OPTIONS, 'createContext', REFUSED_CONTEXT_OPTIONS);
  const read = contextReader(server, options);
  return async (request) => read(hasHeaders(request) ? { request } : ((request ?? {}) as RequestHolder));
}

/** Reads a request once, however many operations it holds. No promise where nothing is looked up. */
export function contextReader<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ContextOptions,
): (holder: RequestHolder) => AccountsContext<U, F> | Promise<AccountsContext<U, F>> {
  const headerName = parseHeaderName(options.headerName);
  const addressOf = createAddressOf(options, server);
  const cookie = parseCookie(options.cookie, server);
  const loadUser = flag(options.loadUser, false, 'loadUser');
  const resume = createResume(server, loadUser);
  const once = oncePerRequest(server, loadUser ? 'user' : 'session', resume);

  // On a socket each operation looks again.
  const resumeOnce = (token: string, holder: RequestHolder, request: AnyRequest | null) =>
    once(token, !request || staysOpen(holder, request) ? {} : holder);

  /** The token of the header before that of the cookie; and what was wrong with the cookie when it would have counted. */
  const tokenIn = (holder: RequestHolder, request: AnyRequest | null): TokenOfRequest => {
    const sent = tokenOf(holder, request, headerName);
    if (!cookie || !request) return { authToken: sent, refused: null };
    const suspicion = cookie.suspicion(request, staysOpen(holder, request));
    const kept = sent === null ? cookie.tokenOf(request) : null;
    if (suspicion) return { authToken: sent, refused: kept === null ? null : suspicion };
    return { authToken: sent ?? kept, refused: null, [COOKIE_OF_REQUEST]: cookie };
  };

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
    return requester.then((found) => ({ ...context(found), [ASKED_AT]: askedAt }));
  };
}

interface TokenOfRequest extends WithCookie {
  authToken: string | null;
  refused: AccountsError | null;
}

function parseCookie(
  value: unknown,
  server: Pick<AccountsServer, 'siteUrl' | 'report'>,
): SessionCookie | null {
  if (value === undefined || value === false) return null;
  return createSessionCookie(value === true ? {} : (value as CookieOptions), server);
}

function createAddressOf(
  options: ContextOptions,
  server: Pick<AccountsServer, 'report'>,
): (request: AnyRequest) => string | null {
  const ofNode = clientAddress(options.trustedProxies);
  const ofFetch = callback(options.clientAddress, 'clientAddress');
  return (request) => {
    if (isNodeRequest(request)) return ofNode(request);
    try {
      return ofFetch?.(request as Request) ?? null;
    } catch (error) {
      server.report(error, 'clientAddress');
      return null;
    }
  };
}

/** RFC 9110, 5.1; Node names headers in lower case. */
function parseHeaderName(name: string = 'authorization'): string {
  if (typeof name !== 'string' || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new TypeError('headerName must be the name of a header');
  }
  return name.toLowerCase();
}
