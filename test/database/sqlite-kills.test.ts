import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { start, startOnSmallDisk, stopAll } from './fixtures/children.ts';
import { newPath } from './fixtures/paths.ts';

const KILLS = 200;
const LANES = 2;

afterEach(stopAll);

describe('a process that makes users in a SQLite file', () => {
  test('leaves whole users and keeps what it acknowledged, at whichever moment it is killed', async () => {
    let acknowledged = 0;
    const lane = async (): Promise<void> => {
      for (let path = newPath(), kill = 0; kill < KILLS / LANES; kill++) {
        // A new file now and then, so that some are killed while they make it.
        if (kill % 10 === 0) path = newPath();
        const child = start('create', path);
        const first = kill % 5 === 0 ? [] : [await child.line()];
        await sleep(Math.random() * (first.length === 0 ? 150 : 25));
        child.kill();
        const ids = [...first, ...(await child.rest())];
        acknowledged += ids.length;
        await expectWhole(path, ids);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(acknowledged).toBeGreaterThan(KILLS / 2);
  }, 120_000);

  test('acknowledges nothing that a full disk did not take', async () => {
    const path = newPath();
    const lines = await startOnSmallDisk('create', path).rest();
    const refusals = lines.filter((line) => line.startsWith('Error'));
    expect(refusals.length).toBe(8);
    for (const refusal of refusals)
      expect(refusal).toMatch(/^Error: The database ".*" cannot be used: the disk .+\.$/);
    expect(lines.length).toBeGreaterThan(refusals.length);
    await expectWhole(
      path,
      lines.filter((line) => !refusals.includes(line)),
    );
  });
});

async function expectWhole(path: string, ids: readonly string[]): Promise<void> {
  const db = sqliteDatabase(path);
  const users = await db.users.findMany(ids);
  expect(users.map((user) => user?.profile.id)).toEqual(ids);
  await db.close?.();

  const raw = new DatabaseSync(path);
  const halves = raw
    .prepare(
      `WITH owners AS (SELECT user_id, count(*) AS identities FROM identities GROUP BY user_id)
       SELECT * FROM users FULL JOIN owners ON owners.user_id = users.id WHERE users.id IS NULL OR identities IS NOT 3`,
    )
    .all();
  expect(halves).toEqual([]);
  expect(raw.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  raw.close();
}
