import type { AccountsServer } from '../core/accounts-server.ts';
import { refuseUnknown } from '../core/known-options.ts';
import { callback } from '../core/option-checks.ts';
import type { CookieOptions } from './cookie/options.ts';
import { createSessionCookie, type SessionCookie } from './cookie/session-cookie.ts';
import { clientAddress } from './request/client-address.ts';
import { type AnyRequest, isHttpToken, isNodeRequest } from './request/request.ts';
import { parseGraphQLName } from './schema/type-defs.ts';

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

/** The options of a plugin, which sees the schema too. */
export interface PluginOptions extends ContextOptions {
  /** The directive whose application is checked. `auth` by default. */
  directiveName?: string | undefined;
}

/** What of them is for the context, and the name of the directive. Throws a TypeError. */
export function parsePluginOptions(
  options: PluginOptions,
  caller: string,
): { contextOptions: ContextOptions; directiveName: string } {
  refuseUnknown(options, { ...CONTEXT_OPTIONS, directiveName: true }, caller, REFUSED_CONTEXT_OPTIONS);
  const { directiveName = 'auth', ...contextOptions } = options;
  return { contextOptions, directiveName: parseGraphQLName(directiveName, 'directiveName') };
}

export function parseCookie(
  value: unknown,
  server: Pick<AccountsServer, 'siteUrl' | 'report'>,
): SessionCookie | null {
  if (value === undefined || value === false) return null;
  return createSessionCookie(value === true ? {} : (value as CookieOptions), server);
}

export function createAddressOf(
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
export function parseHeaderName(name: string = 'authorization'): string {
  if (typeof name !== 'string' || !isHttpToken(name)) {
    throw new TypeError('headerName must be the name of a header');
  }
  return name.toLowerCase();
}
