// Databases that the published packages of accounts-js have made, and their users with us.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importAccountsJs } from '../../../src/cli/import/accounts-js.ts';
import { openDatabase } from '../../../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../../../src/cli/stores/urls.ts';
import { createSecretBox } from '../../../src/core/secret-box.ts';
import type { AccountsDatabase } from '../../../src/database/ports.ts';
import { codeOf, createAccounts } from '../../accounts.ts';
import { installAccountsJs, type People, seed } from '../../accounts-js/seed.ts';
import { newDatabase as newMariadb, startMariadb } from '../../servers/mariadb.ts';
import { freshDatabase, HAS_MONGO, startMongo } from '../../servers/mongo.ts';
import { newDatabase, startPostgres } from '../../servers/postgres.ts';
import { ALL_STORES_REQUIRED, freePort, programPath, type TestServer } from '../../servers/process.ts';
import { exercised } from '../../stores.ts';
import { KEY } from './foreign.ts';

const START = 180_000;
const HAS_MARIADB = programPath('mariadbd') !== null || ALL_STORES_REQUIRED;
const HAS_POSTGRES = programPath('initdb') !== null || ALL_STORES_REQUIRED;
const IS_INSTALLED = (await installAccountsJs()) || ALL_STORES_REQUIRED;

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-import-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Entry {
  id: string;
  code: string;
  field?: string;
}

interface Case {
  name: string;
  start(): Promise<TestServer | null>;
  fresh(server: TestServer): Promise<string>;
  adapter: 'mongo' | 'typeorm';
  options: string[];
  isHere: boolean;
}

const SOURCES: Case[] = [
  {
    ...{ name: 'MongoDB with ObjectIds', start: startMongo, fresh: mongoOf, isHere: HAS_MONGO },
    ...{ adapter: 'mongo', options: [] },
  },
  {
    ...{ name: 'MongoDB with ids of text', start: startMongo, fresh: mongoOf, isHere: HAS_MONGO },
    ...{ adapter: 'mongo', options: ['strings'] },
  },
  {
    ...{ name: 'PostgreSQL', start: startPostgres, fresh: newDatabase, isHere: HAS_POSTGRES },
    ...{ adapter: 'typeorm', options: [] },
  },
];

const WHERE = ['a SQLite file', 'the same database', 'MariaDB'] as const;
const PAIRS = SOURCES.filter(({ isHere }) => IS_INSTALLED && isHere).flatMap((source) =>
  WHERE.filter((where) => where !== 'MariaDB' || HAS_MARIADB).map((where) => ({ ...source, where })),
);

