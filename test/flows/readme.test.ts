// Whatever users may copy from README.md, docs/ and the comments of the library does what it is said to do.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../../src/cli/settings.ts';
import { ERROR_MESSAGES } from '../../src/errors.ts';
import * as main from '../../src/index.ts';
import { collect, end, printed, startProgram } from '../program.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { startMongo } from '../servers/mongo.ts';
import { startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';
import * as cast from './fixtures/cast.ts';
import { docblockSnippets, docs, ROOT, type Snippet, snippetsOfPage } from './fixtures/snippets.ts';

const run = promisify(execFile);
const README = snippetsOfPage(join(ROOT, 'README.md'));
const OF_DOCS = docs().flatMap(snippetsOfPage);
const OF_COMMENTS = docblockSnippets();
const CONDITION = 'graphql-accounts-source';
const SECRET = 'a secret of the snippets, long enough';

/** Inside the checkout, where `graphql-accounts` is the checkout itself. */
let stage: string;
/** Where snippets leave their databases and mails. */
let folder: string;
beforeAll(() => {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  stage = mkdtempSync(join(ROOT, '.tmp/snippets-'));
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-snippets-'));
});
afterAll(() => {
  for (const place of [stage, folder]) rmSync(place, { recursive: true, force: true });
});

test('every snippet is of a kind that is executed here', () => {
  const languagesOf = (snippets: Snippet[]) => [...new Set(snippets.map(({ language }) => language))].sort();
  expect(languagesOf(README)).toEqual(['bash', 'json', 'sh', 'ts']);
  expect(languagesOf(OF_DOCS)).toEqual(['js', 'sh', 'ts']);
  expect(languagesOf(OF_COMMENTS)).toEqual(['ts']);
});

test('every link of the pages leads somewhere', () => {
  const broken = [join(ROOT, 'README.md'), ...docs()].flatMap((page) => {
    const text = readFileSync(page, 'utf8');
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    const missing = targets.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(page, target));
    return missing.map((target) => `${relative(ROOT, page)}: ${target}`);
  });
  expect(broken).toEqual([]);

  function leadsSomewhere(page: string, target: string): boolean {
    const [path = '', heading] = target.split('#');
    const file = path === '' ? page : resolve(dirname(page), path);
    if (!existsSync(file)) return false;
    if (heading === undefined) return true;
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, words = '']) => words);
    return headings.some((words) => anchorOf(words) === heading);
  }

  /** As GitHub makes them. */
  function anchorOf(heading: string): string {
    return heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  }
});

/** The public methods of the class of the client. */
const METHODS = /^export class AccountsClient \{.*?^}$/ms;
const optionsIn = (name: string): RegExp => new RegExp(`^export interface ${name} \\{.*?^}$`, 'ms');

