import type { IncomingMessage } from 'node:http';
import type { AccountsServer } from '../core/accounts-server.ts';
import type { Connection } from '../core/connection.ts';
import { callback, flag, refuseUnknown } from '../core/options.ts';
import type { Services } from '../core/service.ts';
import type { SessionInfo } from '../core/sessions.ts';
import type { User } from '../core/users.ts';
import type { AccountsError } from '../errors.ts';
import { clientAddress } from './client-address.ts';
import { ASKED_AT } from './deadline.ts';
import { createIdentify, type Identity, NOBODY } from './identity.ts';
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

/** What resolvers find in their context. */
export interface AccountsContext<U extends User = User> {
  /** Who asks; null without a token that is good now. In stateless mode what the token says, unless `loadUser`. */
  user: U | null;
  userId: string | null;
  session: SessionInfo | null;
  /** The access token as it came, also when it is not good. */
  authToken: string | null;
  connection: Connection;
  /** The same as `connection`, under the name that it has in accounts-js. */
  infos: Connection;
  accounts: AccountsServer<U>;
  /** Why the token of this request made no user. `@auth` reports it. */
  authError: AccountsError | null;
}

export interface ContextOptions {
  /** The header that carries the token. `authorization` by default. */
  headerName?: string | undefined;
  /** Addresses and CIDRs of the proxies whose `X-Forwarded-For` is believed. None by default. */
  trustedProxies?: readonly string[] | undefined;
  /** The client's address on hosts that have only a `Request`. Null by default: such a request has none. */
  clientAddress?: ((request: Request) => string | null) | undefined;
  /** In stateless mode: read the whole user from the store, one look-up per request. Off by default. */
  loadUser?: boolean | undefined;
}

export const CONTEXT_OPTIONS = ['headerName', 'trustedProxies', 'clientAddress', 'loadUser'] as const;

/** The options of accounts-js's `context` that have no place here, and why. */
export const REFUSED_CONTEXT_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['createOperationController', 'there is no graphql-modules application: give the AccountsServer'],
  ['ctx', 'spread what createContext answers into a context of your own'],
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
): (request: IncomingMessage | Request | WebSocketContext) => Promise<AccountsContext<U>> {
  refuseUnknown(options, new Set(CONTEXT_OPTIONS), 'createContext', REFUSED_CONTEXT_OPTIONS);
  const read = contextReader(server, options);
  return async (request) => read(hasHeaders(request) ? { request } : ((request ?? {}) as RequestHolder));
}

/** Reads a request once, however many operations it holds. Answers without a promise when nothing is looked up. */
export function contextReader<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: ContextOptions,
): (holder: RequestHolder) => AccountsContext<U> | Promise<AccountsContext<U>> {
  const headerName = parseHeaderName(options.headerName);
  const addressOf = createAddressOf(options, server);
  const identify = createIdentify(server, flag(options.loadUser, false, 'loadUser'));
  const identities = new WeakMap<AnyRequest, ReturnType<typeof identify>>();
  const accounts = server as unknown as AccountsServer<U>;

  const identifyOnce = (token: string, holder: RequestHolder, request: AnyRequest | null) => {
    if (!request || staysOpen(holder, request)) return identify(token);
    const known = identities.get(request);
    if (known) return known;
    const identity = identify(token);
    identities.set(request, identity);
    return identity;
  };

  return (holder) => {
    const request = requestOf(holder);
    const authToken = tokenOf(holder, request, headerName);
    const connection = {
      ip: request && addressOf(request),
      userAgent: request && headerOf(request, 'user-agent'),
    };
    const context = ({ user, session, authError }: Identity<U>): AccountsContext<U> => {
      const userId = user ? user.id : null;
      return { user, userId, session, authToken, connection, infos: connection, accounts, authError };
    };
    if (authToken === null) return context(NOBODY);
    const identity = identifyOnce(authToken, holder, request);
    if (!(identity instanceof Promise)) return context(identity);
    const askedAt = performance.now();
    return identity.then((found) => ({ ...context(found), [ASKED_AT]: askedAt }));
  };
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