describe.each(PAIRS)('from $name into $where', ({ name, start, fresh, adapter, options, where }) => {
  const hasFields = adapter === 'mongo';
  const servers: TestServer[] = [];
  let from: string;
  let people: People;
  let target: Awaited<ReturnType<typeof openDatabase>>;
  let entries: Entry[];
  beforeAll(async () => {
    const server = present(await start());
    servers.push(server);
    from = await fresh(server);
    people = await seed(adapter, from, ...options);
    target = await openTarget();
    exercised(name.split(' ')[0] ?? '');
    const { result, entries: told } = await run(target.store);
    entries = told;
    expect(result).toEqual({ imported: 7, alreadyThere: 0, conflicts: 5, incomplete: hasFields ? 2 : 1 });
  }, START);
  afterAll(async () => {
    await target?.close();
    for (const server of servers) await server.close();
  });

  async function openTarget() {
    const to = parseDatabaseUrl(await urlOfTarget(), '--to');
    return openDatabase(to, { name: '--to', migrate: true });
  }

  async function urlOfTarget(): Promise<string> {
    if (where === 'the same database') return from;
    if (where === 'a SQLite file') return `sqlite:${join(folder, `${files++}.db`)}`;
    const server = present(await startMariadb());
    servers.push(server);
    return newMariadb(server);
  }

  async function run(db: AccountsDatabase | null, dryRun = false) {
    const report = join(folder, `report-${files++}.ndjson`);
    const result = await importAccountsJs({ from, target: db, report, dryRun, encryptionKeys: [KEY] });
    const lines = readFileSync(report, 'utf8').split('\n').filter(Boolean);
    return { result, entries: lines.map((line) => JSON.parse(line) as Entry) };
  }

  const idOf = (person: string): string => people.ids[person] ?? '';
  const accounts = () => createAccounts({ db: target.store, now: Date.now }, {});
  const find = async (person: string) => (await target.store.users.findMany([idOf(person)]))[0] ?? null;
  const identityOf = (service: string, subject: string) => target.store.identities.find(service, subject);
  const hashOf = async (person: string) => (await identityOf('password', idOf(person)))?.data.hash;

  test('the old password lets its user in, and is argon2id from then on (S2)', async () => {
    const { logIn } = accounts();
    expect(await hashOf('ada')).toMatch(/^\$2[ab]\$10\$/);
    expect(await codeOf(logIn('ada@example.com', 'not the old password'))).toBe('INVALID_CREDENTIALS');
    expect((await logIn('ada@example.com', people.password)).user).toMatchObject({
      id: idOf('ada'),
      username: 'ada',
      emails: [{ address: 'ada@example.com', verified: true }],
    });
    expect(await hashOf('ada')).toMatch(/^\$argon2id\$/);
    expect((await logIn('ada', people.password)).user.id).toBe(idOf('ada'));
  });

  test('a password is verified as it was typed, however short', async () => {
    const { logIn } = accounts();
    expect(await codeOf(logIn('short', 'fix'))).toBe('INVALID_CREDENTIALS');
    expect((await logIn('short', '\ufb01x')).user.id).toBe(idOf('short'));
  });

  test('every address allows login, verified or not', async () => {
    const { logIn } = accounts();
    for (const place of ['first', 'second', 'third'])
      expect((await logIn(`${place}@example.com`, people.password)).user.id).toBe(idOf('several'));
    const verified = (await find('several'))?.emails.filter((email) => email.verified);
    expect(verified).toMatchObject([{ address: 'third@example.com' }]);
  });

  test('whoever had a second factor does not get in without it', async () => {
    const { logIn } = accounts();
    expect(await codeOf(logIn('factor@example.com', people.password))).toBe('TWO_FACTOR_REQUIRED');
    const factor = await identityOf('totp', idOf('factor'));
    const owner = { service: 'totp', subject: idOf('factor') };
    expect(createSecretBox([KEY]).open(String(factor?.data.secret), owner)).toBe(people.secrets.factor);
  });

  test('whoever was shut out stays out', async () => {
    const { logIn, server } = accounts();
    expect(await codeOf(logIn('deactivated', people.password))).toBe('INVALID_CREDENTIALS');
    await server.activateUser(idOf('deactivated'));
    expect((await logIn('deactivated', people.password)).user.id).toBe(idOf('deactivated'));
  });

  test('a linked account belongs to its user', async () => {
    expect(await identityOf('oauth:github', 'octo')).toMatchObject({
      userId: idOf('octo'),
      data: { profile: { name: 'Octo', email: 'octo@octo.example' } },
    });
    expect(await hashOf('octo')).toBeUndefined();
  });

  test('what the application has added is the profile', async () => {
    const added = { firstName: 'Grace', plan: 'gold', birthday: '1970-01-01T00:00:00.000Z' };
    expect((await find('several'))?.profile).toEqual(hasFields ? added : {});
  });

  test('the report tells who did not come, and what of the others', async () => {
    const nameOf = (id: string) => Object.keys(people.ids).find((person) => idOf(person) === id);
    expect(entries.map(({ id, code, field }) => [nameOf(id), code, field].join(' ')).sort()).toEqual([
      'address one EMAIL_CONFLICT emails',
      'address two EMAIL_CONFLICT emails',
      'name one USERNAME_CONFLICT username',
      'name two USERNAME_CONFLICT username',
      'octo PROVIDER_TOKEN services.github.accessToken',
      ...(hasFields ? ['several NOT_JSON photo'] : []),
      'unproved EMAIL_CONFLICT emails',
    ]);
    expect(await find('proved')).toMatchObject({ emails: [{ verified: true }] });
  });

  test('a second import leaves everybody alone, and a dry run tells what would be', async () => {
    const again = { imported: 0, alreadyThere: 7, conflicts: 5, incomplete: hasFields ? 2 : 1 };
    expect(await run(target.store)).toEqual({ result: again, entries });
    expect((await run(target.store, true)).result).toEqual(again);
    expect((await run(null, true)).entries).toEqual(entries);
  });
});

describe('a source that cannot be used is told in one line, without its password', () => {
  const run = (from: string) =>
    importAccountsJs({
      from,
      target: null,
      dryRun: true,
      report: join(folder, 'none'),
      encryptionKeys: [KEY],
    });

  test.each([
    'canary',
    'mysql://root:canary@127.0.0.1/old',
    'mongodb://root:canary@/old',
    'mongodb://root:canary@127.0.0.1',
    'postgres://root:canary@127.0.0.1:99999/old',
  ])('%s', async (from) => {
    await expect(run(from)).rejects.toThrow(/^--from [^\n]+$/);
    await expect(run(from)).rejects.not.toThrow('canary');
  });

  test.each(['mongodb', 'postgres'])('nobody answers at %s', async (scheme) => {
    const from = `${scheme}://root:canary@127.0.0.1:${await freePort()}/old`;
    const error = await run(from).then(String, (reason: Error) => reason.message);
    expect(error).toMatch(/^--from: [^\n]*ECONNREFUSED/);
    expect(error).not.toContain('canary');
  });

  test('a database of somebody else', async () => {
    for (const [start, fresh] of [
      [startMongo, mongoOf],
      [startPostgres, newDatabase],
    ] as const) {
      const server = await start();
      if (!server) continue;
      await expect(run(await fresh(server))).rejects.toThrow(/^--from: the database has no /);
      await server.close();
    }
  });
});

async function mongoOf({ url }: TestServer): Promise<string> {
  return freshDatabase(url);
}

function present(server: TestServer | null): TestServer {
  if (!server) throw new Error('the server is not on this machine');
  return server;
}
