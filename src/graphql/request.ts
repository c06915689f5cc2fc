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
  return isNodeRequest(request) && request.headers.upgrade !== undefined;
}

/** The token from the parameters that a client opened its WebSocket with, or else from the request's header. */
export function tokenOf(
  holder: RequestHolder,
  request: AnyRequest | null,
  headerName: string,
): string | null {
  const { connectionParams: params } = holder;
  if (isObject(params)) {
    const token =
      bearer(params[headerName]) ?? bearer(params.authorization) ?? bearer(params.Authorization) ?? null;
    if (token !== null) return token;
  }
  return request && bearer(headerOf(request, headerName));
}

/** The token in `Bearer …` (RFC 6750, 2.1), or alone, as clients of accounts-js may send it. Null for other schemes. */
function bearer(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  const space = value.indexOf(' ');
  if (space < 0) return /^bearer$/i.test(value) ? null : value;
  if (space !== 'bearer'.length || value.slice(0, space).toLowerCase() !== 'bearer') return null;
  return value.slice(space).trim() || null;
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
