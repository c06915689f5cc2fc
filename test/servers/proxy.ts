import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What the way to a server does:
 * - `open`: all that comes goes on
 * - `refused`: nobody listens, and connections that were open are cut
 * - `reset`: whoever sends something is cut off, with a reset
 * - `silent`: connections are taken, and nothing goes on, either way
 * - `slow`: what comes goes on after `delay` milliseconds
 */
export type Weather = 'open' | 'refused' | 'reset' | 'silent' | 'slow';

/** A way to a server on the loopback interface that tests can spoil. */
export interface FaultyProxy {
  port: number;
  /** How many connections there are now, and how many there were. */
  connections(): { now: number; ever: number };
  turn(weather: Weather, delay?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<FaultyProxy> {
  let weather: Weather = 'open';
  let delay = 0;
  let ever = 0;
  const pairs = new Set<readonly [Socket, Socket]>();

  const carry = (from: Socket, to: Socket, whole: () => void): void => {
    from.on('data', (chunk) => {
      if (weather === 'reset') return whole();
      if (weather === 'silent') {
        // It is lost for good, as in a network that drops packets until the connection is given up.
        return;
      }
      if (weather === 'slow') setTimeout(() => to.writable && to.write(chunk), delay);
      else if (to.writable) to.write(chunk);
    });
    from.on('error', whole);
    from.on('close', () => to.end());
  };

  const server: Server = createServer((client) => {
    ever++;
    const upstream = connect(target, '127.0.0.1');
    const pair = [client, upstream] as const;
    const cut = (): void => {
      pairs.delete(pair);
      client.resetAndDestroy();
      upstream.destroy();
    };
    pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('close', () => pairs.delete(pair));
    carry(client, upstream, cut);
    carry(upstream, client, cut);
  });
  const cutAll = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    pairs.clear();
  };
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stopListening = (): Promise<void> =>
    new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));

  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    connections: () => ({ now: pairs.size, ever }),
    async turn(next, milliseconds = 0) {
      const wasLost = weather === 'silent';
      weather = next;
      delay = milliseconds;
      if (next === 'refused') {
        const stopped = stopListening();
        cutAll();
        await stopped;
        return;
      }
      // Bytes were lost: what is left of such a connection can never be understood.
      if (wasLost && next === 'open') cutAll();
      if (!server.listening) await listen(port);
    },
    async close() {
      const stopped = stopListening();
      cutAll();
      await stopped;
    },
  };
}
