import type { Profiler } from 'node:inspector';
import { expect, test } from 'vitest';
import { boxesOf, drawFlame, ownCosts, tableOf } from '../../bench/flame-graph.ts';

const OURS = new URL('../../', import.meta.url).href;

type Calls = [name: string, url: string, micros: number, ...calls: Calls[]];

/** A profile in which each function ran for so long by itself: one sample each. */
function profileOf(...calls: Calls[]): Profiler.Profile {
  const nodes: Profiler.ProfileNode[] = [];
  const samples: number[] = [];
  // What the profiler took to start is nobody's.
  const timeDeltas = [1_000_000];
  const add = ([functionName, url, micros, ...called]: Calls): number => {
    const id = nodes.length + 1;
    const node: Profiler.ProfileNode = {
      ...{ id, hitCount: 1 },
      callFrame: { functionName, url, scriptId: '0', lineNumber: 9, columnNumber: 0 },
    };
    nodes.push(node);
    samples.push(id);
    timeDeltas.push(micros);
    node.children = called.map(add);
    return id;
  };
  add(['(root)', '', 0, ...calls]);
  return { nodes, startTime: 0, endTime: 0, samples, timeDeltas };
}

const drawn = (profile: Profiler.Profile, requests = 1): string =>
  drawFlame(boxesOf(profile, requests), { title: 'a < b', source: '"here" & now' }, 'light');

/** The widths of boxes by the beginnings of their titles. */
function widths(svg: string): { [name: string]: number } {
  const boxes = svg.matchAll(/<title>(.*?): .*?<\/title><rect [^>]*width="([\d.]+)"/g);
  return Object.fromEntries([...boxes].map(([, name = '', width]) => [name, Number(width)]));
}

/** What each part costs, without those that cost nothing. */
function parts(profile: Profiler.Profile, requests = 1): { [name: string]: number } {
  const table = tableOf('get-user', boxesOf(profile, requests), requests);
  return Object.fromEntries(
    table.parts.flatMap(({ name, microseconds }) => (microseconds > 0 ? [[name, microseconds]] : [])),
  );
}

test('a box is as wide as its share of the time, and stands on its caller', () => {
  const svg = drawn(
    profileOf(
      ['endpoint', `${OURS}src/cli/graphql/endpoint.ts`, 10, ['turn', `${OURS}src/core/batch.ts`, 30]],
      ['emit', 'node:events', 60],
    ),
  );
  expect(widths(svg)).toEqual({
    '(root)': 999.5,
    'endpoint src/cli/graphql/endpoint.ts:10': 399.5,
    'turn src/core/batch.ts:10': 299.5,
    'emit node:events:10': 599.5,
  });
  const [, x, y] = /turn src.*?<rect x="([\d.]+)" y="(\d+)"/.exec(svg) ?? [];
  const [, callerX, callerY] = /endpoint src.*?<rect x="([\d.]+)" y="(\d+)"/.exec(svg) ?? [];
  expect(x).toBe(callerX);
  expect(Number(y)).toBeLessThan(Number(callerY));
});

test('what is too narrow to be pointed at is left out, and takes its room', () => {
  const profile = profileOf(['long', 'node:net', 998], ['short', 'node:net', 2]);
  expect(widths(drawn(profile))).toEqual({ '(root)': 999.5, 'long node:net:10': 997.5 });
});

test('times are those of one request', () => {
  const profile = profileOf(['emit', 'node:events', 60], ['(garbage collector)', '', 40]);
  expect(boxesOf(profile, 10).total).toBe(10);
  expect(drawn(profile, 10)).toContain('emit node:events:10: 6.00 µs a request (60.0 %), 6.00 µs of its own');
  expect(tableOf('get-user', boxesOf(profile, 10), 10)).toMatchObject({
    ...{ case: 'get-user', requests: 10, total: 10 },
  });
});

