import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../../../src/cli/stores/urls.ts';
import { collect, printed } from '../../program.ts';
import { newDatabase as newMariadb, startMariadb } from '../../servers/mariadb.ts';
import { freshDatabase, HAS_MONGO, startMongo } from '../../servers/mongo.ts';
import { newDatabase as newPostgres, startPostgres } from '../../servers/postgres.ts';
import { ALL_STORES_REQUIRED, programPath, type TestServer } from '../../servers/process.ts';
import { exercised } from '../../stores.ts';
import { manyUsers } from './foreign.ts';

const COUNT = 1_200;
const KILLS = 3;
const SCRIPT = join(import.meta.dirname, 'import-until-killed.ts');
const PATIENCE = 240_000;

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-import-kills-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  name: string;
  isHere: boolean;
  start(): Promise<TestServer | null>;
  newUrl(server: TestServer | null): Promise<string>;
}

const has = (program: string): boolean => ALL_STORES_REQUIRED || programPath(program) !== null;
const there = (server: TestServer | null): TestServer => {
  if (!server) throw new Error('the server is not on this machine');
  return server;
};

const STORES: Case[] = [
  {
    ...{ name: 'SQLite', isHere: true, start: async () => null },
    newUrl: async () => `sqlite:${join(folder, `${files++}.db`)}`,
  },
  {
    ...{ name: 'PostgreSQL', isHere: has('initdb'), start: startPostgres },
    newUrl: (server) => newPostgres(there(server)),
  },
  {
    ...{ name: 'MariaDB', isHere: has('mariadbd'), start: startMariadb },
    newUrl: (server) => newMariadb(there(server)),
  },
  {
    ...{ name: 'MongoDB', isHere: HAS_MONGO, start: startMongo },
    newUrl: async (server) => freshDatabase(there(server).url),
  },
];

describe.each(STORES.filter(({ isHere }) => isHere))('into $name', ({ name, start, newUrl }) => {
  let server: TestServer | null = null;
  beforeAll(async () => {
    exercised(name);
    server = await start();
  }, PATIENCE);
  afterAll(() => server?.close());

  test('an import that is killed again and again ends as one that was not', {
    timeout: PATIENCE,
  }, async () => {
    const [whole, parts] = [await newUrl(server), await newUrl(server)];
    const expected = await importInto(whole, 'whole');
    expect(expected).toMatchObject({ imported: COUNT * 0.8, conflicts: COUNT * 0.2 });
    // In the batch after that line; further on each time, since those before are skipped.
    for (let kill = 0; kill < KILLS; kill++)
      await importInto(parts, 'parts', { killedAt: `importing ${50 + kill * 300}\n` });
    const result = await importInto(parts, 'parts');
    expect(result.imported + result.alreadyThere).toBe(expected.imported);
    expect(result.alreadyThere).toBeGreaterThan(0);
    expect(reportOf('parts')).toBe(reportOf('whole'));
    expect(await everything(parts)).toEqual(await everything(whole));
  });

  test('two imports at once end as one', { timeout: PATIENCE }, async () => {
    const [whole, both] = [await newUrl(server), await newUrl(server)];
    await importInto(both, 'none', { count: 0 });
    const { imported, conflicts } = await importInto(whole, 'whole');
    const results = await Promise.all([importInto(both, 'one'), importInto(both, 'other')]);
    for (const result of results) {
      expect(result.imported + result.alreadyThere).toBe(imported);
      expect(result.conflicts).toBe(conflicts);
    }
    expect(results.reduce((sum, result) => sum + result.imported, 0)).toBe(imported);
    expect(reportOf('one')).toBe(reportOf('whole'));
    expect(reportOf('other')).toBe(reportOf('whole'));
    expect(await everything(both)).toEqual(await everything(whole));
  });
});

interface Result {
  imported: number;
  alreadyThere: number;
  conflicts: number;
}

const reportOf = (name: string): string => readFileSync(join(folder, `${name}.ndjson`), 'utf8');

/** Imports in a process of its own, which is killed once it has printed something. */
async function importInto(
  url: string,
  name: string,
  { killedAt, count = COUNT }: { killedAt?: string; count?: number } = {},
): Promise<Result> {
  const args = [SCRIPT, url, join(folder, `${name}.ndjson`), String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const read = collect(child);
  const ended = once(child, 'close');
  if (killedAt) {
    await printed(child, read, new RegExp(killedAt));
    child.kill('SIGKILL');
    await ended;
    return { imported: 0, alreadyThere: 0, conflicts: 0 };
  }
  expect(await ended).toEqual([0, null]);
  return JSON.parse(read().trim().split('\n').at(-1) ?? '') as Result;
}

async function everything(url: string) {
  const { store: db, close } = await openDatabase(parseDatabaseUrl(url, 'URL'), {
    name: 'URL',
    migrate: true,
  });
  const users = manyUsers(COUNT);
  const records = await db.users.findMany(users.map(({ label }) => label));
  const wanted = users.flatMap(({ label }, index) => [
    ['password', label],
    ['username', `name${index}`],
    ['email', `user${index}@example.com`],
  ]);
  const identities = [];
  for (const [service = '', subject = ''] of wanted)
    identities.push(await db.identities.find(service, subject));
  await close();
  return { records, identities };
}
