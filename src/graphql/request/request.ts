import type { IncomingMessage } from 'node:http';
import { isObject } from '../is-object.ts';
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
  // Some clients offer HTTP/2 in this header, with every request.
  return headerOf(request, 'upgrade')?.toLowerCase().includes('websocket') === true;
}

/** Whether a text is a token of HTTP, as names of headers and cookies are (RFC 9110, 5.6.2). */
export function isHttpToken(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}
