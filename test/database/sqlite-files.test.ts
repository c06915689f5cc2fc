import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { aSession, aUser } from '../../src/database/conformance/records.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { start, startOnSmallDisk, stopAll } from './fixtures/children.ts';
import { newPath } from './fixtures/paths.ts';
import { expectSchema1Session, expectSchema2 } from './fixtures/schemas.ts';

const SCHEMAS = join(import.meta.dirname, 'fixtures/sqlite-schemas');

afterEach(stopAll);

/** The path of a file that some SQL has made. */
function fileBy(sql: string): string {
  const path = newPath();
  mkdirSync(dirname(path));
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return path;
}

async function ownFile(): Promise<string> {
  const path = newPath();
  const db = sqliteDatabase(path);
  await db.users.create(aUser('ada', { profile: { text: 'x'.repeat(20_000) } }), []);
  await db.close?.();
  return path;
}

const contents = (path: string): unknown => {
  const folder = dirname(path);
  return readdirSync(folder).map((name) => {
    const file = statSync(join(folder, name));
    return [name, file.mode, file.mtimeMs, file.isFile() && readFileSync(join(folder, name), 'hex')];
  });
};

async function expectRefusal(path: string, advice: string): Promise<void> {
  const before = contents(path);
  const db = sqliteDatabase(path, { patience: 0 });
  for (const call of [() => db.ping?.(), () => db.users.create(aUser('eve'), [])]) {
    const error: unknown = await call()?.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe(`Error: The database ${JSON.stringify(path)} cannot be used: ${advice}`);
  }
  await db.close?.();
  expect(contents(path)).toEqual(before);
}

describe('the file of sqliteDatabase', () => {
  test('is made with its folders at the first call, for its owner only', async () => {
    const path = join(dirname(newPath()), 'deep', 'er', 'accounts.db');
    const db = sqliteDatabase(path);
    expect(() => statSync(dirname(path))).toThrow('ENOENT');
    await db.ping?.();
    await db.sessions.create(aSession('1', 'ada'));
    const modes = readdirSync(dirname(path)).map((name) => [
      name,
      (statSync(join(dirname(path), name)).mode & 0o777).toString(8),
    ]);
    expect(modes).toEqual([
      ['accounts.db', '600'],
      ['accounts.db-shm', '600'],
      ['accounts.db-wal', '600'],
    ]);
    expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700');
    await db.close?.();
    expect(readdirSync(dirname(path))).toEqual(['accounts.db']);
  });

  test('keeps what is in it from one opening to the next', async () => {
    const path = newPath();
    for (const id of ['a', 'b', 'c']) {
      const db = sqliteDatabase(path, { synchronous: id === 'b' ? 'normal' : 'full' });
      await db.users.create(aUser(id), []);
      await db.close?.();
    }
    const db = sqliteDatabase(path);
    expect(await db.users.findMany(['a', 'b', 'c'])).toEqual(['a', 'b', 'c'].map((id) => aUser(id)));
    await db.close?.();
  });

  test('may be an empty one', async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, '');
    const db = sqliteDatabase(path);
    expect(await db.users.create(aUser('ada'), [])).toBe(null);
    await db.close?.();
  });

  test('may be opened twice in one process', async () => {
    const path = newPath();
    const [one, two] = [sqliteDatabase(path), sqliteDatabase(path)];
    await Promise.all([one, two].flatMap((db, n) => [db.users.create(aUser(`user ${n}`), []), db.ping?.()]));
    await one.close?.();
    expect(await two.users.findMany(['user 0', 'user 1'])).toEqual([aUser('user 0'), aUser('user 1')]);
    await two.close?.();
  });

  test.each(['', 'file:accounts.db', 'sqlite:./accounts.db', 'a\0b', { $ne: null }, undefined])(
    'is not %j',
    (path) => {
      expect(() => sqliteDatabase(path as string)).toThrow(TypeError);
    },
  );

  test('takes no options that mean nothing', () => {
    expect(() => sqliteDatabase('a', { synchronous: 'off' as 'full' })).toThrow(TypeError);
    expect(() => sqliteDatabase('a', { patience: Number.NaN })).toThrow(TypeError);
  });
});

