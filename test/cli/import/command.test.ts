// `graphql-accounts import accounts-js` as its users run it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { askMariadb, newDatabase as newMariadb, startMariadb } from '../../servers/mariadb.ts';
import { freshDatabase, HAS_MONGO, startMongo } from '../../servers/mongo.ts';
import { askPostgres, newDatabase as newPostgres, startPostgres } from '../../servers/postgres.ts';
import { ALL_STORES_REQUIRED, freePort, programPath, type TestServer } from '../../servers/process.ts';
import { exercised } from '../../stores.ts';
import { ask, Bench, LOG_IN, tokensOf } from '../child.ts';

const START = 180_000;
const PASSWORD = 'the old password';
const BCRYPT = '$2a$04$nMf9FOVXP66PTjnbVU2TSOgT7i./Di5UItjUWd6FdOeO2B355x.JC';
const CANARY = 'canary';
const KEY = 'an encryption key of the tests of 32 bytes or more';
const DEFAULT_REPORT = 'import-conflicts.ndjson';

type Document = { _id: string; [field: string]: unknown };

const ADA: Document = {
  _id: 'ada',
  emails: [{ address: 'ada@example.com', verified: false }],
  services: { password: { bcrypt: BCRYPT } },
};
const LINUS: Document = { _id: 'linus', username: 'linus', services: { password: { bcrypt: BCRYPT } } };
const TWINS: Document[] = [
  { _id: 'one', username: 'Twin', services: {} },
  { _id: 'two', username: 'twin', services: {} },
];
const FACTOR: Document = {
  _id: 'factor',
  username: 'factor',
  services: {
    password: { bcrypt: BCRYPT },
    'two-factor': { secret: { base32: 'MNJE2ZTHJFYUINRBHYUFIVKSMNTHCQZS' } },
  },
};

