import { expect, test } from 'vitest';
import { Background } from '../../src/core/background.ts';
import { OneTimeTokens } from '../../src/core/one-time-tokens.ts';
import { Ownership } from '../../src/core/ownership.ts';
import { Sessions } from '../../src/core/sessions.ts';
import { createStore } from '../../src/core/store.ts';
import { Users } from '../../src/core/users.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { UserRecord } from '../../src/database/ports.ts';
import { createClock } from '../accounts.ts';

async function setup() {
  const { now } = createClock();
  const db = memoryDatabase();
  const store = createStore(db, 1_000, () => undefined);
  const users = new Users(store, now);
  const lifetimes = { idle: 1e9, absolute: 1e9, impersonation: 1e9, grace: 0, recent: 1e9 };
  const sessions = new Sessions(store, lifetimes, now);
  const background = new Background(() => undefined);
  const ownership = new Ownership({
    users,
    sessions,
    oneTimeTokens: new OneTimeTokens(store, now),
    background,
  });
  const email = { address: 'ada@example.com', canonical: 'ada@example.com', verified: false, claimed: true };
  const user = (await users.create({
    username: null,
    emails: [email],
    profile: {},
    credentials: { totp: { secret: "a stranger's" } },
  })) as UserRecord;
  const identity = await users.findIdentity('totp', user.id);
  if (!identity) throw new Error('the identity was not made');
  await users.removeIdentity(identity);
  return { db, users, ownership, user, email, identity };
}

test('S39 what is brought back after a takeover goes again, also where the first try failed half-way', async () => {
  const { db, users, ownership, user, email, identity } = await setup();
  await ownership.takeOver(user, email);
  const { findMany } = db.users;
  db.users.findMany = async () => {
    throw new Error('down');
  };
  await expect(ownership.restore(user, identity)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  db.users.findMany = findMany;
  expect(await ownership.restore(user, identity)).toBe(false);
  expect(await users.findIdentity('totp', user.id)).toBe(null);
});

test('S39 what the owner has made anew meanwhile stays', async () => {
  const { users, ownership, user, email, identity } = await setup();
  await ownership.takeOver(user, email);
  await users.insertIdentity('totp', user.id, user.id, { secret: "the owner's" });
  expect(await ownership.restore(user, identity)).toBe(false);
  expect((await users.findIdentity('totp', user.id))?.data).toEqual({ secret: "the owner's" });
});

test('without a takeover it is back', async () => {
  const { users, ownership, user, identity } = await setup();
  expect(await ownership.restore(user, identity)).toBe(true);
  expect((await users.findIdentity('totp', user.id))?.data).toEqual(identity.data);
});
