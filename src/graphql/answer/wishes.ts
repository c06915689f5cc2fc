import { ofEveryCopy } from '../every-copy.ts';
import { isObject } from '../is-object.ts';
import type { RequestHolder } from '../request/request.ts';

/** What an operation of ours wants of the HTTP answer to its request. */
interface Wishes {
  noStore: boolean;
  cookies: string[];
  /** Seconds; 0 for none. */
  retryAfter: number;
}

interface NodeResponse {
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  appendHeader(name: string, value: string): unknown;
}

const wishes = ofEveryCopy('wishes', () => new WeakMap<object, Wishes>());
/** Requests whose answer goes through `fulfil`. */
const answered = ofEveryCopy('answered', () => new WeakSet<object>());

/** Says that `fulfil` will see the answer to this request. */
export function markAnswered(holder: RequestHolder): void {
  for (const request of requestsOf(holder)) answered.add(request);
}

/** Keeps the answer out of every cache (RFC 9111, 5.2.2.5). */
export function wishNoStore(holder: RequestHolder): void {
  if (isAnswered(holder)) {
    for (const wish of wishesOf(holder)) wish.noStore = true;
  } else {
    responseOf(holder)?.setHeader('cache-control', 'no-store');
  }
}

/** Says in a header when to come again (RFC 9110, 10.2.3). */
export function wishRetryAfter(holder: RequestHolder, seconds: number): void {
  if (isAnswered(holder)) {
    for (const wish of wishesOf(holder)) wish.retryAfter = Math.max(wish.retryAfter, seconds);
  } else {
    responseOf(holder)?.setHeader('retry-after', String(seconds));
  }
}

/** Sends a cookie. False where nobody gives us the response. */
export function wishCookie(holder: RequestHolder, cookie: string): boolean {
  if (isAnswered(holder)) {
    const [wish] = wishesOf(holder);
    wish?.cookies.push(cookie);
    return true;
  }
  const res = responseOf(holder);
  res?.appendHeader('set-cookie', cookie);
  return res !== null;
}

/** Does what was wished, on a copy of the response where it cannot be changed. */
export function fulfil(
  request: object,
  response: Response,
  replace: (response: Response) => void,
  Replacement: typeof Response = Response,
): void {
  const wish = wishes.get(request);
  if (!wish) return;
  wishes.delete(request);
  try {
    writeHeaders(response.headers, wish);
  } catch {
    // The headers of a response that came from `fetch` are immutable.
    const { body, status, statusText } = response;
    const headers = new Headers(response.headers);
    writeHeaders(headers, wish);
    replace(new Replacement(body, { status, statusText, headers }));
  }
}

function writeHeaders(headers: Headers, { noStore, cookies, retryAfter }: Wishes): void {
  if (noStore) headers.set('cache-control', 'no-store');
  if (retryAfter > 0) headers.set('retry-after', String(retryAfter));
  for (const cookie of cookies) headers.append('set-cookie', cookie);
}

function isAnswered(holder: RequestHolder): boolean {
  return requestsOf(holder).some((request) => answered.has(request));
}

function wishesOf(holder: RequestHolder): Wishes[] {
  return requestsOf(holder).map((request) => {
    const wish = wishes.get(request) ?? { noStore: false, cookies: [], retryAfter: 0 };
    wishes.set(request, wish);
    return wish;
  });
}

function requestsOf({ req, request }: RequestHolder): object[] {
  // That of the Fetch API first: it is the one that `fulfil` is given.
  return [request, req].filter(isObject);
}

/** The response of Node, in the context or, as Express has it, in the request. */
function responseOf({ req, res }: RequestHolder): NodeResponse | null {
  const candidate = res ?? (isObject(req) ? req.res : null);
  return isNodeResponse(candidate) && !candidate.headersSent ? candidate : null;
}

function isNodeResponse(value: unknown): value is NodeResponse {
  return isObject(value) && 'appendHeader' in value && 'setHeader' in value;
}
