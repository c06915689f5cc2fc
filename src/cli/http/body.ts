import type { IncomingMessage, ServerResponse } from 'node:http';
import { SECOND } from '../../core/time.ts';

const LINGER = SECOND;
const MAX_LINGERING_BYTES = 16 * 1024 * 1024;

/** Why there is no body. `gone`: nobody waits for an answer any more. */
export type BodyProblem = 'too large' | 'gone';

/**
 * Reads the body of a request, or resolves to why there is none. A body that is announced as too large is not read at
 * all, and one that turns out to be is not read on: no more than `limit` bytes are ever held.
 */
export function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  limit: number,
): Promise<Buffer | BodyProblem> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return Promise.resolve('too large');
  // Clients that ask before they send (curl does from 1 MB on) have waited for this.
  if (req.headers.expect !== undefined) res.writeContinue();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) return void chunks.push(chunk);
      req.off('data', onData);
      resolve('too large');
    };
    req.on('data', onData);
    req.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    req.once('error', () => resolve('gone'));
    req.once('close', () => resolve('gone'));
  });
}

/**
 * Answers while the body is still coming, and closes the connection. Closed at once, with unread data in the socket, it
 * would be reset, and the client might never see the answer. So for LINGER, or until the client has stopped, what comes
 * is read and thrown away.
 */
export function answerEarly(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  res.writeHead(status, {
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  });
  res.write(body);
  let size = 0;
  const close = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(close, LINGER);
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_LINGERING_BYTES) close();
  });
  req.once('end', close);
  req.once('close', close);
  req.resume();
}
