import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import {
  aCounter,
  anIdentity,
  aSession,
  aToken,
  aUser,
  NOW,
} from '../../src/database/conformance/records.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { newPath } from './fixtures/paths.ts';

afterEach(() => void vi.restoreAllMocks());

test('every statement finds its rows by an index, however many there are', async () => {
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const path = newPath();
  const db = sqliteDatabase(path);
  await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
  await db.users.findMany(['ada']);
  await db.users.update(aUser('ada'));
  await db.identities.find('email', 'a');
  await db.identities.findByUser('ada');
  await db.identities.insert(anIdentity('ada', 'b'));
  await db.identities.update(anIdentity('ada', 'b'));
  await db.identities.remove('email', 'b', 2);
  await db.sessions.create(aSession('1', 'ada'));
  await db.sessions.findMany(['1']);
  await db.sessions.findWithUsers?.(['1']);
  await db.sessions.update(aSession('1', 'ada'));
  await db.sessions.findByUser('ada');
  await db.sessions.revokeAll('ada', NOW, []);
  await db.sessions.revoke('1', NOW);
  await db.sessions.removeExpired(NOW);
  await db.oneTimeTokens.put(aToken('key', 'hash'));
  await db.oneTimeTokens.find('hash');
  await db.oneTimeTokens.consume('hash', 'reset-password');
  await db.oneTimeTokens.remove('key');
  await db.oneTimeTokens.removeByUser('ada');
  await db.oneTimeTokens.removeByUser('ada', 'reset-password');
  await db.oneTimeTokens.removeExpired(NOW);
  await db.counters?.add(aCounter('a'), NOW);
  await db.counters?.put(aCounter('a'));
  await db.counters?.find('a');
  await db.counters?.remove('a');
  await db.counters?.removeExpired(NOW);
  await db.close?.();
  const statements = prepare.mock.calls
    .map(([sql]) => sql)
    .filter((sql) => /\b(users|identities|sessions|one_time_tokens|counters)\b/.test(sql));
  vi.restoreAllMocks();

  const raw = new DatabaseSync(path);
  const plans = new Map(
    statements.map((sql) => [
      sql,
      raw
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    ]),
  );
  raw.close();
  expect(plans.size).toBeGreaterThan(25);
  const scans = [...plans].filter(([, steps]) =>
    steps.some((step) =>
      /^SCAN (users|identities|sessions|one_time_tokens|counters)(?!.* USING .*INDEX)/.test(step),
    ),
  );
  expect(scans).toEqual([]);
  const searches = [...plans.values()].flat().filter((step) => /^SEARCH \w+ USING /.test(step));
  expect(searches.length).toBeGreaterThan(15);
});
