import type { AccountsServer } from '../../core/accounts-server.ts';
import { AccountsError } from '../../errors.ts';
import { wishCookie } from '../answer/wishes.ts';
import { loginsIn, unverifiedClaims } from '../operation/logins.ts';
import { type AnyRequest, cookieOf, headerOf, methodOf, type RequestHolder } from '../request/request.ts';
import { type CookieOptions, parseCookieOptions } from './options.ts';

/** What the operations of a request may do with the cookie; in its context only where no other site asks. */
export const COOKIE_OF_REQUEST = Symbol.for('graphql-accounts cookie of request');

export interface CookieOfRequest {
  /** Null for what no browser would keep in a cookie, for what is no token of ours, and for an impersonation. */
  holding(accessToken: string): string | null;
  readonly gone: string;
}

export interface SessionCookie extends CookieOfRequest {
  /** The token that the request brings, if any. */
  tokenOf(request: AnyRequest): string | null;
  /** Why another site may have caused the request; null where none can have. */
  suspicion(request: AnyRequest, opensSocket: boolean): AccountsError | null;
}

type Site = Pick<AccountsServer, 'siteUrl' | 'report'>;

/**
 * The access token in a cookie, for who cannot send a header, as `EventSource` cannot. Browsers add a cookie to whatever
 * any page asks of us, so it counts only where no other site can have asked (S50):
 *
 * - A page of a foreign origin is refused by the `Origin` that its browser tells, also where the host's CORS would let
 *   it send any header.
 * - A form or a link of another site cannot send the header, and a script of it not without asking by a preflight.
 * - A socket and an `EventSource` cannot send it either: there the browser must say where the page comes from.
 *
 * Throws a TypeError for a wrong option.
 */
export function createSessionCookie(options: CookieOptions, site: Site): SessionCookie {
  const { name, attributes, csrfHeader, origins } = parseCookieOptions(options, new URL(site.siteUrl));
  const refusal = (reason: string): AccountsError =>
    new AccountsError('UNAUTHENTICATED', `The cookie does not count: ${reason}.`);
  return {
    tokenOf: (request) => cookieOf(request, name) || null,
    suspicion(request, opensSocket) {
      const origin = headerOf(request, 'origin');
      const isOfSite = headerOf(request, 'sec-fetch-site') === 'same-origin';
      const isKnown = origin !== null && origins.has(origin);
      if (opensSocket)
        return isKnown ? null : refusal('the socket was opened from an origin that is not listed');
      if (origin !== null && !isKnown && !isOfSite)
        return refusal('the request is from an origin that is not listed');
      if (headerOf(request, csrfHeader) !== null) return null;
      const isRead = ['GET', 'HEAD'].includes(methodOf(request));
      return isRead && (isKnown || isOfSite) ? null : refusal(`the request lacks the header ${csrfHeader}`);
    },
    holding(accessToken) {
      const claims = unverifiedClaims(accessToken);
      // Whoever impersonates a user would have lost the own session, and nothing to come back with.
      if (!claims || claims.act !== undefined) return null;
      if (name.length + accessToken.length <= MAX_COOKIE)
        return `${name}=${accessToken}; Max-Age=${lifetimeOf(claims)}; ${attributes}`;
      site.report(new Error('the access token is too long for a cookie: put less into it'), 'the cookie');
      return null;
    },
    gone: `${name}=; Max-Age=0; ${attributes}`,
  };
}

/** Keeps the access token of a login in the cookie, where cookies are on and the host gives us its response. */
export function keepInCookie(holder: RequestHolder & WithCookie, result: unknown): void {
  for (const { tokens } of loginsIn(result)) {
    const cookie = holder[COOKIE_OF_REQUEST]?.holding(String(tokens.accessToken));
    if (cookie) wishCookie(holder, cookie);
  }
}

export function dropCookie(holder: RequestHolder & WithCookie): void {
  const cookie = holder[COOKIE_OF_REQUEST];
  if (cookie) wishCookie(holder, cookie.gone);
}

export interface WithCookie {
  readonly [COOKIE_OF_REQUEST]?: CookieOfRequest | undefined;
}

/** What browsers keep of a name and its value together (RFC 6265bis, 5.6). */
const MAX_COOKIE = 4096;

/** In seconds. */
function lifetimeOf({ exp, iat }: { readonly [claim: string]: unknown }): number {
  return Math.max(0, Number(exp) - Number(iat));
}
