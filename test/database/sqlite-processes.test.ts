import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { aSession } from '../../src/database/conformance/records.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { type Child, start, stopAll } from './fixtures/children.ts';
import { newPath } from './fixtures/paths.ts';

afterEach(stopAll);

async function hold(path: string): Promise<Child> {
  const holder = start('hold', path);
  holder.say('hold');
  expect(await holder.line()).toBe('held');
  return holder;
}

describe('processes that share a SQLite file', () => {
  test('all open a missing file at once, time and again', async () => {
    const names = ['a', 'b', 'c'];
    const children = names.map((name) => start('open', name));
    for (const child of children) expect(await child.line()).toBe('ready');
    for (let round = 0; round < 25; round++) {
      const path = newPath();
      for (const child of children) child.say(path);
      for (const child of children) expect(await child.line()).toBe('done');
      const db = sqliteDatabase(path);
      expect((await db.users.findMany(names)).map((user) => user?.id)).toEqual(names);
      await db.close?.();
    }
  });

  test('of their rotations of one session one succeeds', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    const ids = Array.from({ length: 20 }, (_, n) => `session ${n}`);
    await Promise.all(ids.map((id) => db.sessions.create(aSession(id, 'ada'))));
    const children = [start('rotate', path), start('rotate', path)];
    for (const child of children) expect(await child.line()).toBe('ready');
    for (const id of ids) for (const child of children) child.say(id);
    for (const _ of ids) {
      const won = await Promise.all(children.map((child) => child.line()));
      expect(won.toSorted()).toEqual(['0', '1']);
    }
    const versions = (await db.sessions.findMany(ids)).map((session) => session?.version);
    expect(versions).toEqual(ids.map(() => 2));
    await db.close?.();
  });

  test('see at once what another has acknowledged', async () => {
    const path = newPath();
    const [ours, theirs] = [sqliteDatabase(path), sqliteDatabase(path)];
    for (let n = 0; n < 50; n++) {
      await ours.sessions.create(aSession(`session ${n}`, 'ada'));
      expect((await theirs.sessions.findMany([`session ${n}`]))[0]?.revokedAt).toBe(null);
      expect(await theirs.sessions.revoke(`session ${n}`, 7)).toBe(true);
      expect((await ours.sessions.findMany([`session ${n}`]))[0]?.revokedAt).toBe(7);
    }
    await Promise.all([ours.close?.(), theirs.close?.()]);
  });

  test('while one writes, the event loop of another turns and its reads are answered', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    await db.sessions.create(aSession('1', 'ada'));
    const holder = await hold(path);
    let revoked: boolean | null = null;
    const revocation = db.sessions.revoke('1', 7).then((answer) => {
      revoked = answer;
    });
    for (let turn = 0; turn < 200; turn++) {
      await nextTurn();
      expect((await db.sessions.findMany(['1']))[0]?.revokedAt).toBe(null);
    }
    expect(revoked).toBe(null);
    holder.say('release');
    expect(await holder.line()).toBe('released');
    await revocation;
    expect(revoked).toBe(true);
    await db.close?.();
  });

  test('a write that waits longer than its patience is refused and not done later', async () => {
    const path = newPath();
    const db = sqliteDatabase(path, { patience: 100 });
    await db.sessions.create(aSession('1', 'ada'));
    const holder = await hold(path);
    const refusals = Array.from({ length: 100 }, (_, n) => db.sessions.revoke('1', n));
    const outcomes = await Promise.allSettled(refusals);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } });
    holder.say('release');
    expect(await holder.line()).toBe('released');
    expect((await db.sessions.findMany(['1']))[0]?.revokedAt).toBe(null);
    expect(await db.sessions.revoke('1', 7)).toBe(true);
    await db.close?.();
  });

  test('a file that is held while it is to be opened is waited for', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    await db.ping?.();
    await db.close?.();
    const holder = start('hold', path, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    holder.say('hold');
    expect(await holder.line()).toBe('held');
    await expect(sqliteDatabase(path, { patience: 50 }).ping?.()).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    const late = sqliteDatabase(path);
    const answered = late.ping?.();
    holder.kill();
    await answered;
    await late.close?.();
  });

  test('what was begun before a close is done, what comes after is refused', async () => {
    const path = newPath();
    const db = sqliteDatabase(path);
    const begun = db.sessions.create(aSession('1', 'ada'));
    const closed = db.close?.();
    await expect(db.sessions.create(aSession('2', 'ada'))).rejects.toThrow('The database is closed.');
    await Promise.all([begun, closed, db.close?.()]);
    await expect(db.sessions.findMany(['1'])).rejects.toThrow('The database is closed.');
    const again = sqliteDatabase(path);
    expect(await again.sessions.findMany(['1', '2'])).toEqual([aSession('1', 'ada'), null]);
    await again.close?.();
  });
});
