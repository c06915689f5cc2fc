import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { batched } from '../../src/core/batch.ts';
import { gather } from '../../src/gather.ts';

let now: number;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

/** How many turns of the event loop something takes. */
async function turnsOf(work: Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const done = work.then(() => {
    isOver = true;
  });
  for (; !isOver; turns++) await nextTurn();
  await done;
  return turns;
}

describe('gathering', () => {
  test('what comes alone waits for one turn', async () => {
    expect(await turnsOf(gather(() => 1, 10))).toBe(1);
  });

  test('goes on while more comes, and for eight turns at most', async () => {
    let size = 0;
    expect(await turnsOf(gather(() => Math.min(++size, 6), 100))).toBe(3);
    expect(await turnsOf(gather(() => ++size, Number.POSITIVE_INFINITY))).toBe(8);
  });

  test('ends after 2 ms, where each turn is long by itself', async () => {
    let size = 0;
    const grow = (): number => {
      now += 0.5;
      return ++size;
    };
    expect(await turnsOf(gather(grow, 100))).toBe(2);
  });

  test('ends when there is enough', async () => {
    let size = 0;
    expect(await turnsOf(gather(() => ++size, 4))).toBe(2);
  });
});

describe('look-ups in a batch', () => {
  test('of turns that follow one another are one query, each id once, and each gets its own', async () => {
    const queries: (readonly string[])[] = [];
    const find = batched(async (ids) => {
      queries.push(ids);
      return ids.map((id) => (id === 'none' ? null : `${id}!`));
    });
    const first = [find('a'), find('b'), find('a')];
    await nextTurn();
    const later = [find('none'), find('b')];
    expect(await Promise.all([...first, ...later])).toEqual(['a!', 'b!', 'a!', null, 'b!']);
    expect(queries).toEqual([['a', 'b', 'none']]);
  });

  test('S16 that come when the query has gone out are not answered by it', async () => {
    const sent = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    let state = 'good';
    const find = batched(async (ids) => {
      const seen = ids.map(() => state);
      sent.resolve();
      await answered.promise;
      return seen;
    });
    const before = find('session');
    await sent.promise;
    state = 'revoked';
    const after = find('session');
    answered.resolve();
    expect([await before, await after]).toEqual(['good', 'revoked']);
  });

  test('that fail, fail for those who asked, and no later', async () => {
    let fails = true;
    const find = batched<string>(async (ids) => {
      if (fails) throw new Error('the store is away');
      return [...ids];
    });
    const asked = [find('a'), find('b')];
    for (const result of await Promise.allSettled(asked)) expect(result.status).toBe('rejected');
    fails = false;
    expect(await find('a')).toBe('a');
  });
});
