/** What a provider has to say fits into much less. */
const MAX_BYTES = 512 * 1024;

type Init = Omit<RequestInit, 'signal'> & { signal?: AbortSignal | undefined };

/** A provider that cannot be reached, does not answer in time, or not at an end. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/**
 * Fetches from a provider: only where `mayAsk` allows it, without following a redirect, in the time of `deadline`, and
 * no more than a bounded answer, which is read as a whole.
 */
export async function boundedFetch(
  url: string,
  init: Init,
  { mayAsk, deadline }: { mayAsk(url: URL): boolean; deadline: AbortSignal },
): Promise<Response> {
  if (!mayAsk(new URL(url))) throw new TypeError('the provider names an endpoint that it may not name');
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
  let response: Response;
  let body: Uint8Array<ArrayBuffer> | null;
  try {
    response = await fetch(url, { ...init, signal, redirect: 'manual' });
    body = await readBody(response);
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    throw new Unreachable('the provider did not answer', { cause: error });
  }
  const { status, headers } = response;
  // Those that may not have a body are nothing that an endpoint of ours answers with.
  if (status === 204 || status === 205 || status === 304)
    throw new Unreachable('the provider answered nothing');
  return new Response(body, { status, headers: withoutEncoding(headers) });
}

async function readBody({ body }: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!body) return null;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    // Leaving the loop cancels the rest.
    if (size > MAX_BYTES) throw new Unreachable('the provider answered too much');
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** The body was decoded already. */
function withoutEncoding(given: Headers): Headers {
  const headers = new Headers(given);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return headers;
}
