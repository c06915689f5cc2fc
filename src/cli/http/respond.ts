import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Something that answers requests. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Answers with a whole text, or with its headers only where HEAD asked. */
export function respond(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer = '',
): void {
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** The path of a request, without the query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
