import type { AccountsError } from '../../errors.ts';

/** What ends a stream before its source does, and what it says then. */
export interface Ending<T> {
  /** Calls `onEnd` when it is time; returns what ends the watch. */
  watch(onEnd: (error: AccountsError) => void): () => void;
  /** Where it is there, once the watch has begun: nothing is asked of the source before it resolves. */
  readonly confirmed?: Promise<void> | null;
  /** What is given last. */
  last(error: AccountsError): T;
  /** Gets what the source throws when it is told to stop and nobody waits for it. */
  report(error: unknown): void;
}

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * A stream that gives what its source gives, until it is ended: then one value more, and nothing of what the source
 * makes of it afterwards. The source is told to stop, and not waited for: a generator that waits for something hears of
 * it only when that has come.
 */
export class LiveStream<T> implements AsyncGenerator<T, undefined, undefined> {
  readonly #source: AsyncIterator<T>;
  readonly #ending: Ending<T>;
  /** Not `Promise.race` with the end: each of a million events would leave something with it. */
  #waiting: Waiting<T>[] = [];
  #unwatch: (() => void) | null;
  #last: IteratorYieldResult<T> | null = null;
  #open = true;
  /** Whether it is over because it was ended. */
  #ended = false;

  constructor(source: AsyncIterable<T>, ending: Ending<T>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#ending = ending;
    this.#unwatch = ending.watch((error) => this.#end(error));
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#open) {
      const last = this.#last;
      this.#last = null;
      return last ? Promise.resolve(last) : this.#done();
    }
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject };
      this.#waiting.push(waiting);
      this.#pull().then(
        (result) => this.#settle(waiting, result),
        (error: unknown) => {
          if (this.#isLate(waiting)) return;
          this.#close();
          reject(error);
        },
      );
    });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (this.#close()) await this.#source.return?.();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    if (!this.#close()) throw error;
    if (!this.#source.throw) {
      this.#abandon();
      throw error;
    }
    const result = await this.#source.throw(error);
    return result.done ? DONE : result;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /**
   * One turn after the end: a socket is closed in between. Had the client heard first that its stream is complete, it
   * might have closed the socket itself, and not know why.
   */
  async #done(): Promise<IteratorReturnResult<undefined>> {
    if (this.#ended) await new Promise((resolve) => setImmediate(resolve));
    return DONE;
  }

  #pull(): Promise<IteratorResult<T, unknown>> {
    const { confirmed } = this.#ending;
    if (confirmed) return confirmed.then(() => (this.#open ? this.#source.next() : DONE));
    try {
      return Promise.resolve(this.#source.next());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #settle(waiting: Waiting<T>, result: IteratorResult<T, unknown>): void {
    if (this.#isLate(waiting)) return;
    if (result.done) this.#close();
    waiting.resolve(result.done ? DONE : result);
  }

  /** Whether somebody was answered already, when the stream ended. */
  #isLate(waiting: Waiting<T>): boolean {
    const place = this.#waiting.indexOf(waiting);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place < 0;
  }

  #end(error: AccountsError): void {
    const last: IteratorYieldResult<T> = { done: false, value: this.#ending.last(error) };
    const [first] = this.#waiting.splice(0, 1);
    if (!this.#close()) return;
    this.#ended = true;
    if (first) first.resolve(last);
    else this.#last = last;
    this.#abandon();
  }

  /** True the first time. Whoever waits has waited in vain. */
  #close(): boolean {
    if (!this.#open) {
      this.#last = null;
      return false;
    }
    this.#open = false;
    this.#unwatch?.();
    this.#unwatch = null;
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
    return true;
  }

  #abandon(): void {
    const stop = async (): Promise<void> => {
      await this.#source.return?.();
    };
    stop().catch((error: unknown) => this.#ending.report(error));
  }
}
