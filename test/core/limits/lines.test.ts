import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lines, type Place } from '../../../src/core/limits/lines.ts';
import { AccountsError } from '../../../src/errors.ts';
import { codeOf } from '../../accounts.ts';

describe('a line', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  /** Enters one after the other under a key, and notes who is in. */
  const start = (places: number, options = {}) => {
    const lines = new Lines(options);
    const inside: { name: string; place: Place }[] = [];
    const enter = async (name: string, key = 'a'): Promise<void> => {
      inside.push({ name, place: await lines.enter(key, places) });
    };
    const names = async (): Promise<string[]> => {
      await vi.advanceTimersByTimeAsync(0);
      return inside.map(({ name }) => name);
    };
    return { lines, inside, enter, names };
  };

  test('lets so many in at a time, and the others in their order', async () => {
    const { enter, names, inside, lines } = start(2);
    const all = ['one', 'two', 'three', 'four'].map((name) => enter(name));
    expect(await names()).toEqual(['one', 'two']);
    inside[1]?.place.leave();
    expect(await names()).toEqual(['one', 'two', 'three']);
    // To leave twice is to leave once.
    inside[1]?.place.leave();
    expect(await names()).toEqual(['one', 'two', 'three']);
    inside[0]?.place.leave();
    await Promise.all(all);
    for (const { place } of inside) place.leave();
    expect(lines.size).toBe(0);
  });

  test('of one key keeps nobody out at another', async () => {
    const { enter, names } = start(1);
    void enter('one');
    void enter('two');
    void enter('three', 'b');
    expect(await names()).toEqual(['one', 'three']);
  });

  test('gives the place of who stays too long to the next, once', async () => {
    const { enter, names, inside } = start(1, { longestStay: 1_000, patience: 60_000 });
    for (const name of ['stuck', 'two', 'three']) void enter(name);
    await vi.advanceTimersByTimeAsync(999);
    expect(await names()).toEqual(['stuck']);
    await vi.advanceTimersByTimeAsync(1);
    expect(await names()).toEqual(['stuck', 'two']);
    inside[0]?.place.leave();
    expect(await names()).toEqual(['stuck', 'two']);
  });

  test('sends away who has waited too long, and goes on', async () => {
    const { enter, names, inside, lines } = start(1, { longestStay: 60_000, patience: 1_000 });
    void enter('one');
    const two = codeOf(enter('two'));
    await vi.advanceTimersByTimeAsync(500);
    void enter('three');
    await vi.advanceTimersByTimeAsync(500);
    expect(await two).toBe('BUSY');
    inside[0]?.place.leave();
    expect(await names()).toEqual(['one', 'three']);
    inside[1]?.place.leave();
    expect(lines.size).toBe(0);
  });

  test('lets 2,000 wait and refuses the rest, and leaves room at other keys', async () => {
    const { enter, lines } = start(1, { longestStay: 60_000, patience: 1_000 });
    const waiting = Array.from({ length: 2_001 }, () => codeOf(enter('x')));
    expect(await codeOf(enter('x'))).toBe('BUSY');
    void enter('y', 'b');
    const elsewhere = codeOf(enter('y', 'b'));
    await vi.advanceTimersByTimeAsync(1_000);
    const codes = await Promise.all(waiting);
    expect(codes.filter((code) => code === 'BUSY')).toHaveLength(2_000);
    expect(await elsewhere).toBe('BUSY');
    expect(lines.size).toBe(2);
  });

  test('holds 10,000 who wait in all', async () => {
    const { enter } = start(1, { longestStay: 60_000, patience: 1_000 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) for (let n = 0; n < 2_001; n++) void codeOf(enter('x', key));
    void enter('f', 'f');
    expect(await codeOf(enter('f', 'f'))).toBe('BUSY');
    await vi.advanceTimersByTimeAsync(1_000);
  });

  test('takes who gives way back before all who wait, when another has left', async () => {
    const { enter, names, inside } = start(2);
    for (const name of ['one', 'two', 'three']) void enter(name);
    await names();
    const back = inside[0]?.place.giveWay();
    // Nobody else gets the place: for them nothing has changed either.
    expect(await names()).toEqual(['one', 'two']);
    inside[1]?.place.leave();
    expect(await back).toBe(true);
    expect(await names()).toEqual(['one', 'two']);
    inside[0]?.place.leave();
    expect(await names()).toEqual(['one', 'two', 'three']);
  });

  test('turns away all who wait in it, and goes on', async () => {
    const { enter, names, inside, lines } = start(1);
    void enter('one');
    const refused = [codeOf(enter('two')), codeOf(enter('three'))];
    void enter('other', 'b');
    expect(await names()).toEqual(['one', 'other']);
    inside[0]?.place.turnAway(new AccountsError('RATE_LIMITED'));
    expect(await Promise.all(refused)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    void enter('four');
    inside[0]?.place.leave();
    expect(await names()).toEqual(['one', 'other', 'four']);
    for (const { place } of inside) place.leave();
    expect(lines.size).toBe(0);
  });

  test('has nothing to give way to where nobody else is inside', async () => {
    const { enter, names, inside } = start(2);
    for (const name of ['one', 'two']) void enter(name);
    await names();
    const [one, two] = inside.map(({ place }) => place);
    const first = one?.giveWay();
    expect(await two?.giveWay()).toBe(false);
    two?.leave();
    expect(await first).toBe(true);
    expect(await one?.giveWay()).toBe(false);
    one?.leave();
    expect(await one?.giveWay()).toBe(false);
  });
});
