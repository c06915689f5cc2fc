import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/core/store.ts';
import { SECOND } from '../../src/core/time.ts';
import { toUser } from '../../src/core/user.ts';
import { Users } from '../../src/core/users.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsDatabase, UserRecord } from '../../src/database/ports.ts';
import { codeOf, createAccounts, PASSWORD } from '../accounts.ts';

/** What a process leaves that was killed between the two steps of claiming a name. */
const leaveBehind = (
  { db, clock }: Pick<ReturnType<typeof createAccounts>, 'db' | 'clock'>,
  service: 'email' | 'username',
  subject: string,
  userId = 'a user who was never made',
) => db.identities.insert({ service, subject, userId, version: 1, data: {}, createdAt: clock.now() });

describe('S54 a name that a killed process has claimed', () => {
  test('is free for a sign-up after 8 seconds, and not before', async () => {
    const accounts = createAccounts({ ambiguousErrorMessages: false });
    const { service, clock } = accounts;
    await leaveBehind(accounts, 'username', 'ada');
    await leaveBehind(accounts, 'email', 'ada@example.com');
    const byName = () => service.createUser({ username: 'Ada', password: PASSWORD });
    const byAddress = () => service.createUser({ email: 'ADA@example.com', password: PASSWORD });
    clock.pass(8 * SECOND - 1);
    expect(await codeOf(byName())).toBe('USERNAME_TAKEN');
    expect(await codeOf(byAddress())).toBe('EMAIL_TAKEN');
    clock.pass(1);
    expect(await codeOf(byName())).toBe('not refused');
    expect(await codeOf(byAddress())).toBe('not refused');
    expect(await codeOf(byName())).toBe('USERNAME_TAKEN');
    expect((await service.findUserByUsername('ada'))?.emails).toEqual([]);
  });

  test('is free for a user who wants another one after 8 seconds, and not before', async () => {
    const accounts = createAccounts();
    const { service, clock, signUp } = accounts;
    const ada = await signUp({ username: 'ada' });
    const grace = await signUp({ username: 'grace' });
    // Grace's process was killed after it had claimed the name and before it was hers.
    await leaveBehind(accounts, 'username', 'lovelace', grace);
    clock.pass(8 * SECOND - 1);
    expect(await codeOf(service.setUsername(ada, 'lovelace'))).toBe('USERNAME_TAKEN');
    clock.pass(1);
    expect(await codeOf(service.setUsername(ada, 'lovelace'))).toBe('not refused');
    expect(await codeOf(service.setUsername(grace, 'lovelace'))).toBe('USERNAME_TAKEN');
    expect((await service.findUserByUsername('lovelace'))?.id).toBe(ada);
  });

  test('is at once free for the user for whom it was claimed', async () => {
    const accounts = createAccounts();
    const grace = await accounts.signUp({ username: 'grace' });
    await leaveBehind(accounts, 'username', 'hopper', grace);
    expect(await codeOf(accounts.service.setUsername(grace, 'hopper'))).toBe('not refused');
    expect((await accounts.service.findUserByUsername('hopper'))?.id).toBe(grace);
    expect(await accounts.service.findUserByUsername('grace')).toBeNull();
  });

  test('logs nobody in, and finds nobody', async () => {
    const accounts = createAccounts();
    const grace = await accounts.signUp({ username: 'grace' });
    await leaveBehind(accounts, 'username', 'hopper', grace);
    await leaveBehind(accounts, 'email', 'hopper@example.com', grace);
    expect(await accounts.service.findUserByUsername('hopper')).toBeNull();
    expect(await accounts.service.findUserByEmail('hopper@example.com')).toBeNull();
    expect(await codeOf(accounts.logIn('hopper'))).toBe('INVALID_CREDENTIALS');
    expect(await codeOf(accounts.logIn('hopper@example.com'))).toBe('INVALID_CREDENTIALS');
  });

  test('is never free while a user has it', async () => {
    const { service, clock, signUp } = createAccounts({ ambiguousErrorMessages: false });
    await signUp({ username: 'ada', email: 'ada@example.com' });
    clock.pass(1000 * 24 * 3600 * SECOND);
    expect(await codeOf(service.createUser({ username: 'ADA', password: PASSWORD }))).toBe('USERNAME_TAKEN');
    expect(await codeOf(service.createUser({ email: 'Ada@Example.com', password: PASSWORD }))).toBe(
      'EMAIL_TAKEN',
    );
  });
});

