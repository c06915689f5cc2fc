// The picture of a run, in both colours that a page may have.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Metric, type Result, samplesOf } from './result.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { escaped, FONT, INK, THEMES, type Theme } from './svg.ts';

const COLOURS = {
  light: { ...INK.light, ours: '#0969da', theirs: '#afb8c1' },
  dark: { ...INK.dark, ours: '#4493f8', theirs: '#656c76' },
};

type Colours = (typeof COLOURS)[Theme];

interface Bar {
  id: string;
  label: string;
}

interface Chart {
  title: string;
  metric: Metric;
  unit: string;
  bars: Bar[];
}

const CHARTS: Chart[] = [
  {
    title: 'An anonymous request: CPU µs',
    metric: 'cpu',
    unit: 'µs',
    bars: [
      { id: 'floor', label: 'node:http + graphql-js' },
      { id: 'yoga', label: 'Yoga, tuned, without accounts' },
      { id: 'anonymous', label: 'graphql-accounts' },
      { id: 'on-yoga-anonymous', label: 'graphql-accounts on that Yoga' },
      { id: 'accounts-js-anonymous', label: 'accounts-js on the same Yoga' },
    ],
  },
  {
    title: 'A request of somebody who is logged in: CPU µs',
    metric: 'cpu',
    unit: 'µs',
    bars: [
      { id: 'stateless', label: 'graphql-accounts, stateless' },
      { id: 'get-user', label: 'graphql-accounts, SQLite' },
      { id: 'on-yoga', label: 'graphql-accounts on Yoga, SQLite' },
      { id: 'redis', label: 'graphql-accounts, Redis' },
      { id: 'postgres', label: 'graphql-accounts, PostgreSQL' },
      { id: 'mongo', label: 'graphql-accounts, MongoDB' },
      { id: 'accounts-js', label: 'accounts-js, in memory' },
      { id: 'better-auth-cached', label: 'better-auth, cookie cache' },
      { id: 'better-auth', label: 'better-auth, SQLite' },
    ],
  },
  {
    title: 'Refreshing tokens: CPU µs',
    metric: 'cpu',
    unit: 'µs',
    bars: [
      { id: 'refresh', label: 'graphql-accounts, SQLite' },
      { id: 'accounts-js-refresh', label: 'accounts-js, in memory' },
    ],
  },
  {
    title: 'Logins a second, 20 in flight (more is better)',
    metric: 'rate',
    unit: '',
    bars: [
      { id: 'login', label: 'graphql-accounts, argon2id' },
      { id: 'accounts-js-login', label: 'accounts-js, bcrypt' },
      { id: 'better-auth-login', label: 'better-auth, scrypt' },
    ],
  },
];

const WIDTH = 760;
const LABELS = 230;
const NUMBERS = 70;
const ROW = 24;
const BAR = 14;
const GAP = 22;

/** Writes performance-light.svg and performance-dark.svg; where they are. */
export function drawAll(result: Result, folder: string): string[] {
  return THEMES.map((theme) => {
    const file = join(folder, `performance-${theme}.svg`);
    writeFileSync(file, draw(result, COLOURS[theme]));
    return file;
  });
}

function draw(result: Result, colours: Colours): string {
  const parts: string[] = [];
  let y = GAP;
  for (const chart of CHARTS) {
    const bars = chart.bars.flatMap((bar) => {
      const samples = samplesOf(result.figures, bar.id, chart.metric);
      return samples.length > 0 ? [{ ...bar, spread: spreadOf(samples) }] : [];
    });
    if (bars.length === 0) continue;
    parts.push(text(0, y, chart.title, colours.text, 'font-weight="600"'));
    y += 10;
    const most = Math.max(...bars.map(({ spread }) => spread.high));
    for (const bar of bars) {
      parts.push(drawBar(bar.label, bar.spread, { y, most, unit: chart.unit, colours }));
      y += ROW;
    }
    y += GAP;
  }
  const { machine, rounds, date } = result;
  const source = `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, ${date.slice(0, 10)}: medians of ${rounds} rounds; the lines span half of them`;
  parts.push(text(0, y, source, colours.muted, 'font-size="12"'));
  const alternative =
    'What requests cost with graphql-accounts and with its peers; the tables below hold the figures';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 10}" width="${WIDTH}" height="${y + 10}" font-family="${FONT}" font-size="14" role="img" aria-label="${alternative}">\n${parts.join('\n')}\n</svg>\n`;
}

function drawBar(
  label: string,
  { median, low, high }: Spread,
  { y, most, unit, colours }: { y: number; most: number; unit: string; colours: Colours },
): string {
  const scale = (WIDTH - LABELS - NUMBERS) / most;
  const x = (value: number): string => (LABELS + value * scale).toFixed(1);
  const middle = y + ROW / 2;
  const fill = label.startsWith('graphql-accounts') ? colours.ours : colours.theirs;
  const number = `${median < 20 ? median.toFixed(1) : Math.round(median)} ${unit}`.trim();
  return [
    text(LABELS - 10, middle + 5, label, colours.text, 'text-anchor="end"'),
    `<rect x="${LABELS}" y="${middle - BAR / 2}" width="${(median * scale).toFixed(1)}" height="${BAR}" rx="2" fill="${fill}"/>`,
    `<path d="M${x(low)} ${middle}H${x(high)}" stroke="${colours.text}" stroke-width="1.5"/>`,
    text(Number(x(Math.max(median, high))) + 8, middle + 5, number, colours.muted),
  ].join('\n');
}

function text(x: number, y: number, content: string, fill: string, more = ''): string {
  return `<text x="${x}" y="${y}" fill="${fill}" ${more}>${escaped(content)}</text>`;
}