describe.skipIf(!HAS_MONGO)('graphql-accounts import accounts-js', () => {
  let mongo: TestServer;
  beforeAll(async () => {
    exercised('MongoDB');
    exercised('SQLite');
    mongo = present(await startMongo());
  }, START);
  afterAll(() => mongo?.close());

  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.close());

  const file = (name: string): string => join(bench.folder, name);
  const files = (): string[] => readdirSync(bench.folder).sort();
  const run = (args: string[], environment = {}) =>
    bench.run(['import', 'accounts-js', ...args], environment);

  /** The URL of a database of accounts-js with these users. */
  async function source(documents: readonly Document[]): Promise<string> {
    const url = freshDatabase(mongo.url);
    await within(url, (db) => db.collection<Document>('users').insertMany([...documents]));
    return url;
  }

  describe('into a file that is not there, in a folder that is not there', () => {
    const to = ['--to', 'sqlite:./data/accounts.db'];

    test('all come: exit code 0, and the last line tells how many of each', async () => {
      const from = await source([ADA, LINUS, FACTOR]);
      expect(await run(['--from', from, ...to])).toEqual({
        code: 0,
        stdout: '3 imported, 0 already there, 0 conflicts, 0 incomplete\n',
        stderr: '',
      });
      expect(files()).toEqual(['data', DEFAULT_REPORT]);
      expect(readFileSync(file(DEFAULT_REPORT), 'utf8')).toBe('');
      for (const name of readdirSync(file('data')))
        expect(statSync(file(`data/${name}`)).mode & 0o077).toBe(0);
    });

    test('the server then lets them in, with a second factor or not at all', async () => {
      const from = await source([ADA, FACTOR]);
      expect(await run(['--from', from, ...to])).toMatchObject({ code: 0 });
      const { url } = await bench.start({ DATABASE_URL: 'sqlite:./data/accounts.db' });
      const logIn = (user: object) => ask(url, LOG_IN, { user, password: PASSWORD });
      expect(tokensOf(await logIn({ email: 'ada@example.com' })).accessToken).not.toBe('');
      const { errors } = await logIn({ username: 'factor' });
      expect(errors?.[0]?.extensions.code).toBe('TWO_FACTOR_REQUIRED');
    });

    test('exit code 3 when somebody does not come, and the report tells who', async () => {
      const from = await source([ADA, ...TWINS]);
      expect(await run(['--from', from, ...to, '--report', './who.ndjson'])).toEqual({
        code: 3,
        stdout: '1 imported, 0 already there, 2 conflicts, 0 incomplete\n',
        stderr: '',
      });
      const lines = readFileSync(file('who.ndjson'), 'utf8').trim().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { id: 'one', code: 'USERNAME_CONFLICT', imported: false, others: ['two'] },
        { id: 'two', code: 'USERNAME_CONFLICT', imported: false, others: ['one'] },
      ]);
      expect(files()).toEqual(['data', 'who.ndjson']);
    });

    test('a dry run makes nothing but the report', async () => {
      const from = await source([ADA, ...TWINS, FACTOR]);
      expect(await run(['--from', from, ...to, '--dry-run'])).toEqual({
        code: 3,
        stdout: '2 would be imported, 0 already there, 2 conflicts, 0 incomplete\n',
        stderr: '',
      });
      expect(files()).toEqual([DEFAULT_REPORT]);
    });
  });

  test('a dry run leaves a file as it is, empty or with users', async () => {
    const from = await source([ADA, LINUS]);
    writeFileSync(file('empty.db'), '');
    writeFileSync(file('notes.txt'), 'hello');
    const dry = ['--from', from, '--dry-run'];
    expect((await run([...dry, '--to', 'sqlite:./empty.db'])).stdout).toMatch(
      /^2 would be imported, 0 already/,
    );
    expect(statSync(file('empty.db')).size).toBe(0);
    expect((await run([...dry, '--to', 'sqlite:./notes.txt'])).stderr).toMatch(
      /^graphql-accounts: --to: .*not a/,
    );
    expect(files()).toEqual(['empty.db', DEFAULT_REPORT, 'notes.txt']);

    await run(['--from', await source([ADA]), '--to', 'sqlite:./users.db']);
    const [before, names] = [readFileSync(file('users.db')), files()];
    expect((await run([...dry, '--to', 'sqlite:./users.db'])).stdout).toMatch(
      /^1 would be imported, 1 already/,
    );
    expect(readFileSync(file('users.db')).equals(before)).toBe(true);
    expect(files()).toEqual(names);
  });

  test('an import that was killed goes on where it was', { timeout: 60_000 }, async () => {
    const count = 20_000;
    const from = await source(
      Array.from({ length: count }, (_, n) => ({ _id: `user ${n}`, username: `name${n}`, services: {} })),
    );
    const to = ['--from', from, '--to', 'sqlite:./users.db'];
    const main = join(import.meta.dirname, '../../../src/cli/main.ts');
    const child = spawn(process.execPath, [main, 'import', 'accounts-js', ...to], {
      cwd: bench.folder,
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await someUserIn(file('users.db'));
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    const { code, stdout } = await run(to);
    const [, imported = '', there = ''] = /^(\d+) imported, (\d+) already there, 0 /.exec(stdout) ?? [];
    expect([code, Number(imported) + Number(there)]).toEqual([0, count]);
    expect(Number(there)).toBeGreaterThan(0);
  });

  describe('is refused in one line, with exit code 1, and nothing is made', () => {
    const refused = (line: RegExp) => ({ code: 1, stdout: '', stderr: expect.stringMatching(line) });

    test.each([
      ['no URL', CANARY],
      ['of a store of sessions', `redis://:${CANARY}@127.0.0.1:1`],
      ['of memory', 'sqlite::memory:'],
      ['without a server', 'postgres://'],
      ['with a / in the password', `mongodb://root:1/${CANARY}@127.0.0.1:1/new`],
    ])('--to is a URL %s', async (_what, to) => {
      const result = await run(['--from', await source([ADA]), '--to', to]);
      expect(result).toEqual(refused(/^graphql-accounts: --to[: ][^\n]+\n$/));
      expect(result.stderr).not.toContain(CANARY);
      expect(files()).toEqual([]);
    });

    test.each(['postgres', 'mysql', 'mongodb'])('nobody answers at --to, %s', async (scheme) => {
      const to = `${scheme}://root:${CANARY}@127.0.0.1:${await freePort()}/new`;
      const result = await run(['--from', await source([ADA]), '--to', to]);
      expect(result).toEqual(refused(/^graphql-accounts: --to: [^\n]*ECONNREFUSED[^\n]*\n$/));
      expect(result.stderr).not.toContain(CANARY);
      expect(files()).toEqual([]);
    });

    test.each([
      ['no URL', CANARY],
      ['of something else', `mysql://root:${CANARY}@127.0.0.1:1/old`],
      ['without a database', `mongodb://root:${CANARY}@127.0.0.1:1`],
      ['with a / in the password', `postgres://root:1/${CANARY}@127.0.0.1:1/old`],
    ])('--from is a URL %s', async (_what, from) => {
      const result = await run(['--from', from, '--to', 'sqlite:./data/accounts.db']);
      expect(result).toEqual(refused(/^graphql-accounts: --from[: ][^\n]+\n$/));
      expect(result.stderr).not.toContain(CANARY);
      expect(files()).toEqual([]);
    });

    test.each(['postgres', 'mongodb'])('nobody answers at --from, %s', async (scheme) => {
      const from = `${scheme}://root:${CANARY}@127.0.0.1:${await freePort()}/old`;
      const result = await run(['--from', from, '--to', 'sqlite:./data/accounts.db']);
      expect(result).toEqual(refused(/^graphql-accounts: --from: [^\n]*ECONNREFUSED[^\n]*\n$/));
      expect(result.stderr).not.toContain(CANARY);
      expect(files()).toEqual([]);
    });

    test('--to is a file of somebody else, which is left as it is', async () => {
      writeFileSync(file('notes.txt'), 'hello');
      const result = await run(['--from', await source([ADA]), '--to', 'sqlite:./notes.txt']);
      expect(result).toEqual(refused(/^graphql-accounts: --to: [^\n]*not a SQLite database[^\n]*\n$/));
      expect([files(), readFileSync(file('notes.txt'), 'utf8')]).toEqual([['notes.txt'], 'hello']);
    });

    test('--report names a file that is no report, which is left as it is', async () => {
      const args = ['--from', await source([ADA]), '--to', 'sqlite:./users.db', '--report', './users.db'];
      expect(await run(args)).toEqual(refused(/^graphql-accounts: --report: [^\n]*is no report[^\n]*\n$/));
      expect(await run(args.slice(0, 4))).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 imp/) });
      expect(await run(args.slice(0, 4))).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 imp/) });
    });

    test.each([
      ['ENCRYPTION_KEY', { ENCRYPTION_KEY: CANARY }],
      ['TOKEN_SECRET', { TOKEN_SECRET: CANARY }],
    ])('%s is too short', async (name, environment) => {
      const args = ['--from', await source([ADA]), '--to', 'sqlite:./users.db'];
      const result = await run(args, environment);
      expect(result).toEqual(refused(new RegExp(`^graphql-accounts: ${name} [^\\n]+\\n$`)));
      expect(result.stderr).not.toContain(CANARY);
      expect(files()).toEqual([]);
    });

    test.each([
      ['--to', ['--from', 'mongodb://127.0.0.1/old']],
      ['--from', ['--to', 'sqlite:./new.db']],
      ['accounts-js', ['--from', 'mongodb://127.0.0.1/old', '--to', 'sqlite:./new.db', 'more']],
    ])('%s: the command line', async (name, args) => {
      expect(await run(args)).toEqual(refused(new RegExp(`^graphql-accounts: [^\\n]*${name}[^\\n]*\\n$`)));
      expect(files()).toEqual([]);
    });
  });

  describe.each([
    {
      ...{ name: 'PostgreSQL', start: startPostgres, program: 'initdb', newUrl: newPostgres },
      tablesIn: (url: string) =>
        askPostgres(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"),
    },
    {
      ...{ name: 'MariaDB', start: startMariadb, program: 'mariadbd', newUrl: newMariadb },
      tablesIn: (url: string) => askMariadb(url, 'SHOW TABLES'),
    },
    {
      ...{ name: 'MongoDB', start: startMongo, program: 'java' },
      newUrl: async ({ url }: TestServer) => freshDatabase(url),
      tablesIn: (url: string) => within(url, (db) => db.listCollections().toArray()),
    },
  ])('into $name', ({ name, start, program, newUrl, tablesIn }) => {
    const isHere = programPath(program) !== null || ALL_STORES_REQUIRED;
    let server: TestServer;
    beforeAll(async () => {
      if (!isHere) return;
      exercised(name);
      server = present(await start());
    }, START);
    afterAll(() => server?.close());

    test.skipIf(!isHere)('a dry run makes nothing, the import makes what is missing', async () => {
      const [from, to] = [await source([ADA, ...TWINS, FACTOR]), await newUrl(server)];
      const args = ['--from', from, '--to', to];
      const keys = { ENCRYPTION_KEY: KEY };
      expect(await run([...args, '--dry-run'], keys)).toEqual({
        code: 3,
        stdout: '2 would be imported, 0 already there, 2 conflicts, 0 incomplete\n',
        stderr: '',
      });
      expect(await tablesIn(to)).toEqual([]);
      expect(await run(args, keys)).toMatchObject({
        code: 3,
        stdout: '2 imported, 0 already there, 2 conflicts, 0 incomplete\n',
      });
      expect(await run([...args, '--dry-run'], keys)).toMatchObject({
        code: 3,
        stdout: '0 would be imported, 2 already there, 2 conflicts, 0 incomplete\n',
      });
      // A server has no place for a secret beside its data.
      expect(files()).toEqual([DEFAULT_REPORT]);
    });

    test.skipIf(!isHere)('without a key nobody comes as long as some have second factors', async () => {
      const to = await newUrl(server);
      const result = await run(['--from', await source([ADA, FACTOR]), '--to', to]);
      expect(result).toEqual({
        ...{ code: 1, stdout: '' },
        stderr: expect.stringMatching(/^graphql-accounts: ENCRYPTION_KEY or TOKEN_SECRET is needed[^\n]+\n$/),
      });
      const without = await run(['--from', await source([ADA]), '--to', to]);
      expect(without.stdout).toBe('1 imported, 0 already there, 0 conflicts, 0 incomplete\n');
    });
  });
});

async function within<T>(url: string, work: (db: mongoose.mongo.Db) => Promise<T>): Promise<T> {
  const client = await mongoose.mongo.MongoClient.connect(url);
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}

/** Resolves when the import has brought its first users. */
async function someUserIn(path: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; ) {
    if (existsSync(path) && (await hasUser(path))) return;
    if (Date.now() > deadline) throw new Error('nobody came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function hasUser(path: string): Promise<boolean> {
  const db = sqliteDatabase(path);
  try {
    return (await db.users.findMany(['user 0']))[0] !== null;
  } finally {
    await db.close?.();
  }
}

function present(server: TestServer | null): TestServer {
  if (!server) throw new Error('the server is not on this machine');
  return server;
}
