// npm run bench:flame -- [CASE …]: where the processor time of a request goes, as V8's own sampling profiler sees it.
//
// Cases: get-user (by default), anonymous, stateless, refresh. Each is written as bench/results/CASE.cpuprofile, which
// Chrome's DevTools and speedscope open, and drawn as docs/flame-CASE-light.svg and docs/flame-CASE-dark.svg.
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { boxesOf, drawFlame, ownCosts, tableOf } from './flame-graph.ts';
import { describeMachine, watchOthers } from './machine.ts';
import { asks, asksForUser, checked, type Order } from './measures/measurement.ts';
import { OTHERS } from './report.ts';
import { graphqlRequest, refreshMutation, TYPENAME } from './requests.ts';
import { round } from './statistics.ts';
import { THEMES } from './svg.ts';
import { type Ours, startWorld, type World } from './world.ts';

const REQUESTS = 20_000;
const WARM_UPS = 5;
const WARM_UP_REQUESTS = 4_000;
/** Each refresh needs a login of its own. */
const REFRESHES = 0.25;
const HOT = 'get-user';
const RESULTS = join(import.meta.dirname, 'results');
const DOCS = join(import.meta.dirname, '../docs');

interface Case {
  title: string;
  of(world: World): Ours;
  order(ours: Ours, requests: number): Order | Promise<Order>;
}

const CASES: { [name: string]: Case } = {
  [HOT]: {
    title: 'getUser, stateful on SQLite',
    of: ({ stateful }) => stateful,
    order: ({ tokens }, requests) => asksForUser(requests, tokens),
  },
  anonymous: {
    title: '{ __typename }, anonymous',
    of: ({ stateful }) => stateful,
    order: (_, requests) => asks(requests, [graphqlRequest(TYPENAME)], '{"data":{"__typename":"Query"}}'),
  },
  stateless: {
    title: 'getUser, stateless',
    of: ({ stateless }) => stateless,
    order: ({ tokens }, requests) => asksForUser(requests, tokens),
  },
  refresh: {
    title: 'refreshTokens, stateful on SQLite',
    of: ({ stateful }) => stateful,
    async order({ people }, requests) {
      const all = await people.logIn(requests * REFRESHES);
      return asks(
        all.length,
        all.map((tokens) => graphqlRequest(refreshMutation(tokens))),
        '"sessionId":"',
      );
    },
  },
};

const named = process.argv.slice(2);
const wanted = (named.length > 0 ? named : [HOT]).map((name) => ({ name, ...caseOf(name) }));
const { world, end } = await startWorld({ whole: false });
try {
  mkdirSync(RESULTS, { recursive: true });
  for (const each of wanted) report(each, await profiled(each));
} finally {
  await end();
}

function caseOf(name: string): Case {
  const found = CASES[name];
  if (!found) throw new Error(`${name} is none of ${Object.keys(CASES).join(', ')}`);
  return found;
}

async function profiled({
  title,
  of,
  order,
}: Case): Promise<{ profile: Profiler.Profile; requests: number }> {
  const ours = of(world);
  const { server } = ours;
  const run = async (each: Order) =>
    checked(title, await world.load.run({ ...each, ports: [server.port] })).requests;
  // Made before the first is sent: after a pause, requests cost more for a while.
  const warmUps: Order[] = [];
  for (let n = 0; n < WARM_UPS; n++) warmUps.push(await order(ours, WARM_UP_REQUESTS));
  const measured = await order(ours, REQUESTS);
  for (const each of warmUps) await run(each);
  await server.ask('profile');
  const share = watchOthers();
  const requests = await run(measured);
  const others = share() ?? 0;
  const profile = await server.ask<Profiler.Profile>('profiled');
  // The profiler goes by the clock: whatever the server has to wait for a processor is in it.
  if (others > OTHERS)
    console.log(
      `THE MACHINE WAS BUSY, REPEAT THE RUN: other processes took ${Math.round(100 * others)} % of it.`,
    );
  return { profile, requests };
}

function report(
  { name, title }: { name: string; title: string },
  { profile, requests }: { profile: Profiler.Profile; requests: number },
): void {
  const root = boxesOf(profile, requests);
  const table = tableOf(name, root, requests);
  const written = [
    write(join(RESULTS, `${name}.cpuprofile`), JSON.stringify(profile)),
    // The page shows the hot one, whatever else was looked at.
    write(
      join(RESULTS, name === HOT ? 'flame.json' : `flame-${name}.json`),
      `${JSON.stringify(table, null, 2)}\n`,
    ),
    ...THEMES.map((theme) => {
      const words = {
        title: `${title}: ${round(table.total, 1)} µs a request`,
        source: sourceOf(requests),
      };
      return write(join(DOCS, `flame-${name}-${theme}.svg`), drawFlame(root, words, theme));
    }),
  ];
  console.log(`${title}: ${round(table.total, 1)} µs a request, of ${requests}.`);
  console.table(
    table.parts.map((part) => ({
      part: part.name,
      µs: round(part.microseconds),
      '%': round((100 * part.microseconds) / table.total, 1),
    })),
  );
  console.log('The largest by themselves:');
  console.table(
    ownCosts(root)
      .slice(0, 10)
      .map(({ microseconds, ...each }) => ({ ...each, µs: round(microseconds) })),
  );
  console.log(`Written: ${written.join(', ')}.`);
}

function sourceOf(requests: number): string {
  const { processor, cores, node } = describeMachine();
  return `${processor}, ${cores} cores, Node ${node}, ${new Date().toISOString().slice(0, 10)}: ${requests.toLocaleString('en')} requests, sampled by V8's profiler, which makes them dearer`;
}

function write(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}
