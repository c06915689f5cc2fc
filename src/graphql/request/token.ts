import { isObject } from '../is-object.ts';
import { type AnyRequest, headerOf, isHttpToken, type RequestHolder } from './request.ts';

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
  const isOther = scheme !== value && isHttpToken(scheme);
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
