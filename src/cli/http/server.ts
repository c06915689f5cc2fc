import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SECOND } from '../../core/time.ts';
import type { AccountsErrorCode } from '../../errors.ts';
import { answerEarly } from './body.ts';
import { errorBody, JSON_TYPE } from './error-body.ts';
import type { Handler } from './respond.ts';

/** For how long a connection may be kept waiting, in milliseconds. */
interface Timeouts {
  /** From the first byte of a request to the end of its headers. */
  headers: number;
  /** From the first byte of a request to the end of its body. */
  request: number;
  /** How often the two are looked at: a slow request is ended that much later. */
  checks: number;
  /** Between two requests of one connection. */
  keepAlive: number;
}

export const TIMEOUTS: Timeouts = {
  headers: 10 * SECOND,
  request: 30 * SECOND,
  checks: 2 * SECOND,
  // Longer than the 60 s for which proxies keep their connections: the side that sends closes first.
  keepAlive: 65 * SECOND,
};

const MALFORMED: ReadonlyMap<string, [string, AccountsErrorCode]> = new Map([
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'PAYLOAD_TOO_LARGE']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'BAD_REQUEST']],
]);

/**
 * Makes a server that a slow or silent client cannot keep busy: a request whose headers or body trickle in would hold
 * a connection, and cost its sender nothing. It is answered with 408 and its connection is closed.
 */
export function createHttpServer(handler: Handler, timeouts: Timeouts = TIMEOUTS): Server {
  const server = createServer(
    {
      headersTimeout: timeouts.headers,
      requestTimeout: timeouts.request,
      connectionsCheckingInterval: timeouts.checks,
      keepAliveTimeout: timeouts.keepAlive,
      // Node would refuse it with an answer that has no body.
      requireHostHeader: false,
    },
    withHost(handler),
  );
  // Without this Node invites every body before anybody has looked at how large it is.
  server.on('checkContinue', withHost(handler));
  server.on('checkExpectation', (req, res) => refuse(req, res, 417));
  server.on('clientError', refuseMalformed);
  return server;
}

/** RFC 9112, 3.2: a request of HTTP/1.1 without the header is refused. */
function withHost(handler: Handler): Handler {
  return (req, res) =>
    req.headers.host === undefined && req.httpVersion === '1.1' ? refuse(req, res, 400) : handler(req, res);
}

function refuse(req: IncomingMessage, res: ServerResponse, status: number): void {
  answerEarly(req, res, status, { 'content-type': JSON_TYPE }, errorBody('BAD_REQUEST'));
}

/**
 * Answers what is no request, or none that came in time, on the bare socket. Like `answerEarly` it closes only after
 * a moment, so that the answer arrives.
 */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  // Every further piece of the same request is an error again.
  if (socket.writableEnded) return;
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, code] = MALFORMED.get(error.code ?? '') ?? ['400 Bad Request', 'BAD_REQUEST'];
  const body = errorBody(code);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: ${JSON_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), SECOND).unref();
}

/** Starts to listen, and resolves to the port. Rejects with what the operating system says. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** Takes no new requests, lets those in flight finish, and cuts off what is left after `patience` milliseconds. */
export function drain(server: Server, patience: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that has just become idle would stay open for as long as it is kept alive.
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const cutOff = setTimeout(() => server.closeAllConnections(), patience);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cutOff);
      resolve();
    });
    server.closeIdleConnections();
  });
}
