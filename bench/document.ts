// npm run bench:document [FILE …]: writes the figures of a result into docs/performance.md, and its picture beside it. Of
// several runs of one commit, the aims tell what each has found, and the last stands for the rest.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlameTable } from './flame-graph.ts';
import { drawAll } from './picture.ts';
import { type Metric, type Result, samplesOf } from './result.ts';
import { ratios, round, spreadOf } from './statistics.ts';

const DOCS = join(import.meta.dirname, '../docs');
const PAGE = join(DOCS, 'performance.md');
const FLAME = join(import.meta.dirname, 'results/flame.json');
/** The page without its figures. */
const TEXT = join(import.meta.dirname, 'performance.template.md');

/** Each stands in the text between `<!-- figures: NAME -->` and `<!-- end -->`. */
const PARTS: { [name: string]: (result: Result, runs: readonly Result[]) => string } = {
  machine: ({ machine, rounds, minutes, date }) => {
    const others = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
    return `${machine.processor}, ${machine.cores} cores, ${machine.memory} GB, Node ${machine.node}, ${date.slice(0, 10)}, commit ${machine.commit}; ${rounds} rounds in ${Math.round(minutes)} minutes. ${others.join(', ')}.`;
  },

  requests: (result) =>
    table(
      ['request', 'CPU µs', 'half of the rounds', '÷ tuned Yoga', 'a second'],
      REQUESTS.flatMap(([id, name]) => {
        const cpu = samplesOf(result.figures, id, 'cpu');
        if (cpu.length === 0) return [];
        const { low, high } = spreadOf(cpu);
        const factor = spreadOf(ratios(cpu, samplesOf(result.figures, 'yoga', 'cpu'))).median;
        return [
          [
            name,
            middle(result, id, 'cpu'),
            `${shown(low)}–${shown(high)}`,
            shown(factor),
            middle(result, id, 'rate'),
          ],
        ];
      }),
    ),

  aims: (_last, runs) => {
    const names = new Set(runs.flatMap(({ aims }) => aims.map(({ name }) => name)));
    return table(
      ['figure', ...runs.map((_, n) => `run ${n + 1}`), 'aim', 'reached'],
      [...names].map((name) => {
        const found = runs.map(({ aims }) => aims.find((aim) => aim.name === name));
        const measured = found.filter((aim) => aim).length;
        const reached = found.filter((aim) => aim?.reached).length;
        return [
          name.replaceAll(/(import\('[^']*'\)|getUser|refreshTokens)/g, '`$1`'),
          ...found.map((aim) => (aim ? shown(aim.value) : '')),
          found.find((aim) => aim)?.aim ?? '',
          reached === measured ? 'yes' : `**${reached} of ${measured}**`,
        ];
      }),
    );
  },

  stores: (result) =>
    table(
      ['sessions in', 'CPU µs anonymous', '`getUser`', '÷ anonymous', 'queries a request'],
      STORES.flatMap(([id, anonymous, name]) => {
        const cpu = samplesOf(result.figures, id, 'cpu');
        if (cpu.length === 0) return [];
        const factor = spreadOf(ratios(cpu, samplesOf(result.figures, anonymous, 'cpu'))).median;
        const queries = samplesOf(result.figures, id, 'queries');
        return [
          [
            ...[name, middle(result, anonymous, 'cpu'), middle(result, id, 'cpu'), shown(factor)],
            queries.length > 0 ? shown(spreadOf(queries).median) : '',
          ],
        ];
      }),
    ),

  options: (result) =>
    table(
      ['option', 'request', 'CPU µs without', 'with', 'more'],
      OPTIONS.map(([id, without, name, request]) => {
        const [all, base] = [id, without].map((each) => samplesOf(result.figures, each, 'cpu'));
        const more = spreadOf((all ?? []).map((value, n) => value - (base?.[n] ?? Number.NaN)));
        const difference = `${shown(more.median)} (${shown(more.low)} to ${shown(more.high)})`;
        return [name, request, middle(result, without, 'cpu'), middle(result, id, 'cpu'), difference];
      }),
    ),

  /** For 10,000 requests a second, of which some are refreshes and logins. */
  cores: ({ figures }) => {
    const cost = (id: string): number => Math.round(spreadOf(samplesOf(figures, id, 'cpu')).median);
    const rows: [name: string, perSecond: number, micros: number][] = [
      ['`getUser`, stateful on SQLite', 10_000, cost('get-user')],
      ['`refreshTokens`, of 100,000 sessions each 15 minutes', Math.round(100_000 / 900), cost('refresh')],
      ['logins, one for each thousand requests', 10, cost('login')],
    ];
    const cores = rows.map(([, perSecond, micros]) => (perSecond * micros) / 1e6);
    const sum = cores.reduce((all, each) => all + each, 0);
    const lines = rows.map(([name, perSecond, micros], n) => [
      ...[name, perSecond.toLocaleString('en'), `${micros.toLocaleString('en')} µs`],
      `${(cores[n] ?? 0).toFixed(2)} cores`,
    ]);
    const size = `${sum.toFixed(2)} cores are busy. A process that is busy for more than 60 % of the time lets requests wait, so take ${sum.toFixed(2)} ÷ 0.6 = ${(sum / 0.6).toFixed(1)}, which is ${Math.ceil(sum / 0.6)} cores with a process each.`;
    return `${table(['10,000 requests a second', 'a second', 'CPU each', 'together'], lines)}\n\n${size}`;
  },

  processes: (result) => {
    const factor = (metric: Metric): number => {
      const [two, one] = ['two', 'one'].map((id) => samplesOf(result.figures, id, metric));
      return spreadOf(ratios(two ?? [], one ?? [])).median;
    };
    const rows = [
      ['one process', middle(result, 'one', 'rate'), middle(result, 'one', 'cpu')],
      ['two processes on one file', middle(result, 'two', 'rate'), middle(result, 'two', 'cpu')],
      ['two ÷ one', shown(factor('rate')), shown(factor('cpu'))],
    ];
    return table(['`getUser`, stateful on SQLite', 'requests a second', 'CPU µs a request'], rows);
  },

  memory: ({ memory }) =>
    memory
      ? `A verified token takes ${memory.bytesPerSession} bytes, and 10,000 of them are kept at most. While ${memory.tokens.toLocaleString('en')} different tokens come by, the heap after collection is ${memory.heapsMB.join(', ')} MB after each tenth.`
      : 'Not measured.',

  flame: () => {
    if (!existsSync(FLAME)) throw new Error('run npm run bench:flame first');
    const { parts, total }: FlameTable = JSON.parse(readFileSync(FLAME, 'utf8'));
    return table(
      ['where a `getUser` spends its time', 'µs', '%'],
      parts.map(({ name, microseconds }) => [
        ...[name, shown(round(microseconds, 1))],
        String(Math.round((100 * microseconds) / total)),
      ]),
    );
  },

  configuration: ({ configuration }) => table(['server', 'how it is set up'], Object.entries(configuration)),
};

const REQUESTS: [id: string, name: string][] = [
  ['floor', '`node:http` + graphql-js, `{ __typename }`'],
  ['yoga', 'Yoga without accounts, tuned, `{ __typename }`'],
  ['anonymous', '**ours**, anonymous, `{ __typename }`'],
  ['get-user', '**ours**, `getUser`, stateful'],
  ['stateless', '**ours**, `getUser`, stateless'],
  ['on-yoga-anonymous', '**ours**, `useAccounts` on that Yoga, `{ __typename }`'],
  ['on-yoga', '**ours**, `useAccounts` on that Yoga, `getUser`'],
  ['refresh', '**ours**, `refreshTokens`'],
  ['login', '**ours**, login (argon2id)'],
  ['accounts-js-anonymous', 'accounts-js, anonymous, `{ __typename }`'],
  ['accounts-js', 'accounts-js, `getUser`'],
  ['accounts-js-refresh', 'accounts-js, `refreshTokens`'],
  ['accounts-js-login', 'accounts-js, login (bcrypt)'],
  ['better-auth', 'better-auth, `get-session`'],
  ['better-auth-cached', 'better-auth, `get-session` from its cookie cache'],
  ['better-auth-login', 'better-auth, login (scrypt)'],
];

const STORES: [id: string, anonymous: string, name: string][] = [
  ['stateless', 'stateless-anonymous', 'no store (stateless; `getUser` reads the user from SQLite)'],
  ['get-user', 'anonymous', 'SQLite'],
  ['redis', 'redis-anonymous', 'Redis, users in SQLite'],
  ['postgres', 'postgres-anonymous', 'PostgreSQL'],
  ['mongo', 'mongo-anonymous', 'MongoDB'],
];

const OPTIONS: [id: string, without: string, name: string, request: string][] = [
  ['option-load-user', 'option-stateless', '`loadUser`, stateless', '`{ __typename }` with a token'],
  ['option-jwt', 'option-none-refresh', '`createJwtPayload`, async, two claims', '`refreshTokens`'],
  ['option-events', 'option-none', 'a listener of `ResumeSessionSuccess`', '`getUser`'],
  ['option-tracer', 'option-none', '`tracer` of OpenTelemetry, spans exported to nowhere', '`getUser`'],
];

function middle({ figures }: Result, id: string, metric: Metric): string {
  return shown(spreadOf(samplesOf(figures, id, metric)).median);
}

function shown(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return String(round(value, Math.abs(value) >= 20 ? 0 : 2));
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const files =
  process.argv.length > 2 ? process.argv.slice(2) : [join(import.meta.dirname, 'results/latest.json')];
const runs = files.map((file): Result => JSON.parse(readFileSync(file, 'utf8')));
const last = runs.at(-1);
if (!last) throw new Error('there is no result');
const text = `<!-- Written by npm run bench:document from bench/performance.template.md. -->\n\n${readFileSync(TEXT, 'utf8')}`;
const page = text.replaceAll(
  /(<!-- figures: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
  (_, start: string, name: string, end: string) => {
    const write = PARTS[name];
    if (!write) throw new Error(`docs/performance.md wants ${name}, which is no part of a result`);
    return `${start}\n${write(last, runs)}\n${end}`;
  },
);
writeFileSync(PAGE, page);
console.log([PAGE, ...drawAll(last, DOCS)].join('\n'));
