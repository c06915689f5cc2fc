import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { within } from '../../src/core/deadline.ts';
import { turns, watchUnhandled } from './unhandled.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const tooLate = (): never => {
  throw new Error('too late');
};

test('what is done in time is the result, and its error is the error', async () => {
  expect(await within(10, Promise.resolve(1), tooLate)).toBe(1);
  expect(await within(10, 2, tooLate)).toBe(2);
  await expect(within(10, Promise.reject(new Error('its own')), tooLate)).rejects.toThrow('its own');
  expect(vi.getTimerCount()).toBe(0);
});

test('what is late gives its place to the result or the error of `late`, and is dropped', async () => {
  const unhandled = watchUnhandled();
  const { promise, reject } = Promise.withResolvers<number>();
  const all = [within(10, promise, () => 'instead'), within(10, promise, tooLate)];
  const settled = Promise.allSettled(all);
  vi.advanceTimersByTime(9);
  await turns();
  expect(vi.getTimerCount()).toBe(2);
  vi.advanceTimersByTime(1);
  expect(await settled).toMatchObject([{ value: 'instead' }, { reason: { message: 'too late' } }]);
  reject(new Error('afterwards'));
  await turns();
  expect(unhandled).toEqual([]);
});
