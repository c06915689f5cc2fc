// npm run bench:compare A.json B.json: what got slower from A to B, beyond what the rounds of each differ by themselves.
//
// Requests are compared as multiples of the floor of the same round: what the machine was like meanwhile is in both.
// Ends with 1 when something got slower.
import { readFileSync } from 'node:fs';
import { type FigureResult, type Metric, type Result, samplesOf } from './result.ts';
import { ratios, round, spreadOf } from './statistics.ts';

/** Less than this is no difference, however close the rounds lie together. */
const LEAST = 1.05;

/** Less of each is better; `by` is what it is divided by. */
const COMPARED: { metric: Metric; unit: string; by?: string }[] = [
  { metric: 'cpu', unit: '× floor', by: 'floor' },
  { metric: 'p99', unit: 'ms' },
  { metric: 'queries', unit: 'queries' },
  { metric: 'milliseconds', unit: '× graphql + jsonwebtoken', by: 'import-needed' },
];

export interface Difference {
  figure: string;
  before: number;
  after: number;
  unit: string;
  /** After, of before. */
  factor: number;
  verdict: 'slower' | 'faster' | 'same';
}

export function compare(before: Result, after: Result): Difference[] {
  return after.figures.flatMap((figure) =>
    COMPARED.flatMap(({ metric, unit, by }): Difference[] => {
      const [was, is] = [before, after].map(({ figures }) => valuesOf(figures, figure.id, metric, by));
      if (!was || !is || was.length === 0 || is.length === 0) return [];
      const [a, b] = [spreadOf(was), spreadOf(is)];
      const factor = b.median / a.median;
      const slower = b.low > a.high && factor > LEAST;
      const faster = b.high < a.low && factor < 1 / LEAST;
      const verdict = slower ? 'slower' : faster ? 'faster' : 'same';
      return [{ figure: figure.name, before: a.median, after: b.median, unit, factor, verdict }];
    }),
  );
}

function valuesOf(figures: readonly FigureResult[], id: string, metric: Metric, by?: string): number[] {
  const values = samplesOf(figures, id, metric);
  return by === undefined ? values : ratios(values, samplesOf(figures, by, metric));
}

if (process.argv[1] === import.meta.filename) {
  const [before, after] = process.argv
    .slice(2, 4)
    .map((file): Result => JSON.parse(readFileSync(file, 'utf8')));
  if (!before || !after) throw new Error('usage: npm run bench:compare A.json B.json');
  const differences = compare(before, after);
  console.table(
    differences.map((difference) => ({
      ...difference,
      before: round(difference.before, 3),
      after: round(difference.after, 3),
      factor: round(difference.factor),
    })),
  );
  for (const [name, { busy }] of Object.entries({ before, after }))
    if (busy.length > 0) console.log(`The machine was busy ${name}: ${busy.join('; ')}.`);
  const slower = differences.filter(({ verdict }) => verdict === 'slower');
  console.log(
    slower.length === 0
      ? 'Nothing got slower.'
      : `Slower: ${slower.map(({ figure, factor }) => `${figure} (${round(factor)})`).join(', ')}.`,
  );
  if (slower.length > 0) process.exitCode = 1;
}
