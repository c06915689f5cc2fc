// The load, in a process of its own: asks a server over kept-alive connections and checks every answer.
import { Agent, request } from 'node:http';

export interface LoadOrder {
  port: number;
  requests: number;
  connections: number;
  body: string;
  authorization?: string | undefined;
  /** What every answer must contain: a fast wrong answer is no figure. */
  expect: string;
}

export interface LoadResult {
  seconds: number;
  wrong: number;
  /** Milliseconds. */
  latencies: { p50: number; p99: number };
}

const agents = new Map<number, Agent>();

process.on('message', async (order: LoadOrder) => {
  const agent =
    agents.get(order.connections) ?? new Agent({ keepAlive: true, maxSockets: order.connections });
  agents.set(order.connections, agent);
  const latencies: number[] = [];
  let wrong = 0;
  let left = order.requests;
  const started = performance.now();
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const asked = performance.now();
      const answer = await ask(order, agent);
      latencies.push(performance.now() - asked);
      if (!answer.includes(order.expect)) wrong++;
    }
  };
  await Promise.all(Array.from({ length: order.connections }, lane));
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  process.send?.({ seconds, wrong, latencies: { p50: at(0.5), p99: at(0.99) } } satisfies LoadResult);
});

function ask({ port, body, authorization }: LoadOrder, keptAlive: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(authorization && { authorization }),
    };
    const asking = request({
      host: '127.0.0.1',
      port,
      path: '/graphql',
      method: 'POST',
      headers,
      agent: keptAlive,
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asking.end(body);
  });
}