describe('the tables of the docs', () => {
  test('name every error code, and no other', () => {
    expect(namesIn('errors.md').map(({ name }) => name)).toEqual(Object.keys(ERROR_MESSAGES));
  });

  test.each([
    { of: 'AccountsServer', file: 'core/options.ts', type: 'AccountsServerOptions' },
    { of: 'password', file: 'services/password/options.ts', type: 'PasswordOptions' },
    { of: 'magicLink', file: 'services/magic-link/options.ts', type: 'MagicLinkOptions' },
    { of: '`code', file: 'services/code/options.ts', type: 'CodeOptions' },
    { of: '`passkey', file: 'services/passkey/options.ts', type: 'PasskeyOptions' },
    { of: '`oauth', file: 'services/oauth/options.ts', type: 'OAuthOptions' },
    { of: 'A provider', file: 'services/oauth/options.ts', type: 'OAuthProviderOptions' },
  ])('name every option of $of that is not refused, and no other', ({ of, file, type }) => {
    const source = readFileSync(join(ROOT, 'src', file), 'utf8');
    const start = source.indexOf(`export interface ${type}`);
    const body = source.slice(start, source.indexOf('\n}\n', start));
    const options = [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name);
    const taken = namesIn('options.md', of).filter(({ row }) => !row.includes('| refused:'));
    expect(taken.map(({ name }) => name).sort()).toEqual(options.sort());
  });

  test.each([
    {
      of: 'Options of the context',
      types: ['graphql/context-options.ts ContextOptions', 'graphql/context-options.ts PluginOptions'],
    },
    { of: 'A cookie in place of the header', types: ['graphql/cookie/options.ts CookieOptions'] },
    { of: 'Schema', types: ['graphql/module.ts AccountsModuleOptions'] },
  ])('name every option of a gateway, and no other: $of', ({ of, types }) => {
    const options = types.flatMap((place) => {
      const [file = '', type] = place.split(' ');
      const source = readFileSync(join(ROOT, 'src', file), 'utf8');
      const start = source.indexOf(`export interface ${type}`);
      const body = source.slice(start, source.indexOf('\n}\n', start));
      return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name);
    });
    expect(
      namesIn('gateway.md', of)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(options.sort());
  });

  test('name every event, and no other', () => {
    const source = readFileSync(join(ROOT, 'src/core/events.ts'), 'utf8');
    const start = source.indexOf('export interface AccountsEvents');
    const body = source.slice(start, source.indexOf('\n}\n', start));
    const events = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
    expect(events.length).toBeGreaterThan(20);
    expect(namesIn('api.md', 'Events').map(({ name }) => name)).toEqual(events);
  });

  test.each([
    { of: 'AccountsServer', source: main.AccountsServer },
    { of: 'services.password', source: passwordService().constructor },
    { of: 'services.passkey', source: cast.accountsServer.services.passkey.constructor },
    { of: 'services.oauth', source: cast.accountsServer.services.oauth.constructor },
  ])('name methods of $of that there are', ({ of, source }) => {
    const methods = Object.getOwnPropertyNames(source.prototype as object);
    const text = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
    const section = text.split(/^## /m).find((part) => part.startsWith(`${of}\n`)) ?? '';
    const rows = [...section.matchAll(/^\| `\w+\(.*$/gm)].map(([row]) => row.split(' | ', 1)[0] ?? '');
    const named = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)\(/g)].map(([, name]) => name));
    expect(named.length).toBeGreaterThan(4);
    expect(methods).toEqual(expect.arrayContaining(named));
  });

  test.each([
    {
      page: 'verify.md',
      of: 'Options',
      file: 'verify/verify-access-token.ts',
      pattern: optionsIn('VerifyOptions'),
    },
    {
      page: 'client.md',
      of: 'Options',
      file: 'client/accounts-client.ts',
      pattern: optionsIn('AccountsClientOptions'),
    },
    { page: 'client.md', of: 'A client', file: 'client/accounts-client.ts', pattern: METHODS },
  ])(
    'name what there is for others than the server, and nothing else: $page, $of',
    ({ page, of, file, pattern }) => {
      const source = readFileSync(join(ROOT, 'src', file), 'utf8');
      const [body = ''] = pattern.exec(source) ?? [];
      const names = [...body.matchAll(/^ {2}(?:async |readonly )?(\w+)(?:\??:|[(<])/gm)].map(
        ([, name]) => name,
      );
      const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
      const parts = text.split(/^##? /m);
      const section = parts.find((part) => part.startsWith(of)) ?? '';
      const rows = [...section.matchAll(/^\| (`.*?) \| /gm)].map(([, cell = '']) => cell);
      const named = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name));
      expect(named.length).toBeGreaterThan(4);
      expect(named.sort()).toEqual(names.filter((name) => name !== 'constructor').sort());
    },
  );

  test('name every variable of the program, and no other', () => {
    expect(namesIn('serve.md').map(({ name }) => name)).toEqual(SETTINGS.map(({ variable }) => variable));
  });

  /** The first column of the table below a heading. */
  function namesIn(page: string, heading = ''): { name: string; row: string }[] {
    const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
    const sections = text.split(/^## /m);
    const section = heading ? sections.find((part) => part.split('\n', 1)[0]?.includes(heading)) : text;
    const rows = [...(section ?? '').matchAll(/^\| *(`\w+`(?:, `\w+`)*) *\|.*$/gm)];
    return rows.flatMap(([row, first = '']) => (first.match(/\w+/g) ?? []).map((name) => ({ name, row })));
  }
});