describe('a file of sqliteDatabase that is gone', () => {
  const copyOver = (path: string): void => {
    writeFileSync(`${path}.copy`, readFileSync(path));
    renameSync(`${path}.copy`, path);
  };

  test.each<[string, (path: string) => void]>([
    ['deleted', (path) => rmSync(path)],
    ['deleted with its log', (path) => ['', '-wal', '-shm'].forEach((end) => void rmSync(path + end))],
    ['moved', (path) => renameSync(path, `${path}.moved`)],
    ['moved with its folder', (path) => renameSync(dirname(path), `${dirname(path)} moved`)],
    ['replaced by a copy', copyOver],
    ['left without its log', (path) => rmSync(`${path}-wal`)],
  ])('takes no changes and does not answer: %s', async (_, harm) => {
    const path = newPath();
    const db = sqliteDatabase(path);
    await db.users.create(aUser('ada'), []);
    harm(path);
    for (const call of [() => db.users.create(aUser('eve'), []), () => db.ping?.(), () => db.ping?.()])
      await expect(call()).rejects.toThrow(
        /was deleted or replaced while it was open. Start this process again/,
      );
    expect(await db.users.findMany(['ada', 'eve'])).toEqual([aUser('ada'), null]);
    await db.close?.();
  });

  test('takes them again once it is back', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    await db.ping?.();
    renameSync(path, `${path}.moved`);
    await expect(db.ping?.()).rejects.toThrow('deleted or replaced');
    renameSync(`${path}.moved`, path);
    await db.ping?.();
    expect(await db.users.create(aUser('ada'), [])).toBe(null);
    await db.close?.();
  });
});

describe('ping of sqliteDatabase', () => {
  test('writes, and leaves the version of the file as it is', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    await db.ping?.();
    const raw = new DatabaseSync(path);
    const changes = () => raw.prepare('PRAGMA data_version').get();
    // A newer version of this library has brought the file further meanwhile.
    raw.exec('PRAGMA user_version = 99');
    const before = changes();
    await db.ping?.();
    expect(changes()).not.toEqual(before);
    expect(raw.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    raw.close();
    await db.close?.();
  });

  test('fails on a disk that is too full for a sign-up', async () => {
    const child = startOnSmallDisk('fill', newPath());
    expect(await child.rest()).toEqual(
      Array(5).fill(expect.stringMatching(/^Error: The database ".*" cannot be used: the disk .+\.$/)),
    );
  });

  test('fails while another process writes', async () => {
    const path = newPath();
    const db = sqliteDatabase(path, { patience: 0 });
    await db.ping?.();
    const raw = new DatabaseSync(path);
    raw.exec('BEGIN IMMEDIATE');
    await expect(db.ping?.()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    raw.exec('ROLLBACK');
    await db.ping?.();
    raw.close();
    await db.close?.();
  });
});

describe('sqliteDatabase leaves as it is and refuses, with what to do about it,', () => {
  test.each(['hello', 'x'.repeat(10_000), '\0'.repeat(4_096)])('what is no database (%#)', async (text) => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, text);
    await expectRefusal(path, 'it is not a SQLite database. Give another path, or restore it from a backup.');
  });

  test.each([
    'CREATE TABLE invoices (id)',
    'CREATE TABLE users (id TEXT PRIMARY KEY)',
    'PRAGMA application_id = 7',
    'PRAGMA user_version = 1',
    'PRAGMA journal_mode = WAL; CREATE TABLE invoices (id)',
    'CREATE TABLE invoices (id); PRAGMA user_version = 1',
  ])('the database of another application (%s)', async (sql) => {
    await expectRefusal(fileBy(sql), 'it belongs to another application. Give another path.');
  });

  test('the database of a newer version', async () => {
    const path = await ownFile();
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    await expectRefusal(
      path,
      'a newer version of graphql-accounts wrote it (schema 99, this one knows 2). Install that version.',
    );
  });

  test.each([
    ['ALTER TABLE users ADD COLUMN colour TEXT', 'table users'],
    ['ALTER TABLE sessions DROP COLUMN user_agent', 'table sessions'],
    ['DROP TABLE one_time_tokens', 'table one_time_tokens'],
    ['ALTER TABLE counters ADD COLUMN colour TEXT', 'table counters'],
    ['DROP INDEX identities_by_user', 'index identities_by_user'],
    ['DROP INDEX sessions_by_end', 'index sessions_by_end'],
  ])('its own, when it was changed by hand (%s)', async (sql, what) => {
    const path = await ownFile();
    const raw = new DatabaseSync(path);
    raw.exec(sql);
    raw.close();
    await expectRefusal(
      path,
      `its ${what} was changed by hand. Undo that, or restore the file from a backup.`,
    );
  });

  test('a file that was cut off', async () => {
    const path = await ownFile();
    truncateSync(path, 8_192);
    await expectRefusal(path, 'it is damaged. Restore it from a backup.');
  });

  test('a folder', async () => {
    const path = newPath();
    mkdirSync(path, { recursive: true });
    await expectRefusal(path, 'it is not a file. Give the path of a file.');
  });

  test('a path below a file', async () => {
    const path = await ownFile();
    const below = sqliteDatabase(join(path, 'below.db'));
    await expect(below.ping?.()).rejects.toThrow(/cannot be used: E\w+\. Give this process the rights to it/);
  });

  test.each([
    ['a missing file in a folder that it may not write', 0o555, null],
    ['a missing file in a folder that it may not read', 0o000, null],
    ['a file in a folder that it may not write', 0o555, 0o666],
    ['a file that it may not write', 0o777, 0o444],
    ['a file that it may not read', 0o777, 0o000],
  ] as const)('%s', async (_, folderMode, fileMode) => {
    const path = fileMode === null ? newPath() : await ownFile();
    const folder = dirname(path);
    mkdirSync(folder, { recursive: true });
    if (fileMode !== null) chmodSync(path, fileMode);
    chmodSync(dirname(folder), 0o755);
    chmodSync(folder, folderMode);
    const before = fileMode === null ? [] : [statSync(path).mtimeMs];

    const child = start('open', 'eve', 'without rights');
    expect(await child.line()).toBe('ready');
    child.say(path);
    const answer: unknown = JSON.parse(await child.line());
    chmodSync(folder, 0o755);
    expect(answer).toBe(
      `Error: The database ${JSON.stringify(path)} cannot be used: EACCES. ` +
        'Give this process the rights to it and its folder.',
    );
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs)).toEqual(before);
  });

  test('and opens it once the reason is gone', async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, 'no database');
    const db = sqliteDatabase(path);
    await expect(db.ping?.()).rejects.toThrow('not a SQLite database');
    writeFileSync(path, '');
    expect(await db.users.create(aUser('ada'), [])).toBe(null);
    await db.close?.();
  });
});

