import type { IncomingMessage } from 'node:http';
import type { AddressedRequest } from './client-address.ts';

/** What graphql-ws knows of a socket: the parameters with which it was opened, and the request that upgraded it. */
export interface WebSocketContext {
  readonly connectionParams?: Readonly<Record<string, unknown>> | null | undefined;
  readonly extra: { readonly request: IncomingMessage | Request };
}

/** A context as hosts make it: `req` and `res` are of Node, `request` is one of the Fetch API. */
export interface RequestHolder {
  readonly req?: unknown;
  readonly request?: unknown;
  readonly res?: unknown;
  readonly connectionParams?: unknown;
  readonly extra?: unknown;
}

type FetchRequest = Pick<Request, 'headers'>;
export type AnyRequest = AddressedRequest | FetchRequest;

/** Finds the request. Prefers that of Node: its headers cost less to read, and it has a socket. */
export function requestOf({ req, request, extra }: RequestHolder): AnyRequest | null {
  if (hasHeaders(req)) return req;
  if (hasHeaders(request)) return request;
  if (!isObject(extra)) return null;
  return hasHeaders(extra.request) ? extra.request : null;
}

export function hasHeaders(value: unknown): value is AnyRequest {
  return isObject(value) && isObject(value.headers);
}

export function isNodeRequest(request: AnyRequest): request is AddressedRequest {
  return typeof request.headers.get !== 'function';
}

/** The value of a header. Null also for one that came as a list, and for a name of `Object.prototype` (S44). */
export function headerOf(request: AnyRequest, name: string): string | null {
  const value = isNodeRequest(request) ? request.headers[name] : request.headers.get(name);
  return typeof value === 'string' ? value : null;
}

/** In upper case; empty where a host does not tell. */
export function methodOf(request: AnyRequest): string {
  const { method } = request as { readonly method?: unknown };
  return typeof method === 'string' ? method.toUpperCase() : '';
}

/** The value of a cookie (RFC 6265, 5.4). Null when there is none, or more than one: somebody may have planted it. */
export function cookieOf(request: AnyRequest, name: string): string | null {
  const pairs = (headerOf(request, 'cookie') ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.filter((pair) => pair.startsWith(`${name}=`));
  return found.length === 1 ? (found[0]?.slice(name.length + 1) ?? null) : null;
}

/**
 * Whether the request opened a WebSocket. There each operation looks its session up again: one that has ended must be
 * noticed.
 */
export function staysOpen({ connectionParams, extra }: RequestHolder, request: AnyRequest): boolean {
  if (connectionParams !== undefined || (isObject(extra) && extra.request === request)) return true;
  return headerOf(request, 'upgrade') !== null;
}

/** The token from the parameters that a client opened its WebSocket with, or else from the request's header. */
export function tokenOf(
  holder: RequestHolder,
  request: AnyRequest | null,
  headerName: string,
): string | null {
  const { connectionParams: params } = holder;
  if (isObject(params)) {
    const own = (name: string): unknown => (Object.hasOwn(params, name) ? params[name] : undefined);
    const token = bearer(own(headerName)) ?? bearer(own('authorization')) ?? bearer(own('Authorization'));
    if (token !== null) return token;
  }
  return request && (repeated(request, headerName) ?? bearer(headerOf(request, headerName)));
}

/**
 * The token in `Bearer …` (RFC 6750, 2.1), or alone, as clients of accounts-js may send it. Null for other schemes. A
 * list comes back whole, and is no good token: to choose one of two would let whoever adds a header choose the user.
 */
function bearer(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  if (/,[ \t]*bearer[ \t]/i.test(value)) return value;
  const [scheme = ''] = /^[^ ]*/.exec(value) ?? [];
  if (/^bearer$/i.test(scheme)) return value.slice(scheme.length).replace(/^ +/, '').trimEnd() || null;
  const isOther = scheme !== value && /^[\w!#$%&'*+.^`|~-]+$/.test(scheme);
  return isOther ? null : value;
}

/** A header that came twice. Node keeps the first of some and tells nobody. */
function repeated(request: AnyRequest, name: string): string | null {
  const { rawHeaders } = nodeRequestOf(request) as { readonly rawHeaders?: unknown };
  if (!Array.isArray(rawHeaders)) return null;
  const values: unknown[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = String(rawHeaders[at]);
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[at + 1]);
  }
  return values.length > 1 ? values.join(', ') : null;
}

/** That of Node inside one of Fastify (`raw`) or Koa (`req`). */
function nodeRequestOf(request: AnyRequest): object {
  const { raw, req } = request as { readonly raw?: unknown; readonly req?: unknown };
  return [raw, req].find((value) => isObject(value)) ?? request;
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
