import { describe, expect, test } from 'vitest';
import { AccountsError } from '../../../src/errors.ts';
import { LiveStream } from '../../../src/graphql/live/live-stream.ts';
import { Source } from './feed.ts';

/** A stream of a source, and the hand that ends it. */
function open<T>(source: AsyncIterable<T>) {
  const seen = { end: (): void => undefined, unwatched: 0, reported: [] as unknown[] };
  const stream = new LiveStream<T | string>(source, {
    watch(onEnd) {
      seen.end = () => onEnd(new AccountsError('UNAUTHENTICATED'));
      return () => void seen.unwatched++;
    },
    last: ({ code }) => code,
    report: (error) => void seen.reported.push(error),
  });
  return { stream, seen };
}

const LAST = { done: false, value: 'UNAUTHENTICATED' };
const DONE = { done: true, value: undefined };

describe('S52 a live stream', () => {
  test('gives what its source gives, and ends with it', async () => {
    const source = new Source<number>();
    const { stream, seen } = open(source);
    source.send(1);
    source.send(2);
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    expect(await stream.next()).toEqual({ done: false, value: 2 });
    const waiting = stream.next();
    source.end();
    expect(await waiting).toEqual(DONE);
    expect(await stream.next()).toEqual(DONE);
    expect(seen.unwatched).toBe(1);
    expect(source.returned).toBe(0);
  });

  test('says why when it is ended, once, and tells its source to stop, once', async () => {
    const source = new Source<number>();
    const { stream, seen } = open(source);
    const waiting = [stream.next(), stream.next()];
    seen.end();
    expect(await Promise.all(waiting)).toEqual([LAST, DONE]);
    expect(await stream.next()).toEqual(DONE);
    expect(await stream.return()).toEqual(DONE);
    expect(source.returned).toBe(1);
    expect(seen.unwatched).toBe(1);
  });

  test('says why to whoever asks only later', async () => {
    const { stream, seen } = open(new Source<number>());
    seen.end();
    expect(await stream.next()).toEqual(LAST);
    expect(await stream.next()).toEqual(DONE);
  });

  test('says nothing to whoever has left meanwhile', async () => {
    const { stream, seen } = open(new Source<number>());
    seen.end();
    await stream.return();
    expect(await stream.next()).toEqual(DONE);
  });

  test('gives nothing of what its source makes after the end, and hides no failure of it as news', async () => {
    const late = Promise.withResolvers<IteratorResult<number>>();
    const failing = Promise.withResolvers<IteratorResult<number>>();
    for (const { promise } of [late, failing]) {
      const { stream, seen } = open({ [Symbol.asyncIterator]: () => ({ next: () => promise }) });
      const waiting = stream.next();
      seen.end();
      if (promise === late.promise) late.resolve({ done: false, value: 7 });
      else failing.reject(new Error('of the source'));
      expect(await waiting).toEqual(LAST);
      expect(await stream.next()).toEqual(DONE);
      expect(seen.reported).toEqual([]);
    }
  });

  test('does not wait for a generator that waits for something itself', async () => {
    async function* hanging(): AsyncGenerator<number> {
      await new Promise(() => undefined);
      yield 1;
    }
    const { stream, seen } = open(hanging());
    const waiting = stream.next();
    seen.end();
    expect(await waiting).toEqual(LAST);
    expect(await stream.next()).toEqual(DONE);
    expect(await stream.return()).toEqual(DONE);
  });

  test('runs the `finally` of a generator that is between two events', async () => {
    let stopped = false;
    async function* one(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        stopped = true;
      }
    }
    const { stream, seen } = open(one());
    await stream.next();
    seen.end();
    expect(await stream.next()).toEqual(LAST);
    expect(stopped).toBe(true);
  });

  test.each([
    {
      how: 'throws',
      stop: () => {
        throw new Error('cannot stop');
      },
    },
    { how: 'rejects', stop: () => Promise.reject(new Error('cannot stop')) },
  ])('ends also when the `return` of its source $how, which is reported', async ({ stop }) => {
    const next = () => new Promise<IteratorResult<number>>(() => undefined);
    const { stream, seen } = open({ [Symbol.asyncIterator]: () => ({ next, return: stop }) });
    const waiting = stream.next();
    seen.end();
    expect(await waiting).toEqual(LAST);
    await Promise.resolve();
    expect(seen.reported).toEqual([expect.objectContaining({ message: 'cannot stop' })]);
  });

  test('ends by itself when its source fails, as that does', async () => {
    const next = (): never => {
      throw new Error('of the source');
    };
    const { stream, seen } = open({ [Symbol.asyncIterator]: () => ({ next }) });
    await expect(stream.next()).rejects.toThrow('of the source');
    expect(await stream.next()).toEqual(DONE);
    expect(seen.unwatched).toBe(1);
  });

  test('stops when its reader leaves, and is watched no longer', async () => {
    const source = new Source<number>();
    const { stream, seen } = open(source);
    const waiting = stream.next();
    expect(await stream.return()).toEqual(DONE);
    expect(await waiting).toEqual(DONE);
    expect(source.returned).toBe(1);
    await stream.return();
    await stream[Symbol.asyncDispose]();
    expect([source.returned, seen.unwatched]).toEqual([1, 1]);
  });

  test('stops when its reader throws into it', async () => {
    const source = new Source<number>();
    const { stream, seen } = open(source);
    await expect(stream.throw(new Error('of the reader'))).rejects.toThrow('of the reader');
    expect([source.returned, seen.unwatched]).toEqual([1, 1]);
    await expect(stream.throw(new Error('again'))).rejects.toThrow('again');
  });

  test('hands on what its reader throws to a source that takes it', async () => {
    async function* catching(): AsyncGenerator<number> {
      try {
        yield 1;
      } catch {
        return;
      }
    }
    const { stream } = open(catching());
    await stream.next();
    expect(await stream.throw(new Error('of the reader'))).toEqual(DONE);
  });

  test('that is ended before it began starts no more', async () => {
    const source = new Source<number>();
    const stream = new LiveStream<number | string>(source, {
      watch(onEnd) {
        onEnd(new AccountsError('UNAUTHENTICATED'));
        return () => undefined;
      },
      last: ({ code }) => code,
      report: () => undefined,
    });
    expect(await stream.next()).toEqual(LAST);
    expect(await stream.next()).toEqual(DONE);
    expect(source.returned).toBe(1);
  });
});