test("a file keeps an operator's own tables and indexes", async () => {
  const path = await ownFile();
  const raw = new DatabaseSync(path);
  raw.exec('CREATE TABLE notes (id); CREATE INDEX by_username ON users (username)');
  raw.close();
  const db = sqliteDatabase(path);
  await db.ping?.();
  await db.close?.();
});

test('a process that has opened a file before it was brought to schema 2 goes on', async () => {
  const path = fileBy(readFileSync(join(SCHEMAS, '0001.sql'), 'utf8'));
  const older = new DatabaseSync(path);
  const insert = older.prepare(
    `INSERT INTO sessions (id, user_id, version, rotation, rotated_at, created_at, idle_expires_at, expires_at)
     VALUES (?, 'ada', 1, 1, 1750000000000, 1750000000000, 1850000000000, 1850000000000)`,
  );
  const db = sqliteDatabase(path);
  await db.ping?.();
  insert.run('later');
  older.close();
  expect(await db.sessions.findMany(['later'])).toMatchObject([{ authenticatedAt: 1750000000000, amr: [] }]);
  await db.close?.();
});

// Every released schema has its file here, as that release made and filled it.
test.each(readdirSync(SCHEMAS))(
  'a file of schema %s is brought up to date with what is in it',
  async (name) => {
    const path = newPath();
    mkdirSync(dirname(path));
    const raw = new DatabaseSync(path);
    raw.exec(readFileSync(join(SCHEMAS, name), 'utf8'));
    raw.close();
    const db = sqliteDatabase(path);
    expect(await db.users.findMany(['ada'])).toMatchObject([{ id: 'ada', username: 'Ada', version: 3 }]);
    expect(await db.identities.find('email', 'ada@example.com')).toMatchObject({ userId: 'ada' });
    expect(await db.oneTimeTokens.find('hash')).toMatchObject({ userId: 'ada', purpose: 'reset-password' });
    await expectSchema1Session(db, { rotation: 4, version: 5 });
    await expectSchema2(db, name >= '0002' ? 7 : 0);
    await db.close?.();
  },
);
