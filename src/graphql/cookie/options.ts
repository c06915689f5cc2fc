import { refuseUnknown } from '../../core/known-options.ts';
import { isHttpToken } from '../request/request.ts';

/** The name of the cookie, unless said otherwise. */
export const COOKIE_NAME = '__Host-accounts';

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

interface ParsedCookieOptions {
  name: string;
  /** As they stand in `Set-Cookie`. */
  attributes: string;
  csrfHeader: string;
  origins: ReadonlySet<string>;
}

/** Throws a TypeError for a wrong option. */
export function parseCookieOptions(options: CookieOptions, siteUrl: URL): ParsedCookieOptions {
  refuseUnknown(options, KNOWN, 'cookie');
  return {
    ...parseName(options.name, siteUrl),
    csrfHeader: parseCsrfHeader(options.csrfHeader),
    origins: new Set([siteUrl.origin, ...parseOrigins(options.origins)]),
  };
}

/** Headers that a page of another site can send without a preflight, or that browsers send by themselves. */
const SENT_BY_ANYBODY =
  /^(accept|accept-(charset|encoding|language)|access-control-.*|connection|content-(language|length|type)|cookie2?|date|dnt|expect|host|keep-alive|origin|ping-(from|to)|range|referer|save-data|te|trailer|transfer-encoding|upgrade(-insecure-requests)?|user-agent|via|(sec|proxy)-.*|cache-control|pragma|priority|purpose|if-.*|last-event-id|authorization)$/;

function parseName(name: unknown = COOKIE_NAME, { protocol, hostname }: URL) {
  if (typeof name !== 'string' || !isHttpToken(name))
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
  const name = typeof header === 'string' && isHttpToken(header) ? header.toLowerCase() : '';
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
