import { afterEach, expect, test, vi } from 'vitest';
import { failOpen } from '../../../src/services/password/breach.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([true, false])('S5 the answer of the breach check counts: %s', async (answer) => {
  const asked: string[] = [];
  const isBreached = failOpen(async (password) => {
    asked.push(password);
    return answer;
  });
  expect(await isBreached('hunter2hunter2')).toBe(answer);
  expect(asked).toEqual(['hunter2hunter2']);
});

test.each([
  ['rejects', () => Promise.reject(new Error('down'))],
  [
    'throws',
    () => {
      throw new Error('down');
    },
  ],
  ['answers with nonsense', async () => 'yes' as unknown as boolean],
])('S5 a breach check that %s lets the password pass and is reported', async (_, check) => {
  const failures: unknown[] = [];
  const isBreached = failOpen(check, { onFailure: (error) => failures.push(error) });
  expect(await isBreached('canary-password')).toBe(false);
  expect(failures).toHaveLength(1);
  expect(String(failures[0])).not.toContain('canary-password');
});

test('S5 a breach check that hangs is aborted at the deadline, and its late failure harms nobody', async () => {
  vi.useFakeTimers();
  const failures: unknown[] = [];
  const answer = Promise.withResolvers<boolean>();
  const signals: AbortSignal[] = [];
  const isBreached = failOpen(
    (_, signal) => {
      signals.push(signal);
      return answer.promise;
    },
    { deadline: 1_000, onFailure: (error) => failures.push(error) },
  );
  const passed = isBreached('hunter2hunter2');
  await vi.advanceTimersByTimeAsync(999);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await passed).toBe(false);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(failures).toHaveLength(1);
  answer.reject(new Error('late'));
  await vi.runAllTimersAsync();
  expect(failures).toHaveLength(1);
});

test('S5 a breach check that answers in time leaves no timer behind', async () => {
  vi.useFakeTimers();
  await failOpen(async () => false)('hunter2hunter2');
  expect(vi.getTimerCount()).toBe(0);
});
