// Who may have, change and lose passkeys.
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { AccountsServer, code, magicLink, passkey } from '../../../src/index.ts';
import { PASSWORD, SECRET } from '../../accounts.ts';
import { createAccounts } from './accounts.ts';
import { Authenticator } from './authenticator.ts';

const OPERATIONS = [
  { name: 'passkeys', query: '{ passkeys { id } }' },
  { name: 'passkeyRegistrationOptions', query: 'mutation { passkeyRegistrationOptions }' },
  { name: 'passkeyRegister', query: 'mutation { passkeyRegister(response: {}) { id } }' },
  { name: 'passkeyRename', query: 'mutation { passkeyRename(id: "x", name: "y") { id } }' },
  { name: 'passkeyRemove', query: 'mutation { passkeyRemove(id: "x") }' },
];

test.each(OPERATIONS)('$name needs a session', async ({ query }) => {
  expect((await createAccounts().ask(query)).code).toBe('UNAUTHENTICATED');
});

test.each(OPERATIONS.filter(({ name }) => name !== 'passkeys'))(
  'S42 $name is not for who impersonates',
  async ({ query }) => {
    const { member, server, ask } = createAccounts();
    const { userId } = await member('ada@example.com');
    const admin = await member('admin@example.com');
    const { tokens } = await server.impersonate(admin.token, { userId });
    expect((await ask(query, {}, tokens?.accessToken)).code).toBe('FORBIDDEN');
  },
);

test.each(OPERATIONS.filter(({ name }) => /Registration|Register|Remove/.test(name)))(
  'S36 $name needs a fresh proof, before anything else is refused',
  async ({ query }) => {
    const { member, clock, ask } = createAccounts();
    const { token } = await member('ada@example.com');
    clock.pass(10 * 60_000 + 1);
    expect((await ask(query, {}, token)).code).toBe('RECENT_LOGIN_REQUIRED');
  },
);

test("another user's passkey is answered as one that nobody has", async () => {
  const { member, addPasskey, rename, remove, passkeys } = createAccounts();
  const ada = await member('ada@example.com');
  const grace = await member('grace@example.com');
  const { id } = await addPasskey(ada.token);
  expect((await rename(grace.token, id, 'mine')).code).toBe('PASSKEY_NOT_FOUND');
  expect((await remove(grace.token, id)).code).toBe('PASSKEY_NOT_FOUND');
  expect(await passkeys(grace.token)).toEqual([]);
  expect(await passkeys(ada.token)).toMatchObject([{ id, name: 'Passkey' }]);
});

describe('the last way in', () => {
  /** A user whose password is gone: passkeys alone open the account. */
  async function withoutPassword(passkeys: number) {
    const accounts = createAccounts();
    const { userId, token } = await accounts.member('ada@example.com');
    const authenticators: Authenticator[] = [];
    for (let made = 0; made < passkeys; made++) authenticators.push(await accounts.addPasskey(token));
    const record = await accounts.db.identities.find('password', userId);
    await accounts.db.identities.remove('password', userId, record?.version ?? 0);
    return { ...accounts, token, authenticators };
  }

  test('may be a passkey, and is not removed then', async () => {
    const { token, authenticators, remove, enterWith } = await withoutPassword(1);
    const [authenticator = new Authenticator()] = authenticators;
    expect((await remove(token, authenticator.id)).code).toBe('LAST_WAY_IN');
    expect((await enterWith(authenticator)).code).toBeUndefined();
  });

  test('stays when all are removed at once', async () => {
    const { token, authenticators, remove, passkeys } = await withoutPassword(4);
    await Promise.all(authenticators.map(({ id }) => remove(token, id)));
    expect(await passkeys(token)).toHaveLength(1);
  });

  test.each([
    { name: 'magic links', service: { magicLink: magicLink() } },
    { name: 'mailed codes', service: { code: code() } },
  ])('may be a verified address where $name are registered', async ({ service }) => {
    const db = memoryDatabase();
    const { member, addPasskey } = createAccounts({}, {}, db);
    const { userId, token } = await member('ada@example.com');
    const { id } = await addPasskey(token);
    const record = await db.identities.find('password', userId);
    await db.identities.remove('password', userId, record?.version ?? 0);
    const options = { db, tokenSecret: SECRET, siteUrl: 'http://localhost:3000' };
    const { services } = new AccountsServer(options, { passkey: passkey(), ...service });
    const remove = () => services.passkey.remove(userId, id);
    await expect(remove()).rejects.toMatchObject({ code: 'LAST_WAY_IN' });
    const [user] = await db.users.findMany([userId]);
    if (!user) throw new Error('there is no user');
    const emails = user.emails.map((email) => ({ ...email, verified: true }));
    await db.users.update({ ...user, emails });
    await remove();
    expect(await services.passkey.list(userId)).toEqual([]);
  });

  test('is no passkey of a domain that the site has left', async () => {
    const { token, authenticators, db, remove, passkeys } = await withoutPassword(2);
    const [old = new Authenticator(), current = new Authenticator()] = authenticators;
    const identity = await db.identities.find('passkey', old.id);
    if (identity)
      await db.identities.update({ ...identity, data: { ...identity.data, rpId: 'old.example.com' } });
    expect((await remove(token, current.id)).code).toBe('LAST_WAY_IN');
    expect((await remove(token, old.id)).code).toBeUndefined();
    expect(await passkeys(token)).toMatchObject([{ id: current.id }]);
  });
});