describe('the commands', () => {
  const { name, version, bin, scripts, dependencies, peerDependencies } = readPackage();
  const isVariable = (line: string): boolean => {
    const [, variable] = /^export (\w+)=\S/.exec(line) ?? [];
    return SETTINGS.some((setting) => setting.variable === variable);
  };
  const commandsOf = (snippets: Snippet[]) =>
    snippets.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.trim().split('\n'));
  const commands = commandsOf([...README, ...OF_DOCS]).flatMap((line) => line.split(' && '));

  test('of the README begin with the two that it promises', () => {
    expect(commandsOf(README).slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });

  test('do what the tests do: `npm start` runs the program that they start, `npm test` runs them', () => {
    expect(scripts.start).toMatch(/^(exec )?node src\/cli\/main\.ts serve$/);
    expect(scripts.test).toBe('vitest run');
  });

  test('that install name packages that belong to this one', () => {
    const archive = `path/to/${name}-${version}.tgz`;
    const known = [name, archive, ...Object.keys({ ...dependencies, ...peerDependencies })];
    const installed = commands
      .filter((line) => line.startsWith('npm install '))
      .flatMap((line) => line.split(' ').slice(2));
    expect(known).toEqual(expect.arrayContaining(installed));
  });

  test('are all known, and the program understands those that are for it', async () => {
    const ofNpm = /^npm (ci|start|test|pack|install .*)$/;
    const rest = commands.filter((line) => !ofNpm.test(line) && !isVariable(line));
    for (const line of rest) {
      const [npx, program, ...args] = line.split(' ');
      expect([npx, program]).toEqual(['npx', Object.keys(bin)[0]]);
      expect(await output(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args, '--help'])).toMatch(
        /^Usage: /,
      );
    }
  });
});

