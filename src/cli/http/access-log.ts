import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log, RequestEntry } from '../log.ts';
import { loggedPath } from '../redaction.ts';

type Annotations = Pick<RequestEntry, 'operation' | 'errors'>;

/** The lines of the log that tell of requests. */
export class AccessLog {
  readonly #log: Log;
  readonly #clientAddress: (req: IncomingMessage) => string | null;
  readonly #annotations = new WeakMap<IncomingMessage, Annotations>();

  constructor(log: Log, clientAddress: (req: IncomingMessage) => string | null) {
    this.#log = log;
    this.#clientAddress = clientAddress;
  }

  /** Writes the line when the request is over. To be called before anything is answered. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const start = performance.now();
    // Read now: afterwards the socket may be gone.
    const ip = this.#clientAddress(req);
    res.once('close', () => {
      this.#log.request({
        method: req.method ?? '',
        path: loggedPath(req.url ?? ''),
        status: res.statusCode,
        duration: Math.round((performance.now() - start) * 10) / 10,
        ip,
        ...this.#annotations.get(req),
        ...(!res.writableFinished && { aborted: true }),
      });
    });
  }

  /** Adds to the line of a request what only its handler knows. */
  annotate(req: IncomingMessage, annotations: Annotations): void {
    this.#annotations.set(req, { ...this.#annotations.get(req), ...annotations });
  }
}
