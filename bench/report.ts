import type { AimResult, FigureResult, Result } from './result.ts';
import { round, spreadOf } from './statistics.ts';

/** Above this share of the machine, others were at work. */
export const OTHERS = 0.05;
/** Above this width of the middle half of its rounds, a figure tells little. */
const WIDTH = 0.3;
/** Of so many figures one is wide by chance. */
const WIDE_FIGURES = 0.2;

/** Why a run should be repeated. */
export function busyReasons(figures: readonly FigureResult[], others: readonly (number | null)[]): string[] {
  const known = others.filter((share) => share !== null);
  const rounds = known.filter((share) => share > OTHERS).length;
  const costs = figures.filter(({ samples }) => samples.cpu);
  const wide = costs.filter(({ samples }) => {
    const { median, low, high } = spreadOf(samples.cpu ?? []);
    return (high - low) / median > WIDTH;
  });
  return [
    ...(rounds > known.length / 3
      ? [
          `in ${rounds} of ${known.length} rounds other processes took more than ${100 * OTHERS} % of the machine`,
        ]
      : []),
    ...(wide.length > WIDE_FIGURES * costs.length
      ? [`the rounds of ${wide.length} of ${costs.length} figures lie further apart than ${100 * WIDTH} %`]
      : []),
  ];
}

export function print(result: Result): void {
  const { figures, aims, memory, machine, minutes, busy } = result;
  const yoga = spreadOf(figures.find(({ id }) => id === 'yoga')?.samples.cpu ?? []).median;
  console.table(
    figures.map(({ name, samples }) => {
      const { cpu, rate, p99, queries, milliseconds } = samples;
      return {
        figure: name,
        'CPU µs': cpu ? shown(cpu) : '',
        spread: cpu ? spread(cpu) : '',
        '÷ Yoga': cpu ? round(spreadOf(cpu).median / yoga) : '',
        'per second': rate ? Math.round(spreadOf(rate).median) : '',
        'p99 ms': p99 ? round(spreadOf(p99).median, 1) : '',
        queries: queries ? round(spreadOf(queries).median, 3) : '',
        'CPU ms': milliseconds ? round(spreadOf(milliseconds).median, 1) : '',
      };
    }),
  );
  console.table(aims.map(row));
  if (memory) {
    console.log(
      `A verified token takes ${memory.bytesPerSession} bytes, 10,000 at most. Heap, after each tenth of ${memory.tokens} different tokens: ${memory.heapsMB.join(', ')} MB.`,
    );
  }
  console.log(
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}; ${minutes.toFixed(1)} minutes.`,
  );
  for (const reason of busy) console.log(`THE MACHINE WAS BUSY, REPEAT THE RUN: ${reason}.`);
}

function row({ name, value, low, high, aim, reached }: AimResult) {
  return {
    aim: name,
    value: round(value),
    spread: `${round(low)}–${round(high)}`,
    wanted: aim,
    reached: reached ? 'yes' : 'NO',
  };
}

function shown(values: readonly number[]): number {
  const { median } = spreadOf(values);
  return round(median, median < 20 ? 1 : 0);
}

function spread(values: readonly number[]): string {
  const { low, high } = spreadOf(values);
  const digits = low < 20 ? 1 : 0;
  return `${round(low, digits)}–${round(high, digits)}`;
}
