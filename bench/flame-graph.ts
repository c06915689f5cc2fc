// A profile of V8 as a flame graph, and as a table of what each part of a request costs.
import type { Profiler } from 'node:inspector';
import { escaped, FONT, INK, type Theme } from './svg.ts';

/** What a request costs, in microseconds of processor time. */
export interface FlameTable {
  case: string;
  requests: number;
  total: number;
  parts: { name: string; microseconds: number }[];
}

/** A function, called from where its parent says. All times are microseconds of a request. */
export interface Box {
  name: string;
  /** `src/core/batch.ts:11`, `graphql/execution/execute.mjs:40`, `node:net:90`; empty for what is no script. */
  place: string;
  part: PartName;
  own: number;
  total: number;
  children: Box[];
}

export type PartName = (typeof PARTS)[number]['name'];

type Frame = Pick<Box, 'name' | 'place'>;

interface Part {
  name: string;
  owns(frame: Frame, caller: Frame): boolean;
  light: string;
  dark: string;
}

const at = (pattern: RegExp) => (frame: Frame) => pattern.test(frame.place);

const PARTS = [
  {
    name: 'HTTP of Node (parser, sockets)',
    owns: at(/^node:(internal\/)?(_?http|net|_?stream|events)/),
    ...{ light: '#d1d9e0', dark: '#3d444d' },
  },
  { name: 'graphql-js', owns: at(/^graphql\//), light: '#ffc0e3', dark: '#7d3063' },
  { name: 'ours: endpoint (src/cli)', owns: at(/^src\/cli\//), light: '#a8e4ee', dark: '#0e5766' },
  {
    name: 'ours: context and resolvers (src/graphql)',
    owns: at(/^src\/graphql\//),
    ...{ light: '#a9d3ff', dark: '#134f9c' },
  },
  {
    name: 'ours: core (tokens, sessions)',
    owns: at(/^src\/(?!cli\/|graphql\/|database\/)/),
    ...{ light: '#b9bffc', dark: '#4340a8' },
  },
  { name: 'ours: database', owns: at(/^src\/database\//), light: '#b4e6bd', dark: '#1d5c2e' },
  {
    name: 'SQLite itself',
    owns: ({ name, place }, caller) =>
      place === '' && /^(run|all|get|exec|prepare)$/.test(name) && isSqlite(caller),
    ...{ light: '#ffcb94', dark: '#8a4600' },
  },
  { name: 'crypto of Node', owns: at(/^node:(internal\/)?crypto/), light: '#f5e08a', dark: '#665200' },
  {
    name: 'garbage collector',
    owns: ({ name, place }) => place === '' && name === '(garbage collector)',
    ...{ light: '#ffb3ad', dark: '#8e1f24' },
  },
  { name: 'the rest of Node', owns: at(/^node:/), light: '#eaeef2', dark: '#262c36' },
] as const satisfies readonly Part[];

/** Of what nothing else owns, such as the event loop, which V8 calls (program). */
const REST: PartName = 'the rest of Node';

/** The profiler asks itself to start and to end, and a server that waits costs nothing. */
const LEFT_OUT: ((frame: Frame) => boolean)[] = [
  ({ name, place }) => place === '' && name === '(idle)',
  at(/^node:inspector/),
  ({ name, place }) => name === 'post' && place.startsWith('node:internal/util:'),
  ({ name, place }) => /^profiled?$/.test(name) && place.startsWith('bench/children.ts:'),
];

const REPOSITORY = new URL('..', import.meta.url).href;

function isSqlite({ place }: Frame): boolean {
  return place.startsWith('src/database/sqlite/');
}

/** The tree of what was called, from its root. */
export function boxesOf(profile: Profiler.Profile, requests: number): Box {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const own = microsecondsOf(profile);
  const boxOf = (node: Profiler.ProfileNode, caller: Pick<Box, 'name' | 'place' | 'part'>): Box => {
    const frame = frameOf(node.callFrame);
    const part = PARTS.find(({ owns }) => owns(frame, caller))?.name ?? caller.part;
    const children = (node.children ?? [])
      .flatMap((id) => nodes.get(id) ?? [])
      .filter(({ callFrame }) => !LEFT_OUT.some((isLeftOut) => isLeftOut(frameOf(callFrame))))
      .map((child) => boxOf(child, { ...frame, part }))
      .toSorted((a, b) => b.total - a.total || compare(a.name, b.name) || compare(a.place, b.place));
    const self = (own.get(node.id) ?? 0) / requests;
    return { ...frame, part, own: self, total: self + sum(children.map(({ total }) => total)), children };
  };
  const [root] = profile.nodes;
  if (!root) throw new TypeError('a profile without nodes');
  return boxOf(root, { name: '', place: '', part: REST });
}

/** Each sample lasts until the next: the first of the differences is what the profiler took to start. */
function microsecondsOf({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, number> {
  const own = new Map<number, number>();
  // V8 may give samples in another order than it took them, with differences below zero.
  for (const [n, id] of samples.entries())
    own.set(id, (own.get(id) ?? 0) + Math.max(0, timeDeltas[n + 1] ?? 0));
  return own;
}

function frameOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): Frame {
  const name = functionName || '(anonymous)';
  if (url === '') return { name, place: '' };
  const file = url.replace(REPOSITORY, '').replace(/^.*\bnode_modules\//, '');
  return { name, place: `${file}:${lineNumber + 1}` };
}

export function tableOf(name: string, root: Box, requests: number): FlameTable {
  const all = flat(root);
  const parts = PARTS.map((part) => ({
    name: part.name,
    microseconds: sum(all.map((box) => (box.part === part.name ? box.own : 0))),
  }));
  return { case: name, requests, total: root.total, parts };
}

/** What each function costs without what it calls, the largest first. */
export function ownCosts(root: Box): { function: string; place: string; microseconds: number }[] {
  const costs = new Map<string, { function: string; place: string; microseconds: number }>();
  for (const { name, place, own } of flat(root)) {
    const id = `${name} ${place}`;
    costs.set(id, { function: name, place, microseconds: (costs.get(id)?.microseconds ?? 0) + own });
  }
  return [...costs.values()].toSorted(
    (a, b) => b.microseconds - a.microseconds || compare(a.function, b.function) || compare(a.place, b.place),
  );
}

function flat(box: Box): Box[] {
  return [box, ...box.children.flatMap(flat)];
}

const WIDTH = 1_000;
const ROW = 17;
const HEAD = 52;
const LEGEND_ROW = 20;
const LEGEND_COLUMNS = 3;
/** Of the whole: narrower boxes could neither be read nor pointed at. */
const LEAST = 0.003;
const SIZE = 11;
/** Of a letter of a monospaced font. */
const LETTER = 0.605 * SIZE;
const PADDING = 3;
const MONOSPACED = 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';

interface Words {
  title: string;
  /** Where and when it was measured. */
  source: string;
}

/** The root is below, and whoever is called stands on its caller, as wide as its share of the time. */
export function drawFlame(root: Box, { title, source }: Words, theme: Theme): string {
  const { text, muted } = INK[theme];
  const scale = WIDTH / root.total;
  const top = HEAD + Math.ceil(PARTS.length / LEGEND_COLUMNS) * LEGEND_ROW + 8;
  const rows = placed(root, 0, 0, LEAST * root.total);
  const highest = Math.max(...rows.map(({ depth }) => depth));
  const height = top + (highest + 1) * ROW;
  const parts = [
    `<text y="18" fill="${text}" font-size="14" font-weight="600">${escaped(title)}</text>`,
    `<text y="37" fill="${muted}" font-size="12">${escaped(source)}</text>`,
    ...legend(root, theme),
    `<g font-family="${MONOSPACED}" font-size="${SIZE}" fill="${text}">`,
    ...rows.map(({ box, start, depth }) =>
      drawBox(box, {
        ...{ x: start * scale, y: top + (highest - depth) * ROW, width: box.total * scale, theme },
        share: box.total / root.total,
      }),
    ),
    '</g>',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="${FONT}" role="img" aria-label="${escaped(title)}">\n${parts.join('\n')}\n</svg>\n`;
}

interface Placed {
  box: Box;
  /** In microseconds, as boxes are wide. */
  start: number;
  depth: number;
}

function placed(box: Box, start: number, depth: number, least: number): Placed[] {
  if (box.total < least) return [];
  let next = start;
  const children = box.children.flatMap((child) => {
    const all = placed(child, next, depth + 1, least);
    next += child.total;
    return all;
  });
  return [{ box, start, depth }, ...children];
}

function legend(root: Box, theme: Theme): string[] {
  const { text, muted } = INK[theme];
  return tableOf('', root, 1).parts.map(({ name, microseconds }, n) => {
    const x = (n % LEGEND_COLUMNS) * Math.floor(WIDTH / LEGEND_COLUMNS);
    const y = HEAD + Math.floor(n / LEGEND_COLUMNS) * LEGEND_ROW;
    const label = `${escaped(name)} <tspan fill="${muted}">${shown(microseconds)} µs</tspan>`;
    return `<rect x="${x}" y="${y}" width="12" height="12" rx="2" fill="${colourOf(name, theme)}"/><text x="${x + 18}" y="${y + 10}" fill="${text}" font-size="12">${label}</text>`;
  });
}

function drawBox(
  { name, place, part, own, total }: Box,
  { x, y, width, theme, share }: { x: number; y: number; width: number; theme: Theme; share: number },
): string {
  const full = [name, place].filter((word) => word !== '').join(' ');
  const title = `${full}: ${shown(total)} µs a request (${(100 * share).toFixed(1)} %), ${shown(own)} µs of its own`;
  const label = labelOf(name, place, Math.floor((width - 2 * PADDING) / LETTER));
  // Neighbours are told apart by what is left free between them.
  const rect = `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.5, 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colourOf(part, theme)}"/>`;
  const text = label && `<text x="${(x + PADDING).toFixed(1)}" y="${y + 12}">${escaped(label)}</text>`;
  return `<g><title>${escaped(title)}</title>${rect}${text}</g>`;
}

/** What of it has room for so many letters; below three, nothing. */
function labelOf(name: string, place: string, letters: number): string {
  const file = place.slice(place.lastIndexOf('/') + 1);
  // What has no name is known by its file.
  const short = name === '(anonymous)' && file !== '' ? file : name;
  const long = short === file || file === '' ? short : `${short} ${file}`;
  if (long.length <= letters) return long;
  if (short.length <= letters) return short;
  return letters < 3 ? '' : `${short.slice(0, letters - 1)}…`;
}

function colourOf(name: string, theme: Theme): string {
  return PARTS.find((part) => part.name === name)?.[theme] ?? INK[theme].muted;
}

function shown(microseconds: number): string {
  return microseconds.toFixed(microseconds < 10 ? 2 : 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

/** The same on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
