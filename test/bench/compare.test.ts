import { expect, test } from 'vitest';
import { judge } from '../../bench/aims.ts';
import { compare } from '../../bench/compare.ts';
import { busyReasons } from '../../bench/report.ts';
import type { Result } from '../../bench/result.ts';

/** A run on a machine that is `slow` times slower than another. */
function runOf(getUser: readonly number[], slow = 1): Result {
  const cpu = (values: readonly number[]) => ({ cpu: values.map((value) => value * slow) });
  return {
    date: '2026-01-01T00:00:00.000Z',
    minutes: 1,
    rounds: 3,
    machine: { processor: '', cores: 2, memory: 8, system: '', node: '', commit: '', versions: {} },
    configuration: {},
    figures: [
      { id: 'floor', name: 'floor', samples: cpu([40, 40, 41]) },
      { id: 'anonymous', name: 'anonymous', samples: cpu([80, 81, 82]) },
      { id: 'get-user', name: 'getUser', samples: cpu(getUser) },
    ],
    aims: [],
    memory: null,
    others: [0, 0, 0],
    busy: [],
  };
}

const slower = (before: Result, after: Result): string[] =>
  compare(before, after).flatMap(({ figure, verdict }) => (verdict === 'slower' ? figure : []));

test('what costs more than before is slower', () => {
  expect(slower(runOf([80, 82, 84]), runOf([100, 101, 103]))).toEqual(['getUser']);
  expect(slower(runOf([100, 101, 103]), runOf([80, 82, 84]))).toEqual([]);
});

test('what the rounds differ by themselves is not', () => {
  expect(slower(runOf([70, 82, 110]), runOf([75, 95, 112]))).toEqual([]);
});

test('a slower machine makes nothing slower', () => {
  expect(slower(runOf([80, 82, 84]), runOf([80, 82, 84], 3))).toEqual([]);
});

test('an aim is judged round by round, and one without figures is left out', () => {
  const [aim, ...others] = judge(runOf([88, 81, 82]).figures, null);
  expect(aim).toMatchObject({ value: 1, aim: '≤ 1.1', reached: true });
  expect(others).toEqual([]);
  expect(judge(runOf([160, 160, 160]).figures, null)[0]?.reached).toBe(false);
});

test('a busy machine is told by its rounds, and by what others took', () => {
  expect(busyReasons(runOf([80, 82, 84]).figures, [0, 0.01, null])).toEqual([]);
  expect(busyReasons(runOf([80, 160, 320]).figures, [0.2, 0.3, 0])).toHaveLength(2);
});
