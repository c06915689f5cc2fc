import type { IncomingMessage } from 'node:http';

type Headers = Record<string, string>;

/** What lets pages of other origins read an answer, and what answers their question whether they may ask. */
export interface Cors {
  headers(req: IncomingMessage): Headers;
  preflight(req: IncomingMessage): Headers;
}

/**
 * Front ends live on other origins and show who they are with a token, which no browser adds by itself. So any origin
 * may ask, and none but the listed ones with credentials, which a login by OAuth needs for its cookie: naming whatever
 * origin asks would let every page on the web act with the cookies that a proxy in front of this server sets.
 */
export function createCors(origins: readonly string[]): Cors {
  const listed = new Set(origins);
  const exposed = { 'access-control-expose-headers': 'retry-after' };
  const forAnybody = { 'access-control-allow-origin': '*', ...exposed };
  const isListed = ({ headers }: IncomingMessage): boolean => listed.has(headers.origin ?? '');
  const headers = (req: IncomingMessage): Headers => {
    if (listed.size === 0) return forAnybody;
    if (!isListed(req)) return { ...forAnybody, vary: 'Origin' };
    const origin = String(req.headers.origin);
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      ...exposed,
      vary: 'Origin',
    };
  };
  return {
    headers,
    preflight: (req) => ({
      ...headers(req),
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      // `*` covers neither Authorization nor, with credentials, anything.
      'access-control-allow-headers': isListed(req)
        ? (req.headers['access-control-request-headers'] ?? 'content-type, authorization')
        : 'content-type, authorization, *',
      'access-control-max-age': '7200',
    }),
  };
}
