import type { AccountsServer } from '../core/accounts-server.ts';
import { refuseUnknown } from '../core/option-checks.ts';
import { AccountsError } from '../errors.ts';
import { wishCookie } from './answer.ts';
import { loginsIn } from './own-users.ts';
import { type AnyRequest, cookieOf, headerOf, methodOf, type RequestHolder } from './request.ts';

export interface CookieOptions {
  /** `__Host-accounts` by default. Another prefix only where `siteUrl` is `http://localhost`. */
  name?: string | undefined;
  /** The header, of any value, without which the cookie does not count. `x-accounts-csrf` by default. */
  csrfHeader?: string | undefined;
  /** Origins, besides that of `siteUrl`, whose pages may use the cookie. None by default. */
  origins?: readonly string[] | undefined;
}

const KNOWN: { readonly [option in keyof Required<CookieOptions>]: true } = {
  name: true,
  csrfHeader: true,
  origins: true,
};

/** What the operations of a request may do with the cookie; in its context only where no other site asks. */
export const COOKIE_OF_REQUEST = Symbol.for('graphql-accounts cookie of request');

export interface CookieOfRequest {
  /** Null for a token that no browser would keep in a cookie. */
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
  refuseUnknown(options, KNOWN, 'cookie');
  const siteUrl = new URL(site.siteUrl);
  const { attributes, name } = parseName(options.name, siteUrl);
  const csrfHeader = parseCsrfHeader(options.csrfHeader);
  const origins = new Set([siteUrl.origin, ...parseOrigins(options.origins)]);
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
      const cookie = `${name}=${accessToken}; Max-Age=${lifetimeOf(accessToken)}; ${attributes}`;
      if (name.length + accessToken.length <= MAX_COOKIE) return cookie;
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

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Headers that a page of another site can send without a preflight, or that browsers send by themselves. */
const SENT_BY_ANYBODY =
  /^(accept|accept-(charset|encoding|language)|access-control-.*|connection|content-(language|length|type)|cookie2?|date|dnt|expect|host|keep-alive|origin|ping-(from|to)|range|referer|save-data|te|trailer|transfer-encoding|upgrade(-insecure-requests)?|user-agent|via|(sec|proxy)-.*|cache-control|pragma|priority|purpose|if-.*|last-event-id|authorization)$/;

function parseName(name: unknown = '__Host-accounts', { protocol, hostname }: URL) {
  if (typeof name !== 'string' || !TOKEN.test(name))
    throw new TypeError('cookie.name must be the name of a cookie');
  const isLocal = protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !isLocal) {
    throw new TypeError('cookie: siteUrl must be an https URL, or http://localhost while you develop');
  }
  const isOfHost = name.startsWith('__Host-');
  // Any other name could be planted by a neighbouring subdomain, or read without TLS.
  if (!isOfHost && !isLocal) throw new TypeError('cookie.name must begin with __Host-');
  return { name, attributes: `Path=/; HttpOnly; SameSite=Lax${isOfHost ? '; Secure' : ''}` };
}

function parseCsrfHeader(header: unknown = 'x-accounts-csrf'): string {
  const name = typeof header === 'string' && TOKEN.test(header) ? header.toLowerCase() : '';
  if (name !== '' && !SENT_BY_ANYBODY.test(name)) return name;
  throw new TypeError('cookie.csrfHeader must be a header that no page can send without a preflight');
}

function parseOrigins(origins: unknown = []): string[] {
  if (!Array.isArray(origins)) throw new TypeError('cookie.origins must be a list of origins');
  return origins.map((origin: unknown) => {
    if (typeof origin === 'string' && origin !== 'null' && URL.parse(origin)?.origin === origin)
      return origin;
    throw new TypeError(
      `cookie.origins: ${JSON.stringify(origin)} is no origin, such as https://app.example.com`,
    );
  });
}

/** In seconds. Of a token that was made by us a moment ago. */
function lifetimeOf(accessToken: string): number {
  const payload = accessToken.split('.')[1] ?? '';
  const { exp, iat } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    exp: number;
    iat: number;
  };
  return Math.max(0, exp - iat);
}
