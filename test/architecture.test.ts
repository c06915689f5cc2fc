import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

/** Rooms of the core that other runtimes than Node have a key to. */
const WEB_ONLY = /^core\/(claims|key-names|known-options|token-secrets|units)\.ts$/;

/** Who may import what: the first room that fits a file holds. Paths are below src; packages stand as they are. */
const ROOMS: { room: RegExp; may: RegExp[] }[] = [
  { room: /^errors\.ts$/, may: [] },
  { room: /^database\/ports\.ts$/, may: [] },
  { room: /^generated\//, may: [] },
  {
    room: /^core\/limits\//,
    may: [
      ...[/^core\//, /^errors\.ts$/, /^database\/(ports|memory-counters)\.ts$/],
      ...[/^rate-limiter-flexible(\/|$)/, /^node:/],
    ],
  },
  {
    room: /^core\//,
    may: [/^core\//, /^(errors|gather)\.ts$/, /^database\/ports\.ts$/, /^jsonwebtoken$/, /^ms$/, /^node:/],
  },
  ...[
    {
      name: 'password',
      field: [/^@node-rs\/argon2$/, /^bcryptjs$/, /^@zxcvbn-ts\/language-common$/],
    },
    { name: 'two-factor', field: [/^otplib$/, /^uqr$/] },
    { name: 'magic-link', field: [] },
    { name: 'code', field: [] },
    { name: 'oauth', field: [/^openid-client$/] },
    { name: 'passkey', field: [/^@simplewebauthn\/server(\/helpers)?$/] },
  ].map(({ name, field }) => ({
    room: new RegExp(`^services/${name}/`),
    may: [
      new RegExp(`^services/${name}/`),
      ...[/^core\//, /^database\/ports\.ts$/, /^errors\.ts$/, /^need-package\.ts$/, /^generated\//, /^node:/],
      ...field,
    ],
  })),
  { room: /^database\/check(s|ed)\.ts$/, may: [/^database\/(ports|checks)\.ts$/, /^errors\.ts$/] },
  { room: /^(need-package|gather)\.ts$/, may: [/^node:/] },
  { room: /^database\/(not-migrated|removal)\.ts$/, may: [] },
  { room: /^database\/memory-counters\.ts$/, may: [/^database\/ports\.ts$/] },
  ...[
    { name: 'memory', drivers: [] },
    { name: 'sqlite', drivers: [] },
    { name: 'sql', drivers: [/^kysely$/, /^pg$/, /^mysql2$/] },
    { name: 'mongoose', drivers: [/^mongoose$/] },
    { name: 'redis', drivers: [/^ioredis$/] },
  ].map(({ name, drivers }) => ({
    room: new RegExp(`^database/${name}/`),
    may: [
      new RegExp(
        `^database/(${name}/|check(s|ed)\\.ts|(not-migrated|removal|memory-counters)\\.ts|ports\\.ts)`,
      ),
      ...[/^errors\.ts$/, /^(need-package|gather)\.ts$/, /^node:/],
      ...drivers,
    ],
  })),
  { room: /^database\/conformance\//, may: [/^database\/(conformance\/|ports\.ts)/] },
  // From the floor up: what a request says, what its answer carries, and so on. Above them stands what people import.
  ...[
    { room: 'request', below: [] },
    { room: 'answer', below: ['request'] },
    { room: 'operation', below: ['request', 'answer'] },
    { room: 'cookie', below: ['request', 'answer', 'operation'] },
    { room: 'schema', below: [] },
  ].map(({ room, below }) => ({
    room: new RegExp(`^graphql/${room}/`),
    may: [
      new RegExp(`^graphql/(${[room, ...below].join('|')})/`),
      // Of the context and the module only the types: the test below sees to it.
      /^graphql\/(is-object|every-copy|context|module)\.ts$/,
      ...[/^core\//, /^errors\.ts$/, /^generated\//, /^node:/, /^graphql$/],
    ],
  })),
  ...['hosts/', '(?!hosts/)'].map((room) => ({
    room: new RegExp(`^graphql/${room}`),
    may: [
      room === 'hosts/' ? /^graphql\// : /^graphql\/(?!hosts\/)/,
      ...[/^core\//, /^errors\.ts$/, /^generated\//, /^node:/, /^graphql$/],
    ],
  })),
  ...['verify', 'client'].map((name) => ({
    room: new RegExp(`^${name}/`),
    may: [
      new RegExp(`^${name}/`),
      ...[/^errors\.ts$/, /^generated\/types\.ts$/],
      // What the server and other services judge a token by, so that they judge alike.
      ...(name === 'verify' ? [WEB_ONLY, /^jose(\/|$)/] : []),
    ],
  })),
  { room: /^mail\//, may: [/^mail\//, /^core\/(mailer|text|deadline)\.ts$/, /^node:/, /^nodemailer$/] },
  { room: /^cli\//, may: [/./] },
  { room: /^index\.ts$/, may: [/^(core|services|graphql|mail)\//, /^errors\.ts$/, /^database\/ports\.ts$/] },
];

test('every file imports only what its room may import', () => {
  const breakers = sources().flatMap((file) => {
    const room = ROOMS.find((candidate) => candidate.room.test(file));
    if (!room) return [`${file} stands in no room`];
    const crossing = importsOf(file).filter((target) => !room.may.some((allowed) => allowed.test(target)));
    return crossing.map((target) => `${file} must not import ${target}`);
  });
  expect(breakers).toEqual([]);
});

test('nothing imports the program', () => {
  const breakers = sources().filter(
    (file) => !file.startsWith('cli/') && importsOf(file).some((target) => /^cli\//.test(target)),
  );
  expect(breakers).toEqual([]);
});

test('the main entry reaches no database adapter and no package that a host may lack', () => {
  const adapters = reachedFrom('index.ts').filter(
    (file) =>
      /^database\/(?!ports|memory-counters)/.test(file) ||
      /^(nodemailer|graphql-yoga|@envelop|kysely|pg|mysql2|mongoose|ioredis|jose)(\/|$)/.test(file),
  );
  expect(adapters).toEqual([]);
});

test('whoever imports the main entry waits for no package but these', () => {
  const packages = reachedFrom('index.ts').filter((file) => !/\.ts$|^node:/.test(file));
  const names = new Set(packages.map((name) => name.replace(/\/.*/, '')));
  expect([...names].sort()).toEqual(['graphql', 'jsonwebtoken', 'ms']);
});

test.each(['request', 'answer', 'operation', 'cookie', 'schema'])(
  'graphql/%s reaches no context and no module of types',
  (room) => {
    const files = sources().filter((file) => file.startsWith(`graphql/${room}/`));
    const above = files.flatMap(reachedFrom).filter((file) => /^graphql\/(context|module)\.ts$/.test(file));
    expect(above).toEqual([]);
  },
);

test.each(['verify', 'client'])('%s reaches neither Node nor graphql', (name) => {
  const reached = reachedFrom(`${name}/index.ts`);
  expect(reached.length).toBeGreaterThan(4);
  const packages = reached.filter((file) => !file.endsWith('.ts') && !/^jose\//.test(file));
  expect(packages).toEqual([]);
});

/** The files and packages that are loaded with a file. */
function reachedFrom(entry: string): string[] {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of importsOf(file, { typesToo: false }))
      if (target.endsWith('.ts')) visit(target);
      else reached.add(target);
  };
  visit(entry);
  return [...reached];
}

function sources(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

function importsOf(file: string, { typesToo = true } = {}): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const statics = text.matchAll(
    /^(?:import|export)\s(?!.*=)(type\s)?(?:[^'"();]*?from\s+)?['"]([^'"]+)['"]/gm,
  );
  const dynamics = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  const targets = [
    ...[...statics].filter(([, type]) => typesToo || !type).map(([, , target]) => target ?? ''),
    ...(typesToo ? [...dynamics].map(([, target]) => target ?? '') : []),
  ];
  return targets.map((target) =>
    target.startsWith('.') ? relative(SRC, normalize(join(SRC, dirname(file), target))) : target,
  );
}
