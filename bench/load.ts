// The load, in a process of its own: asks servers over kept-alive connections and checks every answer.
//
// On bare sockets, with requests that were written out before: it shares two cores with the servers, and whatever it
// takes is not theirs.
import { connect, type Socket } from 'node:net';
import { serveBench } from './children.ts';
import { at } from './statistics.ts';

export interface LoadOrder {
  /** Of servers that share the load: each gets as many connections. */
  ports: readonly number[];
  connections: number;
  /** How many requests a connection has in flight at once. 1 by default. */
  pipelined?: number;
  /** Whole requests of HTTP/1.1, sent in turn. */
  messages: readonly string[];
  /** Ends after so many requests, */
  requests?: number;
  /** or sends no more after so many seconds. */
  seconds?: number;
  /** What every answer must contain: a fast wrong answer is no figure. */
  expect: string;
}

export interface LoadResult {
  requests: number;
  seconds: number;
  wrong: number;
  /** The first that was, for whoever looks into it. */
  example?: string | undefined;
  /** Milliseconds. */
  latencies: { p50: number; p99: number };
  /** What the load itself has taken: microseconds of processor time. */
  cpu: number;
}

/** Of a connection, in milliseconds: after 65 s a server closes it, perhaps while it is written to. */
const LONGEST_IDLE = 20_000;

const pools = new Map<string, Connection[]>();

/** A connection that stays open from one order to the next. */
class Connection {
  readonly socket: Socket;
  #used = performance.now();
  #received = '';
  #onAnswer: (answer: string) => void = () => {};

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.socket.on('data', (text: unknown) => this.#read(text as string));
    // Whoever waits for an answer would wait for ever.
    this.socket.on('error', (error) => this.#onAnswer(String(error)));
  }

  get isFresh(): boolean {
    return this.isOpen && performance.now() - this.#used < LONGEST_IDLE;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable && !this.socket.readableEnded;
  }

  send(text: string, onAnswer: (answer: string) => void): void {
    this.#onAnswer = onAnswer;
    this.#used = performance.now();
    this.socket.write(text);
  }

  #read(text: string): void {
    this.#received += text;
    for (;;) {
      const length = lengthOf(this.#received);
      if (length === null || this.#received.length < length) return;
      const answer = this.#received.slice(0, length);
      this.#received = this.#received.slice(length);
      this.#onAnswer(answer);
    }
  }
}

/** Of the first answer in the text, with its head; null while that cannot be told. */
function lengthOf(text: string): number | null {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return null;
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head)) ?? [];
  if (length !== undefined) return head + 4 + Number(length);
  const last = text.indexOf('\r\n0\r\n\r\n', head + 2);
  return last < 0 ? null : last + 7;
}

function connectionsTo(port: number, count: number): Connection[] {
  const name = `${port} ${count}`;
  const kept = pools.get(name) ?? [];
  const pool = Array.from({ length: count }, (_, n) => {
    const known = kept[n];
    if (known?.isFresh) return known;
    known?.socket.destroy();
    return new Connection(port);
  });
  pools.set(name, pool);
  return pool;
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const { ports, connections, pipelined = 1, messages, expect } = order;
  const latencies: number[] = [];
  let [wrong, sent] = [0, 0];
  let example: string | undefined;
  const before = process.cpuUsage();
  const started = performance.now();
  const [most, end] = [order.requests ?? Infinity, started + 1000 * (order.seconds ?? Infinity)];
  const lane = (connection: Connection): Promise<void> =>
    new Promise((resolve) => {
      const asked: number[] = [];
      const next = (): string => {
        asked.push(performance.now());
        return messages[sent++ % messages.length] ?? '';
      };
      const isOver = (): boolean => sent >= most || performance.now() >= end;
      // Together, so that the answers come together, until none is in flight any more.
      const burst = (): void => {
        let text = '';
        for (let n = 0; n < pipelined && !isOver(); n++) text += next();
        if (text === '') return void resolve();
        connection.send(text, (answer) => {
          latencies.push(performance.now() - (asked.shift() ?? 0));
          if (!answer.startsWith('HTTP/1.1 200') || !answer.includes(expect)) {
            wrong++;
            example ??= answer;
          }
          if (!connection.isOpen) return void resolve();
          if (asked.length === 0) burst();
        });
      };
      burst();
    });
  await Promise.all(ports.flatMap((port) => connectionsTo(port, connections).map(lane)));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  latencies.sort((a, b) => a - b);
  return {
    ...{ requests: latencies.length, seconds, wrong, example, cpu: user + system },
    latencies: { p50: at(latencies, 0.5), p99: at(latencies, 0.99) },
  };
}

serveBench(0, { run });