test('names are text and nothing else', () => {
  const svg = drawn(profileOf(['<script>"&"', 'node:net', 1]));
  expect(svg).toContain('<title>&lt;script&gt;&quot;&amp;&quot; node:net:10: ');
  expect(svg).toContain('aria-label="a &lt; b"');
  expect(svg).not.toContain('<script');
});

test('paths are those of the repository and of its packages', () => {
  const profile = profileOf(
    ['flush', `${OURS}src/core/batch.ts`, 1],
    ['execute', `${OURS}node_modules/graphql/execution/execute.mjs`, 1],
    ['', `${OURS}src/core/sessions.ts`, 1],
  );
  expect(ownCosts(boxesOf(profile, 1)).map(({ place }) => place)).toEqual([
    'src/core/sessions.ts:10',
    'graphql/execution/execute.mjs:10',
    'src/core/batch.ts:10',
    '',
  ]);
  expect(drawn(profile)).toContain('>sessions.ts:10</text>');
});

test('each function belongs to a part', () => {
  const ours = (folder: string, micros: number): Calls => ['f', `${OURS}src/${folder}/f.ts`, micros];
  expect(
    parts(
      profileOf(
        ['parserOnIncoming', 'node:_http_server', 1],
        ['execute', `${OURS}node_modules/graphql/execution/execute.mjs`, 2],
        ...[ours('cli/http', 3), ours('graphql/request', 4), ours('core', 5), ours('database', 6)],
        ['hash', 'node:internal/crypto/hash', 7],
        ['(garbage collector)', '', 8],
        ['setTimeout', 'node:timers', 9],
        ['(program)', '', 10],
      ),
    ),
  ).toEqual({
    'HTTP of Node (parser, sockets)': 1,
    'graphql-js': 2,
    'ours: endpoint (src/cli)': 3,
    'ours: context and resolvers (src/graphql)': 4,
    'ours: core (tokens, sessions)': 5,
    'ours: database': 6,
    'crypto of Node': 7,
    'garbage collector': 8,
    'the rest of Node': 19,
  });
});

test('native code, and a package without a part of its own, belong to who calls them', () => {
  expect(
    parts(
      profileOf(
        ['hash', 'node:internal/crypto/hash', 1, ['oneShotDigest', '', 2]],
        ['verify', `${OURS}src/core/jwt.ts`, 4, ['verify', `${OURS}node_modules/jsonwebtoken/verify.js`, 8]],
      ),
    ),
  ).toEqual({ 'crypto of Node': 3, 'ours: core (tokens, sessions)': 12 });
});

test('SQLite is told from whoever asks it', () => {
  const asks = (file: string): Calls => ['find', `${OURS}src/database/${file}.ts`, 1, ['all', '', 4]];
  expect(parts(profileOf(asks('sqlite/connection'), asks('memory/index')))).toEqual({
    'SQLite itself': 4,
    'ours: database': 6,
  });
});

test('waiting, and the profiler itself, are left out', () => {
  const profile = profileOf(
    ['(idle)', '', 500],
    ['emit', 'node:events', 1, ['profiled', `${OURS}bench/children.ts`, 50, ['gone', 'node:net', 50]]],
    ['post', 'node:internal/util', 50, ['post', 'node:inspector', 50, ['dispatch', '', 50]]],
  );
  expect(boxesOf(profile, 1).total).toBe(1);
  expect(parts(profile)).toEqual({ 'HTTP of Node (parser, sockets)': 1 });
  expect(drawn(profile)).not.toMatch(/idle|gone|post|profiled/);
});

test('the same profile gives the same picture, in the colours of either theme', () => {
  const root = boxesOf(profileOf(['b', 'node:net', 1], ['a', 'node:net', 1]), 1);
  const words = { title: '', source: '' };
  expect(drawFlame(root, words, 'light')).toBe(drawFlame(root, words, 'light'));
  expect(drawFlame(root, words, 'dark')).not.toBe(drawFlame(root, words, 'light'));
  expect(root.children.map(({ name }) => name)).toEqual(['a', 'b']);
});
