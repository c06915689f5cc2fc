import type { RequestHolder } from '../request/request.ts';

/** The WebSocket that a context belongs to. A symbol: contexts are spread into others. */
export const SOCKET = Symbol.for('graphql-accounts socket');

export interface WithSocket {
  [SOCKET]?: ClosableSocket;
}

/** `close` of ws, Bun, Deno and crossws; that of uWebSockets.js takes no code, `end` does. */
interface ClosableSocket {
  close(code?: number, reason?: string): unknown;
  end?(code: number, reason: string): unknown;
}

const NO_SOCKET: WithSocket = Object.freeze({});

const closing = new WeakSet<object>();

/** The socket that graphql-ws has given us, to be put into the context. Hive Gateway has it beside the request. */
export function withSocket({
  extra,
  socket: beside,
}: RequestHolder & { readonly socket?: unknown }): WithSocket {
  const { socket = isWebSocket(beside) ? beside : null } = (extra ?? {}) as { readonly socket?: unknown };
  return isClosable(socket) ? { [SOCKET]: socket } : NO_SOCKET;
}

/**
 * Closes the socket as graphql-ws does for whoever may not come in. Not at once: its streams are told first why they
 * end.
 */
export function forbid(contextValue: unknown): void {
  const socket = (contextValue as WithSocket)[SOCKET];
  if (!socket || closing.has(socket)) return;
  closing.add(socket);
  setImmediate(() => {
    try {
      if (socket.end) socket.end(4403, 'Forbidden');
      else socket.close(4403, 'Forbidden');
    } catch {
      // It was closed by then.
    }
  });
}

/** Under that name an application may have something else in its context, which many share. */
function isWebSocket(value: unknown): boolean {
  return isClosable(value) && 'readyState' in value && typeof value.readyState === 'number';
}

function isClosable(value: unknown): value is ClosableSocket {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}