describe('a claim that is overtaken', () => {
  /** Two servers on one database, of which one stops where it is told to. */
  const start = async () => {
    const db = memoryDatabase();
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const stopped = { port: '' };
    const stopAt = <T extends object>(port: T, name: string): T =>
      Object.fromEntries(
        Object.entries(port).map(([method, work]) => [
          method,
          async (...args: unknown[]) => {
            if (stopped.port === `${name}.${method}`) {
              reached.resolve();
              await gate.promise;
            }
            return (work as (...given: unknown[]) => unknown).apply(port, args);
          },
        ]),
      ) as T;
    const quick = createAccounts({ db });
    const slow = createAccounts({
      db: { ...db, users: stopAt(db.users, 'users'), identities: stopAt(db.identities, 'identities') },
      now: quick.clock.now,
    });
    const ada = await quick.signUp({ username: 'ada' });
    const grace = await quick.signUp({ username: 'grace' });
    const nameOf = async (id: string) => (await quick.server.findUserById(id))?.username;
    const holder = async () => (await quick.service.findUserByUsername('wanted'))?.id;
    return {
      quick,
      slow,
      ada,
      grace,
      db,
      nameOf,
      holder,
      /** Runs on the slow server until it reaches the port, then `meanwhile` on the quick one, then the rest. */
      async overtake(port: string, first: () => Promise<unknown>, meanwhile: () => Promise<unknown>) {
        stopped.port = port;
        const slowly = codeOf(first());
        await reached.promise;
        const quickly = await codeOf(meanwhile());
        stopped.port = '';
        gate.resolve();
        return { quickly, slowly: await slowly };
      },
    };
  };

  test('by its owner, who takes it at last, is not taken away from them', async () => {
    const { quick, slow, ada, grace, nameOf, holder, overtake } = await start();
    await leaveBehind(quick, 'username', 'wanted', ada);
    quick.clock.pass(10 * SECOND);
    // Grace has seen that nobody lists the name, and is about to remove what was left behind.
    const outcome = await overtake(
      'identities.remove',
      () => slow.service.setUsername(grace, 'wanted'),
      () => quick.service.setUsername(ada, 'wanted'),
    );
    expect(outcome).toEqual({ quickly: 'not refused', slowly: 'USERNAME_TAKEN' });
    expect([await nameOf(ada), await nameOf(grace), await holder()]).toEqual(['wanted', 'grace', ada]);
  });

  test('by somebody else, because it took too long, is undone', async () => {
    const { quick, slow, ada, grace, nameOf, holder, overtake } = await start();
    const outcome = await overtake(
      'users.update',
      () => slow.service.setUsername(ada, 'wanted'),
      async () => {
        quick.clock.pass(10 * SECOND);
        await quick.service.setUsername(grace, 'wanted');
      },
    );
    expect(outcome).toEqual({ quickly: 'not refused', slowly: 'USERNAME_TAKEN' });
    expect([await nameOf(ada), await nameOf(grace), await holder()]).toEqual(['ada', 'wanted', grace]);
    expect((await quick.logIn('wanted')).user.id).toBe(grace);
    expect((await quick.logIn('ada')).user.id).toBe(ada);
  });

  test('by a sign-up, because it took too long, is undone', async () => {
    const { quick, slow, ada, nameOf, holder, overtake } = await start();
    const outcome = await overtake(
      'users.update',
      () => slow.service.setUsername(ada, 'wanted'),
      async () => {
        quick.clock.pass(10 * SECOND);
        await quick.signUp({ username: 'Wanted' });
      },
    );
    expect(outcome).toEqual({ quickly: 'not refused', slowly: 'USERNAME_TAKEN' });
    expect(await nameOf(ada)).toBe('ada');
    expect([undefined, ada]).not.toContain(await holder());
  });

  test('by a sign-up that is too early fails the sign-up', async () => {
    const { quick, slow, ada, nameOf, holder, overtake } = await start();
    const outcome = await overtake(
      'users.update',
      () => slow.service.setUsername(ada, 'wanted'),
      () => quick.service.createUser({ username: 'wanted', password: PASSWORD }),
    );
    expect(outcome).toEqual({ quickly: 'USERNAME_TAKEN', slowly: 'not refused' });
    expect([await nameOf(ada), await holder()]).toEqual(['wanted', ada]);
  });
});

