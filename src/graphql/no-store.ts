/** HTTP requests whose answer may carry a token. */
const secretive = new WeakSet<object>();

interface Requests {
  readonly req?: unknown;
  readonly request?: unknown;
}

/** Keeps the answer to this operation's request out of every cache, on hosts that ask `isSecretive`. */
export function markSecretive({ req, request }: Requests): void {
  if (typeof request === 'object' && request !== null) secretive.add(request);
  if (typeof req === 'object' && req !== null) secretive.add(req);
}

export function isSecretive(request: object): boolean {
  return secretive.has(request);
}

/** Sets `Cache-Control: no-store` (RFC 9111, 5.2.2.5), on a copy of the response where it cannot be changed. */
export function setNoStore(
  response: Response,
  replace: (response: Response) => void,
  Replacement: typeof Response = Response,
): void {
  try {
    response.headers.set('cache-control', 'no-store');
  } catch {
    // The headers of a response that came from `fetch` are immutable.
    const { body, status, statusText } = response;
    const headers = new Headers(response.headers);
    headers.set('cache-control', 'no-store');
    replace(new Replacement(body, { status, statusText, headers }));
  }
}
