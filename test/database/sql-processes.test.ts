import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { aSession } from '../../src/database/conformance/records.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { sqlDatabase } from '../../src/database/sql/index.ts';
import { type Child, start, stopAll } from './fixtures/children.ts';
import { onSqlServers } from './fixtures/sql.ts';

afterEach(stopAll);

async function startTwo(url: string): Promise<[Child, Child]> {
  const children: [Child, Child] = [start('sql-child', url), start('sql-child', url)];
  for (const child of children) expect(await child.line()).toBe('ready');
  return children;
}

onSqlServers('two processes on', ({ newUrl }) => {
  let url = '';
  let db: AccountsDatabase;
  beforeAll(async () => {
    url = await newUrl();
    db = sqlDatabase(url);
    await db.migrate?.();
  });
  afterAll(() => db.close?.());

  test('see at once what the other has acknowledged (S22)', async () => {
    const [ours, theirs] = await startTwo(url);
    for (let n = 0; n < 50; n++) {
      await db.sessions.create(aSession(`session${n}`, 'ada'));
      ours.say(`revokedAt session${n}`);
      expect(await ours.line()).toBe('null');
      theirs.say(`revoke session${n}`);
      expect(await theirs.line()).toBe('true');
      ours.say(`revokedAt session${n}`);
      expect(await ours.line()).toBe('7');
    }
  });

  test('of their rotations of one session one succeeds', async () => {
    const children = await startTwo(url);
    for (let n = 0; n < 50; n++) {
      await db.sessions.create(aSession(`rotated${n}`, 'ada'));
      for (const child of children) child.say(`rotate rotated${n}`);
      const won = await Promise.all(children.map((child) => child.line()));
      expect(won.toSorted()).toEqual(['false', 'true']);
      expect((await db.sessions.findMany([`rotated${n}`]))[0]?.version).toBe(2);
    }
  });

  test('migrate an empty database at once, time and again', async () => {
    for (let round = 0; round < 5; round++) {
      const empty = await newUrl();
      const children = await startTwo(empty);
      for (const child of children) child.say('migrate');
      for (const child of children) expect(await child.line()).toBe('undefined');
      const migrated = sqlDatabase(empty);
      expect(await migrated.ping?.()).toBe(undefined);
      await migrated.close?.();
      await stopAll();
    }
  });
});
