/**
 * Front ends live on other origins and show who they are with a token, which no browser adds by itself. So any origin
 * may ask, and none may with credentials: naming the asking origin back together with credentials would let every
 * page on the web act with whatever cookies a proxy in front of this server sets.
 */
export const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after' };

/** The answer to what a browser asks before it sends JSON or a token. `*` does not cover Authorization. */
export const PREFLIGHT = {
  ...CORS,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'content-type, authorization, *',
  'access-control-max-age': '7200',
};