describe('a session that ends meanwhile leaves no passkey behind', () => {
  test('when its owner ends all of them', async () => {
    const { member, db, registrationOptions, register, server, enterWith } = createAccounts();
    const { userId, token } = await member('ada@example.com');
    const authenticator = new Authenticator();
    const response = authenticator.create(await registrationOptions(token));
    const { insert } = db.identities;
    db.identities.insert = async (identity) => {
      await db.invalidateAllSessions(userId);
      return insert.call(db.identities, identity);
    };
    expect((await register(token, response)).code).toBe('UNAUTHENTICATED');
    await server.settled();
    expect(await server.services.passkey.list(userId)).toEqual([]);
    expect((await enterWith(authenticator)).code).toBe('INVALID_CREDENTIALS');
  });

  test('when the user is deactivated', async () => {
    const { member, db, registrationOptions, register, server } = createAccounts();
    const { userId, token } = await member('ada@example.com');
    const response = new Authenticator().create(await registrationOptions(token));
    const { insert } = db.identities;
    db.identities.insert = async (identity) => {
      await server.deactivateUser(userId);
      return insert.call(db.identities, identity);
    };
    expect((await register(token, response)).code).toBe('UNAUTHENTICATED');
    await server.activateUser(userId);
    expect(await server.services.passkey.list(userId)).toEqual([]);
  });

  test('S55 nor does a store that fails before the session could be asked for again', async () => {
    const { member, db, registrationOptions, register, server, mails } = createAccounts();
    const { userId, token } = await member('ada@example.com');
    const response = new Authenticator().create(await registrationOptions(token));
    const { insert } = db.identities;
    const { findMany } = db.sessions;
    const joined = db.sessions.findWithUsers;
    const fail = async () => {
      throw new Error('away');
    };
    db.identities.insert = async (identity) => {
      Object.assign(db.sessions, { findMany: fail, ...(joined && { findWithUsers: fail }) });
      return insert.call(db.identities, identity);
    };
    expect((await register(token, response)).code).toBe('SERVICE_UNAVAILABLE');
    Object.assign(db.sessions, { findMany, ...(joined && { findWithUsers: joined }) });
    await server.settled();
    expect(await server.services.passkey.list(userId)).toEqual([]);
    expect(mails).toEqual([]);
  });

  test('nor does one that ends before it removes take one away', async () => {
    const { member, db, addPasskey, passkeys, logIn, remove } = createAccounts();
    const { userId, token } = await member('ada@example.com');
    const { id } = await addPasskey(token);
    const { findByUser } = db.identities;
    db.identities.findByUser = async (user) => {
      await db.invalidateAllSessions(userId);
      return findByUser.call(db.identities, user);
    };
    expect((await remove(token, id)).code).toBe('UNAUTHENTICATED');
    db.identities.findByUser = findByUser;
    expect(await passkeys(await logIn('ada@example.com'))).toHaveLength(1);
  });
});

test('S39 the first proof of an address removes the passkey that a stranger had prepared', async () => {
  const { member, addPasskey, enterWith, server, mails } = createAccounts();
  const { userId, token } = await member('ada@example.com');
  const prepared = await addPasskey(token);
  await server.services.password.sendResetPasswordEmail('ada@example.com');
  await server.settled();
  const link = mails.findLast(({ text }) => text.includes('/reset-password/'))?.text;
  const [, reset = ''] = /\/reset-password\/([\w-]+)/.exec(link ?? '') ?? [];
  await server.services.password.resetPassword(reset, `${PASSWORD} anew`, {});
  expect(await server.services.passkey.list(userId)).toEqual([]);
  expect((await enterWith(prepared)).code).toBe('INVALID_CREDENTIALS');
});

test('S46 S47 every operation is told of, without a secret', async () => {
  const { member, server, loginOptions, registrationOptions, register, enter, rename, remove, errors } =
    createAccounts();
  const { userId, token } = await member('ada@example.com');
  const told: { name: string; event: object }[] = [];
  for (const operation of ['Register', 'Rename', 'Remove'] as const) {
    for (const outcome of ['Success', 'Error'] as const) {
      const name = `Passkey${operation}${outcome}` as const;
      server.on(name, (event) => told.push({ name, event }));
    }
  }
  for (const name of ['LoginSuccess', 'LoginError', 'PasskeyCounterReused'] as const) {
    server.on(name, (event) => told.push({ name, event }));
  }
  const authenticator = new Authenticator();
  const registration = await registrationOptions(token);
  const made = authenticator.create(registration);
  await register(token, made, 'canary name');
  await register(token, made);
  const { options, challenge } = await loginOptions();
  const answer = authenticator.get(options, { counter: 1 });
  await enter(challenge, answer);
  await enter(challenge, answer);
  const again = await loginOptions();
  const copied = authenticator.get(again.options, { counter: 1 });
  await enter(again.challenge, copied);
  await rename(token, authenticator.id, 'phone');
  await rename(token, 'nobody', 'phone');
  await remove(token, 'nobody');
  await remove(token, authenticator.id);
  expect(told.map(({ name }) => name)).toEqual([
    ...['PasskeyRegisterSuccess', 'PasskeyRegisterError', 'LoginSuccess', 'LoginError'],
    ...['PasskeyCounterReused', 'LoginError', 'PasskeyRenameSuccess', 'PasskeyRenameError'],
    ...['PasskeyRemoveError', 'PasskeyRemoveSuccess'],
  ]);
  expect(told[0]?.event).toMatchObject({ user: { id: userId }, passkeyId: authenticator.id });
  expect(told[1]?.event).toMatchObject({ userId, error: { code: 'INVALID_TOKEN' } });
  const everything = JSON.stringify([told, errors]);
  const secrets = [registration.challenge, challenge, again.challenge, answer.response.signature];
  for (const secret of [...secrets, copied.response.clientDataJSON, made.response.attestationObject]) {
    expect(everything).not.toContain(secret);
  }
});
