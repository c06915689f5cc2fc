import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodeOf, importUsers, summaryOf } from '../../../src/cli/import/accounts-js.ts';
import { createCollisions } from '../../../src/cli/import/collisions.ts';
import type { ForeignUser } from '../../../src/cli/import/foreign-user.ts';
import { showProgress } from '../../../src/cli/import/progress.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsDatabase, IdentityRecord, UserRecord } from '../../../src/database/ports.ts';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { exercised } from '../../stores.ts';
import { BCRYPT, foreign, KEY, NOW, sourceOf } from './foreign.ts';

let folder: string;
let files = 0;
beforeAll(() => {
  exercised('SQLite');
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-import-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const email = (address: string, verified = false) => ({ address, verified });
const person = (id: string, user: Partial<ForeignUser> = {}): ForeignUser => foreign({ ...user, id });

async function run(
  users: readonly ForeignUser[],
  target: AccountsDatabase | null = memoryDatabase(),
  { dryRun = false } = {},
) {
  const report = join(folder, `report-${files++}.ndjson`);
  const result = await importUsers(sourceOf(users), { target, report, dryRun, encryptionKeys: [KEY] });
  const entries = readFileSync(report, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id: string; code: string; imported: boolean; others?: string[] });
  const codes = entries.map(({ id, code }) => [id, code]);
  return { result, entries, codes, report, code: exitCodeOf(result) };
}

describe.each([
  { name: 'memory', open: () => memoryDatabase() },
  { name: 'SQLite', open: () => sqliteDatabase(join(folder, `${files++}.db`), { synchronous: 'normal' }) },
])('into $name', ({ open }) => {
  test('all come who are in nobody’s way, and a second import leaves them alone', async () => {
    const db = open();
    const users = Array.from({ length: 10 }, (_, index) =>
      person(`user ${index}`, {
        emails: [email(`user${index}@example.com`)],
        services: [['password', { bcrypt: BCRYPT }]],
      }),
    );
    expect(await run(users, db)).toMatchObject({
      result: { imported: 10, alreadyThere: 0, conflicts: 0, incomplete: 0 },
      entries: [],
      code: 0,
    });
    expect(await db.identities.find('email', 'user7@example.com')).toMatchObject({ userId: 'user 7' });
    expect(await run(users, db)).toMatchObject({
      result: { imported: 0, alreadyThere: 10, conflicts: 0, incomplete: 0 },
      code: 0,
    });
    await db.close?.();
  });

  test('an import that was cut off goes on, to the same end', async () => {
    const users = Array.from({ length: 9 }, (_, index) =>
      person(`user ${index}`, { username: index < 2 ? 'twin' : `user${index}` }),
    );
    const [whole, parts] = [open(), open()];
    await run(users, whole);
    const cut = failing(parts, 4);
    await expect(run(users, cut)).rejects.toThrow('the store has failed');
    expect((await run(users, parts)).codes).toEqual([
      ['user 0', 'USERNAME_CONFLICT'],
      ['user 1', 'USERNAME_CONFLICT'],
    ]);
    const ids = users.map(({ label }) => label);
    expect(await parts.users.findMany(ids)).toEqual(await whole.users.findMany(ids));
    for (const db of [whole, parts]) await db.close?.();
  });

  test('what the new system holds wins', async () => {
    const db = open();
    const now = NOW;
    const { record, identities } = newcomer('new ada', 'ada@example.com', 'ada', now);
    await db.users.create(record, identities);
    const { result, entries } = await run(
      [
        person('new ada', { username: 'changed', deactivated: true }),
        person('old ada', { emails: [email('ADA@example.com', true)] }),
        person('ada', { username: 'Ada' }),
        person('linked', { services: [['github', { id: '7' }]] }),
      ],
      db,
    );
    expect(result).toEqual({ imported: 0, alreadyThere: 1, conflicts: 3, incomplete: 0 });
    expect(entries).toMatchObject([
      { id: 'old ada', code: 'EMAIL_TAKEN', imported: false, others: ['new ada'] },
      { id: 'ada', code: 'USERNAME_TAKEN', others: ['new ada'] },
      { id: 'linked', code: 'OAUTH_TAKEN', others: ['new ada'] },
    ]);
    expect((await db.users.findMany(['new ada']))[0]).toEqual(record);
    await db.close?.();
  });

  test('a name that a killed process has left behind is free', async () => {
    const db = open();
    const ghost = newcomer('ghost', 'ghost@example.com', 'ghost', NOW);
    await db.users.create({ ...ghost.record, emails: [], username: null }, ghost.identities);
    const { result } = await run([person('owner', { emails: [email('ghost@example.com')] })], db);
    expect(result).toMatchObject({ imported: 1, conflicts: 0 });
    expect(await db.identities.find('email', 'ghost@example.com')).toMatchObject({ userId: 'owner' });
    await db.close?.();
  });

  test('a dry run tells the same and writes nothing', async () => {
    const db = open();
    const { record, identities } = newcomer('new ada', 'ada@example.com', 'ada', NOW);
    await db.users.create(record, identities);
    const users = [
      person('a', { emails: [email('ada@example.com')] }),
      person('b', { username: 'B' }),
      person('c', { username: 'b' }),
      person('d', { username: 'd' }),
      record.id === 'new ada' ? person('new ada') : person('e'),
    ];
    const dry = await run(users, db, { dryRun: true });
    expect(await db.users.findMany(['a', 'b', 'c', 'd'])).toEqual([null, null, null, null]);
    const { result, entries } = await run(users, db);
    expect({ result: dry.result, entries: dry.entries }).toEqual({ result, entries });
    expect(result).toEqual({ imported: 1, alreadyThere: 1, conflicts: 3, incomplete: 0 });
    await db.close?.();
  });
});

describe('users with one name', () => {
  const one = 'ada@bücher.example';
  const two = 'ada@xn--bcher-kva.example';

  test('the only one who has the address verified comes', async () => {
    const { result, entries } = await run([
      person('a', { emails: [email(one)] }),
      person('b', { emails: [email(two, true)] }),
      person('c', { emails: [email(one)] }),
    ]);
    expect(result).toMatchObject({ imported: 1, conflicts: 2 });
    expect(entries).toMatchObject([
      { id: 'a', code: 'EMAIL_CONFLICT', others: ['b', 'c'] },
      { id: 'c', code: 'EMAIL_CONFLICT', others: ['a', 'b'] },
    ]);
  });

  test.each([
    { state: 'has verified', verified: false },
    { state: 'alone has verified', verified: true },
  ])('none of them comes with an address that nobody $state', async ({ verified }) => {
    const { codes, code } = await run([
      person('a', { emails: [email(one, verified)] }),
      person('b', { emails: [email(two, verified)] }),
    ]);
    expect(codes).toEqual([
      ['a', 'EMAIL_CONFLICT'],
      ['b', 'EMAIL_CONFLICT'],
    ]);
    expect(code).toBe(3);
  });

  test('none of them comes with a username, nor with a linked account', async () => {
    const { codes } = await run([
      person('a', { username: 'Straße' }),
      person('b', { username: 'STRASSE' }),
      person('c', { services: [['github', { id: 7 }]] }),
      person('d', { services: [['github', { id: '7' }]] }),
    ]);
    expect(codes).toEqual([
      ['a', 'USERNAME_CONFLICT'],
      ['b', 'USERNAME_CONFLICT'],
      ['c', 'OAUTH_CONFLICT'],
      ['d', 'OAUTH_CONFLICT'],
    ]);
  });

  test('nobody takes the name of one who is refused for another reason', async () => {
    const { codes } = await run([
      person('a', { username: 'ada', deactivated: 'yes' }),
      person('b', { username: 'Ada' }),
    ]);
    expect(codes).toEqual([
      ['a', 'INVALID_DEACTIVATED'],
      ['a', 'USERNAME_CONFLICT'],
      ['b', 'USERNAME_CONFLICT'],
    ]);
  });

  test('none of them comes when two ids are one text', async () => {
    const id = '65f0c0ffee65f0c0ffee65f0';
    const { codes } = await run([
      { ...person(id), key: `ObjectId:${id}` },
      { ...person(id), key: `string:${id}` },
    ]);
    expect(codes).toEqual([
      [id, 'ID_CONFLICT'],
      [id, 'ID_CONFLICT'],
    ]);
  });
});

test('that many have one name is found out about each of them in the same time', () => {
  const timeOf = (count: number): number => {
    const names = [{ kind: 'oauth:shop' as const, canonical: '1', verified: false }];
    const users = Array.from({ length: count }, (_, n) => ({ key: `user ${n}`, label: `user ${n}`, names }));
    const collisions = createCollisions();
    collisions.add(users);
    collisions.settle();
    const started = performance.now();
    for (const user of users) expect(collisions.of(user)[0]?.others).toHaveLength(10);
    const took = performance.now() - started;
    collisions.close();
    return took / count;
  };
  timeOf(500);
  expect(timeOf(5_000) / timeOf(500)).toBeLessThan(4);
});

describe('a store that takes many at once', () => {
  const users = Array.from({ length: 9 }, (_, index) =>
    person(`user ${index}`, { username: `name${index}` }),
  );

  test('is given them together', async () => {
    const { db, asked } = inBulk(memoryDatabase());
    expect((await run(users, db)).result).toMatchObject({ imported: 9 });
    expect(asked).toEqual([3, 3, 3]);
    expect(await db.users.findMany(['user 8'])).toMatchObject([{ username: 'name8' }]);
  });

  test('is given few of them together where they are large', async () => {
    const { db, asked } = inBulk(memoryDatabase());
    const large = users.map((user) => ({ ...user, custom: { picture: 'x'.repeat(1_500_000) } }));
    expect((await run(large, db)).result).toMatchObject({ imported: 9, incomplete: 0 });
    expect(asked).toEqual([2, 1, 2, 1, 2, 1]);
  });

  test('is given them one by one where one of them cannot come', async () => {
    const { db } = inBulk(memoryDatabase());
    const { record, identities } = newcomer('new', 'new@example.com', 'name4', NOW);
    await db.users.create(record, identities);
    const { result, codes } = await run(users, db);
    expect(result).toMatchObject({ imported: 8, conflicts: 1 });
    expect(codes).toEqual([['user 4', 'USERNAME_TAKEN']]);
  });
});

describe('the report', () => {
  test('names the old id, the reason and the field, and no value', async () => {
    const hash = 'scrypt:canary';
    const { entries, report } = await run([
      person('a', { username: '@canary', emails: [email('canary')] }),
      person('b', { services: [['password', { bcrypt: hash }]] }),
      person('c', { services: [['two-factor', { secret: { base32: 'canary1' } }]] }),
    ]);
    expect(entries).toEqual([
      expect.objectContaining({ id: 'a', imported: false, code: 'INVALID_USERNAME', field: 'username' }),
      expect.objectContaining({ id: 'a', imported: false, code: 'INVALID_EMAIL', field: 'emails.0' }),
      expect.objectContaining({ id: 'b', imported: true, code: 'PASSWORD_FORMAT' }),
      expect.objectContaining({ id: 'c', imported: false, code: 'INVALID_SECOND_FACTOR' }),
    ]);
    expect(readFileSync(report, 'utf8')).not.toContain('canary');
    expect(statSync(report).mode & 0o077).toBe(0);
  });

  test('takes the place of an earlier one, and of nothing else', async () => {
    const report = join(folder, `report-${files++}.ndjson`);
    const parts = { target: memoryDatabase(), report, encryptionKeys: [KEY] };
    const twins = [person('a', { username: 'twin' }), person('b', { username: 'twin' })];
    for (const users of [twins, twins.slice(0, 1), twins]) await importUsers(sourceOf(users), parts);
    writeFileSync(report, 'SQLite format 3');
    await expect(importUsers(sourceOf([person('c')]), parts)).rejects.toThrow(/^--report: .* is no report/);
    expect(readFileSync(report, 'utf8')).toBe('SQLite format 3');
    expect(await parts.target.users.findMany(['c'])).toEqual([null]);
  });

  test('that cannot be written stops the import before anybody comes', async () => {
    const db = memoryDatabase();
    const report = join(folder, 'missing', 'report.ndjson');
    const parts = { target: db, report, encryptionKeys: [KEY] };
    await expect(importUsers(sourceOf([person('a')]), parts)).rejects.toThrow(/^--report: .*no such file/);
    expect(await db.users.findMany(['a'])).toEqual([null]);
  });
});

test('a dry run needs no database', async () => {
  const { result } = await run([person('a')], null, { dryRun: true });
  expect(result).toMatchObject({ imported: 1 });
  await expect(run([person('a')], null)).rejects.toThrow(TypeError);
});

test('the last line tells how many of each', () => {
  const result = { imported: 4, alreadyThere: 3, conflicts: 2, incomplete: 1 };
  expect(summaryOf(result, false)).toBe('4 imported, 3 already there, 2 conflicts, 1 incomplete');
  expect(summaryOf(result, true)).toBe('4 would be imported, 3 already there, 2 conflicts, 1 incomplete');
});

describe('the progress', () => {
  test('of a log is a line now and then', () => {
    const { show, written } = progressOn(false);
    for (let users = 0; users <= 250_000; users += 1_000) show({ phase: 'reading', users });
    show({ phase: 'importing', users: 100_000 });
    expect(written()).toBe('Read 100,000 users\nRead 200,000 users\nImported 100,000 users\n');
  });

  test('of a terminal is one line, at most once a second', () => {
    const { show, written } = progressOn(true);
    for (let users = 1_000; users <= 250_000; users += 1_000) show({ phase: 'reading', users });
    expect(written()).toBe('\r\x1b[KRead 1,000 users');
  });

  function progressOn(isTTY: boolean) {
    let text = '';
    const stream = {
      isTTY,
      write: (chunk: string) => {
        text += chunk;
        return true;
      },
    };
    return { ...showProgress(stream), written: () => text };
  }
});

/** A user of the new system, with a linked account. */
function newcomer(id: string, address: string, username: string, now: number) {
  const common = { userId: id, version: 1, data: {}, createdAt: now };
  return {
    record: {
      ...{ id, version: 1, username, deactivated: false, profile: {}, createdAt: now, updatedAt: now },
      emails: [{ address, canonical: address, verified: false, claimed: true }],
    },
    identities: [
      { service: 'username', subject: username, ...common },
      { service: 'email', subject: address, ...common },
      { service: 'oauth:github', subject: '7', ...common },
    ],
  };
}

/** The same database, which fails after some users, as a process that is killed. */
function failing(db: AccountsDatabase, after: number): AccountsDatabase {
  let made = 0;
  const create: AccountsDatabase['users']['create'] = async (user, identities) => {
    if (made++ >= after) throw new Error('the store has failed');
    return db.users.create(user, identities);
  };
  return { ...db, users: { ...db.users, create } };
}

/** The same database with a method that stores all of some users, or none. */
function inBulk(db: AccountsDatabase) {
  const asked: number[] = [];
  type Users = readonly { user: UserRecord; identities: readonly IdentityRecord[] }[];
  const createAll = async (users: Users): Promise<boolean> => {
    asked.push(users.length);
    const wanted = users.flatMap(({ identities }) => identities);
    const found = await Promise.all(
      wanted.map(({ service, subject }) => db.identities.find(service, subject)),
    );
    if (found.some(Boolean)) return false;
    for (const { user, identities } of users) await db.users.create(user, identities);
    return true;
  };
  return { db: { ...db, users: { ...db.users, createAll } }, asked };
}
