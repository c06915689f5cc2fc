import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Answers one request. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** Answers with a whole text, or with its headers only where HEAD asked. */
export function respond(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer = '',
): void {
  // An answer that has no content has no length either (RFC 9110, 8.6).
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  res.writeHead(status, { ...headers, ...length });
  res.end(req.method === 'HEAD' ? undefined : body);
}
