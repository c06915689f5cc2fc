import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** An open subscription. */
export interface Stream {
  /** Waits until a text has come. */
  until(text: string): Promise<void>;
  /** Resolves when the server ends it; with the code of the socket's end, where there is one. */
  ended: Promise<number | null>;
  close(): Promise<void>;
}

/** Only what hangs gets here. */
const PATIENCE = 15_000;

/** A subscription as server-sent events (`graphql-sse` in its mode of distinct connections). */
export async function openSse(url: string, query: string, token: string | null): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
    signal: controller.signal,
  });
  const heard = new Heard();
  const ended = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) heard.add(decoder.decode(chunk, { stream: true }));
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
    return null;
  })();
  return {
    until: (text) => heard.until(text),
    ended: inTime(ended, 'the end of the stream'),
    async close() {
      controller.abort();
      await ended;
    },
  };
}

/** A subscription over the protocol of graphql-ws. */
export async function openWebSocket(url: string, query: string, token: string | null): Promise<Stream> {
  const heard = new Heard();
  const closed = Promise.withResolvers<number | null>();
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: token === null ? {} : { authorization: `Bearer ${token}` },
    on: { closed: (event) => closed.resolve((event as { code?: number }).code ?? null) },
  });
  client.subscribe(
    { query },
    {
      next: (result) => heard.add(JSON.stringify(result)),
      error: (error) => heard.add(JSON.stringify(error)),
      complete: () => {},
    },
  );
  return {
    until: (text) => heard.until(text),
    ended: inTime(closed.promise, 'the end of the socket'),
    async close() {
      await client.dispose();
    },
  };
}

/** What came so far. */
class Heard {
  #text = '';
  readonly #waiting = new Set<() => void>();

  add(text: string): void {
    this.#text += text;
    for (const look of this.#waiting) look();
  }

  until(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!this.#text.includes(text)) return;
      this.#waiting.delete(look);
      resolve();
    };
    this.#waiting.add(look);
    look();
    return inTime(promise, () => `${text} in ${JSON.stringify(this.#text)}`);
  }
}

function inTime<T>(promise: Promise<T>, what: string | (() => string)): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`waited too long for ${typeof what === 'string' ? what : what()}`)),
    PATIENCE,
  );
  const settled = Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
  // Whoever closes a stream does not wait for its end.
  settled.catch(() => {});
  return settled;
}