describe('names that are wanted at once', () => {
  test('100 sign-ups of one username in many spellings give one user', async () => {
    const { service, db } = createAccounts();
    const spellings = ['straße', 'STRASSE', 'Strasse', 'ＳＴＲＡＳＳＥ'];
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        codeOf(service.createUser({ username: spellings[index % 4] ?? '', password: PASSWORD })),
      ),
    );
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(codes.filter((code) => code === 'USERNAME_TAKEN')).toHaveLength(99);
    expect(await db.identities.find('username', 'strasse')).not.toBeNull();
  });

  test('two users who set one username: one gets it, the other keeps the name they had', async () => {
    const { service, server, signUp } = createAccounts();
    const ids = await Promise.all([signUp({ username: 'ada' }), signUp({ username: 'grace' })]);
    const codes = await Promise.all(ids.map((id) => codeOf(service.setUsername(id, 'wanted'))));
    expect([...codes].sort()).toEqual(['USERNAME_TAKEN', 'not refused']);
    const names = await Promise.all(ids.map(async (id) => (await server.findUserById(id))?.username));
    const winner = codes.indexOf('not refused');
    expect(names[winner]).toBe('wanted');
    expect(names[1 - winner]).toBe(['ada', 'grace'][1 - winner]);
    expect((await service.findUserByUsername('wanted'))?.id).toBe(ids[winner]);
  });

  test('one user who sets two usernames has one of them, and the others are free again', async () => {
    const { service, server, signUp, clock } = createAccounts();
    const ada = await signUp({ username: 'ada' });
    const codes = await Promise.all(
      ['first', 'second'].map((name) => codeOf(service.setUsername(ada, name))),
    );
    expect(codes).toEqual(['not refused', 'not refused']);
    const name = (await server.findUserById(ada))?.username ?? '';
    expect((await service.findUserByUsername(name))?.id).toBe(ada);
    clock.pass(8 * SECOND);
    for (const other of ['ada', 'first', 'second'].filter((candidate) => candidate !== name)) {
      expect(await service.findUserByUsername(other)).toBeNull();
      expect(await codeOf(service.createUser({ username: other, password: PASSWORD }))).toBe('not refused');
    }
  });

  for (const order of ['one after the other', 'at once']) {
    test(`two users who add one address: the first to confirm it has it, ${order}`, async () => {
      const { service, server, mails, signUp } = createAccounts();
      const ids = await Promise.all([signUp({ username: 'ada' }), signUp({ username: 'grace' })]);
      const links: string[] = [];
      for (const id of ids) {
        await service.addEmail(id, 'shared@example.com');
        await server.settled();
        links.push(mails.at(-1)?.text.match(/verify-email\/([\w-]+)/)?.[1] ?? '');
      }
      expect(new Set(links).size).toBe(2);
      expect(await service.findUserByEmail('shared@example.com')).toBeNull();
      const verify = (link: string) => codeOf(service.verifyEmail(link));
      const [first = '', second = ''] = links;
      const codes =
        order === 'at once'
          ? await Promise.all(links.map(verify))
          : [await verify(first), await verify(second)];
      expect([...codes].sort()).toEqual(['EMAIL_TAKEN', 'not refused']);
      const winner = codes.indexOf('not refused');
      if (order !== 'at once') expect(winner).toBe(0);
      const listed = await Promise.all(ids.map(async (id) => (await server.findUserById(id))?.emails));
      expect(listed[winner]).toEqual([{ address: 'shared@example.com', verified: true }]);
      expect(listed[1 - winner]).toEqual([{ address: 'shared@example.com', verified: false }]);
      expect((await service.findUserByEmail('shared@example.com'))?.id).toBe(ids[winner]);
    });
  }
});

