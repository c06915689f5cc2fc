// npm run bench: what accounts cost on each request, in processor time of the server's own process.
//
// Servers, peers and load are separate processes. Everything is measured in turn, round by round, every second round in
// the opposite order, so that a machine that gets slower meanwhile slows all alike: quote the ratios, which are made
// round by round.
//
//   BENCH_ROUNDS=7      rounds that count; one before them warms up
//   BENCH_JSON=FILE     where the result goes: bench/results/latest.json
//   BENCH_ONLY=…        a regular expression: measures only what has a figure of such a name
//   BENCH_TOKENS=…      different tokens that the memory is looked at after: 1000000
//   BENCH_SMOKE=1       or --smoke: seconds instead of minutes; counts are checked and times are not
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { judge } from './aims.ts';
import { measurements } from './figures.ts';
import { buildPackage } from './import-cost.ts';
import { describeMachine, watchOthers } from './machine.ts';
import type { Measurement, Size } from './measures/measurement.ts';
import { drawAll } from './picture.ts';
import { busyReasons, print } from './report.ts';
import type { FigureResult, MemoryResult, Metric, Result } from './result.ts';
import { smoke } from './smoke.ts';
import { CONFIGURATION, startWorld } from './world.ts';

const SMOKE = process.env.BENCH_SMOKE === '1' || process.argv.includes('--smoke');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? (SMOKE ? 1 : 7));
const TOKENS = Number(process.env.BENCH_TOKENS ?? (SMOKE ? 20_000 : 1_000_000));
const ONLY = new RegExp(process.env.BENCH_ONLY ?? '');
const SIZE: Size = SMOKE
  ? { requests: 200, refreshes: 100, logins: 8, seconds: 0.3, resolutions: 500 }
  : { requests: 4_000, refreshes: 4_000, logins: 80, seconds: 1.5, resolutions: 10_000 };
const FILE =
  process.env.BENCH_JSON ?? join(import.meta.dirname, 'results', SMOKE ? 'smoke.json' : 'latest.json');

const started = Date.now();
buildPackage();
const { world, end } = await startWorld({ whole: !SMOKE });
try {
  const { figures, others } = await rounds(
    measurements(world, SIZE).filter((each) => Object.keys(each.figures).some((id) => ONLY.test(id))),
  );
  const memory = await world.inProcess.ask<MemoryResult>('memory', { count: TOKENS });
  if (SMOKE) await smoke(world);
  report(figures, memory, others);
} finally {
  await end();
}

async function rounds(
  all: readonly Measurement[],
): Promise<{ figures: FigureResult[]; others: (number | null)[] }> {
  const figures = new Map<string, FigureResult>();
  for (const [id, name] of all.flatMap((each) => Object.entries(each.figures)))
    figures.set(id, { id, name, samples: {} });
  const others: (number | null)[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const share = watchOthers();
    for (const { measure, warmUps = 1 } of round % 2 === 0 ? all : all.toReversed()) {
      if (round === 0 && !SMOKE) for (let n = 1; n < warmUps; n++) await measure(round);
      const found = await measure(round);
      // Round 0 warms up and is not counted.
      if (round === 0) continue;
      for (const [id, sample] of Object.entries(found))
        for (const [metric, value] of Object.entries(sample)) {
          const samples = figures.get(id)?.samples ?? {};
          samples[metric as Metric] = [...(samples[metric as Metric] ?? []), value];
        }
    }
    if (round > 0) others.push(share());
    console.log(round === 0 ? 'Warmed up.' : `Round ${round} of ${ROUNDS}.`);
  }
  return { figures: [...figures.values()], others };
}

function report(figures: FigureResult[], memory: MemoryResult, others: (number | null)[]): void {
  const result: Result = {
    date: new Date().toISOString(),
    minutes: (Date.now() - started) / 60_000,
    rounds: ROUNDS,
    machine: describeMachine(),
    configuration: CONFIGURATION,
    figures,
    // One short round is no measurement.
    aims: SMOKE ? [] : judge(figures, memory),
    memory,
    others,
    busy: SMOKE ? [] : busyReasons(figures, others),
  };
  if (!SMOKE) print(result);
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\nWritten to ${FILE}.`);
  if (!SMOKE) console.log(`Drawn: ${drawAll(result, dirname(FILE)).join(', ')}.`);
}
