import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { SECOND } from '../../core/time.ts';
import { type AccountsErrorCode, ERROR_MESSAGES } from '../../errors.ts';
import type { Handler } from './respond.ts';

/** A server that a slow or silent client cannot keep busy. */
export function createHttpServer(handler: Handler): Server {
  const server = createServer(
    {
      // A request whose header or body trickles in holds a connection, and costs its sender nothing.
      ...{
        headersTimeout: 10 * SECOND,
        requestTimeout: 30 * SECOND,
        connectionsCheckingInterval: 2 * SECOND,
      },
      // Longer than the 60 s for which proxies keep their connections: the side that sends closes first.
      keepAliveTimeout: 65 * SECOND,
    },
    handler,
  );
  // Without this Node invites every body before anybody has looked at how large it is.
  server.on('checkContinue', handler);
  server.on('clientError', refuseMalformed);
  return server;
}

/** Answers what is no request, and reads on for a moment, as `answerEarly` does, so that the answer arrives. */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  // Every further piece of the same request is an error again.
  if (socket.writableEnded) return;
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, code] = MALFORMED.get(error.code ?? '') ?? ['400 Bad Request', 'BAD_REQUEST'];
  const body = JSON.stringify({ errors: [{ message: ERROR_MESSAGES[code], extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), SECOND).unref();
}

const MALFORMED: ReadonlyMap<string, [string, AccountsErrorCode]> = new Map([
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'PAYLOAD_TOO_LARGE']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'BAD_REQUEST']],
]);

/** Starts to listen, and answers with the port. Rejects with what the operating system says. */
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