describe('a store that always says that somebody was first', () => {
  const start = (port: (db: AccountsDatabase) => Partial<AccountsDatabase>) => {
    const db = memoryDatabase();
    const store = createStore({ ...db, ...port(db) }, 1000, () => {});
    return { db, users: new Users(store, () => 0) };
  };
  const nobody = { username: null, emails: [], profile: {}, credentials: {} };
  const user: UserRecord = {
    id: 'ada',
    version: 1,
    username: 'ada',
    emails: [],
    deactivated: false,
    profile: {},
    createdAt: 0,
    updatedAt: 0,
  };

  test('is asked a bounded number of times at a sign-up', async () => {
    let asked = 0;
    const { users } = start((db) => ({
      users: {
        ...db.users,
        create: async () => {
          asked++;
          return { service: 'username', subject: 'ada' };
        },
      },
    }));
    const username = { username: 'ada', canonical: 'ada' };
    expect(await codeOf(users.create({ ...nobody, username }))).toBe('SERVICE_UNAVAILABLE');
    expect(asked).toBe(20);
  });

  test('is asked a bounded number of times when a user is changed', async () => {
    let asked = 0;
    const { users, db } = start((memory) => ({
      users: {
        ...memory.users,
        update: async () => {
          asked++;
          return false;
        },
      },
    }));
    await db.users.create(user, []);
    expect(await codeOf(users.update('ada', () => ({ deactivated: true })))).toBe('SERVICE_UNAVAILABLE');
    expect(asked).toBe(20);
    expect(await codeOf(users.update('nobody', () => ({})))).toBe('USER_NOT_FOUND');
  });

  test('is asked a bounded number of times when a name is claimed', async () => {
    let asked = 0;
    const { users } = start((db) => ({
      identities: {
        ...db.identities,
        insert: async () => {
          asked++;
          return false;
        },
      },
    }));
    expect(await codeOf(users.names.claim('username', 'ada', 'ada'))).toBe('SERVICE_UNAVAILABLE');
    expect(asked).toBe(20);
  });

  test('lets every change through that is repeated on the newest record', async () => {
    const { users, db } = start(() => ({}));
    await db.users.create(user, []);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        users.update('ada', ({ profile }) => ({ profile: { ...profile, [`key${index}`]: index } })),
      ),
    );
    expect(Object.keys((await users.find('ada'))?.profile ?? {})).toHaveLength(10);
    expect((await users.find('ada'))?.version).toBe(11);
  });
});

describe('what applications see of a user', () => {
  const record: UserRecord = {
    id: 'ada',
    version: 7,
    username: 'Ada',
    deactivated: false,
    profile: { roles: ['reader'] },
    emails: [{ address: 'Ada@example.com', canonical: 'ada@example.com', verified: true, claimed: true }],
    createdAt: 1,
    updatedAt: 2,
  };

  test('holds nothing of how it is stored', () => {
    expect(toUser(record)).toEqual({
      id: 'ada',
      username: 'Ada',
      deactivated: false,
      profile: { roles: ['reader'] },
      emails: [{ address: 'Ada@example.com', verified: true }],
      createdAt: new Date(1),
      updatedAt: new Date(2),
    });
  });

  test('S48 is a copy: what one request writes into it is not for another that was looked up with it', async () => {
    const { server, db, signUp, logIn } = createAccounts();
    const id = await signUp({ username: 'ada' });
    const [stored] = await db.users.findMany([id]);
    if (stored) await db.users.update({ ...stored, profile: { roles: ['reader'] } });
    const { tokens } = await logIn('ada');
    const [first, second] = await Promise.all([
      server.resumeSession(tokens.accessToken),
      server.resumeSession(tokens.accessToken),
    ]);
    (first.profile.roles as string[]).push('admin');
    first.emails.push({ address: 'evil@example.com', verified: true });
    expect(second).toMatchObject({ profile: { roles: ['reader'] }, emails: [] });
  });

  test('a userObjectSanitizer changes for every way of seeing it, and for the claims', async () => {
    const { server, signUp, logIn } = createAccounts({
      userObjectSanitizer: (user) => ({ ...user, username: null, seen: true }),
      createJwtPayload: (_, user) => ({ seen: 'seen' in user }),
    });
    await signUp({ username: 'ada' }).catch(() => undefined);
    const seen: unknown[] = [];
    server.on('LoginSuccess', ({ user }) => seen.push(user));
    const { user, tokens } = await logIn('ada');
    seen.push(user, await server.resumeSession(tokens.accessToken), await server.findUserById(user.id));
    seen.push((await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).user);
    expect(seen).toHaveLength(5);
    for (const each of seen) expect(each).toMatchObject({ seen: true, username: null });
  });
});

describe('a flood of changes of one user', () => {
  test('S18 keeps nobody from deactivating the user', async () => {
    const { server, service, signUp, logIn } = createAccounts();
    const id = await signUp({ username: 'ada' });
    const { tokens } = await logIn('ada');
    const flood = Array.from({ length: 100 }, (_, index) =>
      codeOf(service.setUsername(id, `ada${index % 2}`)),
    );
    await server.deactivateUser(id);
    expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    await Promise.all(flood);
    expect(await server.findUserById(id)).toMatchObject({ deactivated: true });
  });

  test('writes nothing where nothing changes', async () => {
    const { service, signUp, db } = createAccounts();
    const id = await signUp({ username: 'ada' });
    await service.addEmail(id, 'ada@example.com');
    const [before] = await db.users.findMany([id]);
    await Promise.all(Array.from({ length: 20 }, () => service.addEmail(id, 'ADA@example.com')));
    expect((await db.users.findMany([id]))[0]?.version).toBe(before?.version);
  });
});