interface Package {
  name: string;
  version: string;
  bin: Record<string, string>;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

function readPackage(): Package {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
}

// The tests pass on a machine that has only Node and npm; bash and curl are what the README's reader brings.
const hasTools = ['bash', 'curl'].every((tool) => spawnSync(tool, ['--version']).status === 0);

test.skipIf(!hasTools)('the story in curl prints what the README says', async () => {
  const program = await startProgram();
  try {
    const code = README.filter(({ language }) => language === 'bash').map((snippet) => snippet.code);
    const script = code.join('\n').replaceAll('http://127.0.0.1:4000', program.origin);
    const { stdout, stderr } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', script]);
    expect(stderr).toBe('');
    const promised = README.filter(({ language }) => language === 'json').flatMap((snippet) =>
      linesOf(snippet.code),
    );
    expect(linesOf(stdout).map(unnamed)).toEqual(promised);
  } finally {
    await program.stop();
  }

  function linesOf(text: string): unknown[] {
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }

  /** Nobody knows the id beforehand: the README leaves it out. */
  function unnamed(answer: unknown): unknown {
    return JSON.parse(JSON.stringify(answer, (key, value: unknown) => (key === 'id' ? '…' : value)));
  }
});

describe('the TypeScript', () => {
  const ofPages = [...README, ...OF_DOCS].filter(({ language }) => language === 'ts');
  const isTest = ({ code }: Snippet) => /from 'vitest'/.test(code);
  const stops = ({ code }: Snippet) => /'SIGTERM'/.test(code);
  const listens = (snippet: Snippet) => /\.listen\(/.test(snippet.code) && !stops(snippet);
  const needsServer = ({ code }: Snippet) =>
    /mongoose|ioredis|redisSessions|from '(pg|mysql2)'|postgres:/.test(code);

  beforeAll(() => {
    for (const snippet of [...ofPages, ...OF_COMMENTS]) writeFileSync(fileOf(snippet), staged(snippet));
  });

  test('asks only for operations that there are', () => {
    const schema = makeExecutableSchema(main.accountsModule(cast.accountsServer));
    const documents = ofPages.flatMap(({ code }) =>
      [...code.matchAll(/'((?:mutation|query) [^']+)'/g)].map(([, text = '']) => text),
    );
    expect(documents.length).toBeGreaterThan(1);
    expect(documents.flatMap((text) => validate(schema, parse(text)))).toEqual([]);
  });

  test('fits the types', async () => {
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { customConditions: [CONDITION], noUnusedLocals: false, noUnusedParameters: false },
      include: ['.'],
    };
    writeFileSync(join(stage, 'tsconfig.json'), JSON.stringify(config));
    expect(await output(join(ROOT, 'node_modules/.bin/tsc'), ['-p', stage])).toBe('');
  });

  test('of the pages and comments runs, and ends by itself', async () => {
    const files = [...ofPages, ...OF_COMMENTS]
      .filter((snippet) => !isTest(snippet) && !listens(snippet) && !stops(snippet) && !needsServer(snippet))
      .map(fileOf);
    expect(files.length).toBeGreaterThan(10);
    const all = join(stage, 'all.ts');
    writeFileSync(all, files.map((file) => `await import(${JSON.stringify(file)});\n`).join(''));
    expect(await output(process.execPath, [`--conditions=${CONDITION}`, all])).toBe('');
  });

  test('that connects to a server runs', { timeout: 120_000 }, async ({ skip }) => {
    const [mongo, postgres, mariadb, redis] = await Promise.all([
      startMongo(),
      startPostgres(),
      startMariadb(),
      startRedis(),
    ]);
    const servers = [mongo, postgres, mariadb, redis].filter((server) => server !== null);
    try {
      if (!mongo || !postgres || !mariadb || !redis) return skip('not every server is on this machine');
      const snippets = [...ofPages, ...OF_COMMENTS].filter(
        (snippet) => needsServer(snippet) && !isTest(snippet),
      );
      expect(snippets.length).toBeGreaterThan(5);
      for (const snippet of snippets) {
        // What a reader would put in its place.
        const code = staged(snippet)
          .replaceAll('mongodb://127.0.0.1:27017', mongo.url)
          .replaceAll('redis://127.0.0.1:6379', redis.url)
          .replaceAll('postgres://accounts:secret@localhost/shop', postgres.url);
        const file = fileOf(snippet).replace(/\.ts$/, '-connected.ts');
        // Connections that a program keeps open keep it running.
        writeFileSync(file, `${code}\nprocess.exit(0);\n`);
        const options = childOptions();
        const { stdout, stderr } = await run(process.execPath, [`--conditions=${CONDITION}`, file], {
          ...options,
          env: { ...options.env, POSTGRES_URL: postgres.url, MYSQL_URL: mariadb.url },
        });
        expect(`${snippet.place}: ${stdout}${stderr}`).toBe(`${snippet.place}: `);
      }
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  test.each(ofPages.filter(isTest))('of $place passes as a test', async (snippet) => {
    symlinkSync(fileOf(snippet), `${fileOf(snippet)}.test.ts`);
    const config = join(stage, 'vitest.config.ts');
    writeFileSync(
      config,
      `export default { test: { include: ['*.test.ts'] }, ssr: { resolve: { conditions: ['${CONDITION}'] } } };\n`,
    );
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const told = await output(process.execPath, [vitest, 'run', '--root', stage, '--config', config]);
    expect(told).toMatch(/Tests .*[1-9]\d* passed/);
  });

  test.each(ofPages.filter(stops))('of $place ends by itself when it is told to', async (snippet) => {
    const child = startSnippet(snippet);
    const read = collect(child);
    try {
      const [, port = ''] = await printed(child, read, /listening on (\d+)/);
      expect(await askAt(port, '{ getUser { id } }')).toEqual({ data: { getUser: null } });
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      await end(child);
    }
  });

  test.each(ofPages.filter(listens))('of $place gives a gateway accounts', async (snippet) => {
    const child = startSnippet(snippet);
    const read = collect(child);
    try {
      const [, port = ''] = await printed(child, read, /listening on (\d+)/);
      const ask = (query: string, token?: string) => askAt(port, query, token);
      const typed = 'password: "correct horse battery"';
      const address = 'email: "ada@example.com"';
      expect(await ask(`mutation { createUser(user: { ${address}, ${typed} }) { userId } }`)).toEqual({
        data: { createUser: { userId: null } },
      });
      const { data } = await ask(
        `mutation { authenticate(serviceName: "password", params: { user: { ${address} }, ${typed} }) { tokens { accessToken } user { id } } }`,
      );
      const { tokens, user } = data?.authenticate ?? {};
      expect(await ask('{ diary }', tokens?.accessToken)).toEqual({
        data: { diary: [`Diary of ${user?.id}`] },
      });
      expect(await ask('{ diary }')).toMatchObject({
        data: { diary: null },
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
      await ask(`mutation { sendVerificationEmail(${address}) }`);
      await printed(child, read, /\/verify-email\/[\w-]{43}/);
    } finally {
      await end(child);
    }
  });
});

test('the CommonJS of the pages runs', async () => {
  const snippets = OF_DOCS.filter(({ language }) => language === 'js');
  expect(snippets).toHaveLength(1);
  for (const snippet of snippets) {
    writeFileSync(fileOf(snippet), snippet.code);
    expect(await output(process.execPath, [`--conditions=${CONDITION}`, fileOf(snippet)])).toBe('');
  }
});

function passwordService(): object {
  return cast.accountsServer.services.password;
}

function startSnippet(snippet: Snippet) {
  const preload = join(import.meta.dirname, 'fixtures/tell-port.ts');
  const args = [`--conditions=${CONDITION}`, '--import', preload, fileOf(snippet)];
  return spawn(process.execPath, args, { ...childOptions(), stdio: ['ignore', 'pipe', 'pipe'] });
}

interface Answer {
  data?: { authenticate?: { tokens: { accessToken: string }; user: { id: string } } };
  errors?: unknown;
}

async function askAt(port: string, query: string, token?: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

/** What a process prints, also when it fails: then that is what the test shows. */
async function output(command: string, args: string[]): Promise<string> {
  return run(command, args, { ...childOptions(), timeout: 50_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { message: string; stdout?: string; stderr?: string }) =>
      `${error.message}\n${error.stdout}\n${error.stderr}`,
  );
}

function childOptions() {
  return { cwd: folder, env: { ...process.env, PORT: '0', TOKEN_SECRET: SECRET, NO_COLOR: '1' } };
}

/** A snippet that others import names its file in its first line. */
function fileOf({ place, code, language }: Snippet): string {
  const [, name] = /^\/\/ ([\w-]+\.ts)\n/.exec(code) ?? [];
  return join(stage, name ?? `${place.replace(/\W+/g, '-')}.${language === 'js' ? 'cjs' : 'ts'}`);
}

/** A snippet as a module. One in a comment sees the library, its own file and the cast without importing them. */
function staged({ code, file }: Snippet): string {
  if (!file.endsWith('.ts')) return code;
  const used = new Set(code.match(/[a-zA-Z_]\w*/g));
  const declared = new Set([
    ...[...code.matchAll(/\b(?:const|let|function|interface|type) (\w+)/g)].map(([, name = '']) => name),
    ...[...code.matchAll(/\b(?:const|import) \{([^}]*)\}/g)].flatMap(
      ([, names = '']) => names.match(/\w+/g) ?? [],
    ),
  ]);
  const castFile = join(import.meta.dirname, 'fixtures/cast.ts');
  const sources = [
    { from: 'graphql-accounts', values: Object.keys(main), types: typesOfMain() },
    { from: file, values: exportsOf(file, 'function|const|class'), types: exportsOf(file, 'interface|type') },
    { from: castFile, values: Object.keys(cast), types: exportsOf(castFile, 'interface|type') },
  ];
  const imports = sources.flatMap(({ from, values, types }) => {
    const isWanted = (name: string): boolean => used.has(name) && !declared.has(name);
    const names = [...values.filter(isWanted), ...types.filter(isWanted).map((name) => `type ${name}`)];
    for (const name of [...values, ...types]) declared.add(name);
    return names.length > 0 ? [`import { ${names.join(', ')} } from ${JSON.stringify(from)};\n`] : [];
  });
  return `${imports.join('')}${code}\nexport {};\n`;
}

function exportsOf(file: string, kinds: string): string[] {
  const pattern = new RegExp(`^export (?:async )?(?:${kinds}) (\\w+)`, 'gm');
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name);
}

/** The types that the main entry exports; they do not exist at run time. */
function typesOfMain(): string[] {
  const lists = readFileSync(join(ROOT, 'src/index.ts'), 'utf8').matchAll(/^export (type )?\{([^}]*)\}/gm);
  return [...lists].flatMap(([, allTypes, list = '']) =>
    [...list.matchAll(/(type )?(\w+)/g)].flatMap(([, isType, name = '']) =>
      allTypes || isType ? [name] : [],
    ),
  );
}
