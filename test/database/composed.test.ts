import { expect, test } from 'vitest';
import { checkedDatabase, checkedSessions } from '../../src/database/checked.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';

const isClosed = async (db: AccountsDatabase): Promise<boolean> =>
  db.users.findMany(['nobody']).then(
    () => false,
    () => true,
  );

test('a composed database closes the stores that it is made of, and those alone', async () => {
  const [base, other, third] = [sqliteDatabase(':memory:'), sqliteDatabase(':memory:'), memoryDatabase()];
  const composed: AccountsDatabase = {
    ...base,
    sessions: other.sessions,
    oneTimeTokens: third.oneTimeTokens,
  };
  await composed.ping?.();
  expect(await composed.sessions.findMany(['nobody'])).toEqual([null]);
  await composed.close?.();
  expect(await Promise.all([base, other, third].map(isClosed))).toEqual([true, true, false]);
  // Again, and at once with itself, it does nothing.
  await Promise.all([composed.close?.(), base.close?.(), other.close?.()]);
});

test('joined look-ups are of the database that they were made for', () => {
  const [one, two] = [sqliteDatabase(':memory:'), sqliteDatabase(':memory:')];
  expect(one.sessions.joinedWith).toBe(one.users);
  expect({ ...one, sessions: two.sessions }.sessions.joinedWith).not.toBe(one.users);
});

test('a store keeps its own close, and one that fails keeps no other open', async () => {
  const closed: string[] = [];
  const { users, identities, sessions, oneTimeTokens, counters } = memoryDatabase();
  if (!counters) throw new Error('it has counters');
  const closing = <T extends object>(store: T, name: string, fails = false) => ({
    ...store,
    close: async () => {
      closed.push(name);
      if (fails) throw new Error(`${name} cannot be closed`);
    },
  });
  const db = checkedDatabase({
    users: closing(users, 'users', true),
    identities,
    sessions: checkedSessions({
      ...closing(sessions, 'sessions'),
      counters: closing(counters, 'counters of sessions'),
    }),
    oneTimeTokens: closing(oneTimeTokens, 'tokens'),
    counters: closing(counters, 'counters'),
  });
  await expect(db.close?.()).rejects.toThrow('users cannot be closed');
  expect(closed.toSorted()).toEqual(['counters', 'counters of sessions', 'sessions', 'tokens', 'users']);
});
