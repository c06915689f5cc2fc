import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import {
  AccountsError,
  AccountsServer,
  type AccountsServerOptions,
  type AccountsService,
  type ConnectionInput,
  password,
  type ServiceContext,
  type ServiceFactory,
} from '../../src/index.ts';
import { codeOf, createAccounts, fastHashes, PASSWORD, SECRET } from '../accounts.ts';

const FROM = { ip: '192.0.2.1', userAgent: 'test' };

/** A way in of an application's own, which knows nothing of what the pipeline does: whoever holds a badge is its user. */
const badges: ServiceFactory<AccountsService> = {
  create: ({ users }: ServiceContext) => ({
    async authenticate({ badge }) {
      const user = await users.find(String(badge));
      if (!user) throw new AccountsError('INVALID_CREDENTIALS');
      return { user };
    },
  }),
};

/** A service of which `authenticate` is all. */
const serviceOf = (authenticate: unknown): ServiceFactory<AccountsService> => ({
  create: () => ({ authenticate }) as AccountsService,
});

async function start(
  options: Partial<AccountsServerOptions> = {},
  services: Record<string, ServiceFactory<AccountsService>> = {},
) {
  const db = options.db ?? memoryDatabase();
  const errors: unknown[] = [];
  const server = new AccountsServer(
    { db, tokenSecret: SECRET, sendMail: () => {}, onError: (error) => errors.push(error), ...options },
    {
      password: password({ ...fastHashes, returnTokensAfterResetPassword: true }),
      badge: badges,
      ...services,
    },
  );
  const service = server.services.password;
  await service.createUser({ username: 'ada', email: 'ada@example.com', password: PASSWORD });
  const user = await service.findUserByUsername('ada');
  const id = user?.id ?? '';
  const enrol = (userId: string = id) =>
    db.identities.insert({
      service: 'totp',
      subject: userId,
      userId,
      version: 1,
      data: {},
      createdAt: Date.now(),
    });
  const waysIn: Record<string, () => Promise<unknown>> = {
    password: () => server.loginWithService('password', { user: 'ada', password: PASSWORD }, FROM),
    'password by id': () => server.loginWithService('password', { user: { id }, password: PASSWORD }, FROM),
    'a service of the application': () => server.loginWithService('badge', { badge: id }, FROM),
    loginWithUser: () => server.loginWithUser({ id }, FROM),
    authenticateWithService: () => server.authenticateWithService('badge', { badge: id }, FROM),
  };
  return { server, service, db, errors, id, enrol, waysIn, sessions: () => db.sessions.findByUser(id) };
}

describe('every way in', () => {
  test('leads in, and each but authenticateWithService to a session', async () => {
    const { waysIn, sessions } = await start();
    for (const [name, way] of Object.entries(waysIn))
      expect([name, await codeOf(way())]).toEqual([name, 'not refused']);
    expect(await sessions()).toHaveLength(4);
  });

  test('S31 refuses who has a second factor, also where no service checks it', async () => {
    const { waysIn, enrol, sessions } = await start();
    await enrol();
    for (const [name, way] of Object.entries(waysIn)) {
      expect([name, await codeOf(way())]).toEqual([name, 'TWO_FACTOR_REQUIRED']);
    }
    expect(await sessions()).toEqual([]);
  });

  test('S31 a reset sets the password, and does not log in who has a second factor', async () => {
    const { service, server, mails, enrol, linkTo, id, logIn } = await withMails();
    await service.sendVerificationEmail('ada@example.com');
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
    await enrol(id);
    await service.sendResetPasswordEmail('ada@example.com');
    const link = await linkTo('ada@example.com', 'reset-password');
    expect(await codeOf(service.resetPassword(link, 'a quite different passphrase', FROM))).toBe(
      'TWO_FACTOR_REQUIRED',
    );
    expect(await codeOf(logIn('ada', 'a quite different passphrase'))).toBe('TWO_FACTOR_REQUIRED');
    expect(await codeOf(logIn('ada', PASSWORD))).toBe('INVALID_CREDENTIALS');
    await server.settled();
    expect(mails.length).toBeGreaterThan(0);
  });

  test('S31 autologin logs nobody in who has a second factor, is deactivated or is refused', async () => {
    for (const obstacle of ['totp', 'deactivated', 'refused', null]) {
      const db = memoryDatabase();
      const users = {
        ...db.users,
        create: async (...given: Parameters<typeof db.users.create>) => {
          const conflict = await db.users.create(...given);
          const [{ id }] = given;
          const createdAt = Date.now();
          if (obstacle === 'totp') {
            await db.identities.insert({
              service: 'totp',
              subject: id,
              userId: id,
              version: 1,
              data: {},
              createdAt,
            });
          }
          const [user] = await db.users.findMany([id]);
          if (user && obstacle === 'deactivated') await db.users.update({ ...user, deactivated: true });
          return conflict;
        },
      };
      const { server, service } = createAccounts({
        db: { ...db, users },
        enableAutologin: true,
        ambiguousErrorMessages: false,
      });
      if (obstacle === 'refused') server.on('ValidateLogin', () => Promise.reject(new Error('not yet')));
      const { userId, loginResult } = await service.createUser(
        { username: 'grace', password: PASSWORD },
        FROM,
      );
      expect(userId).toEqual(expect.any(String));
      if (obstacle === null) expect(loginResult).toMatchObject({ user: { id: userId } });
      else expect([obstacle, loginResult]).toEqual([obstacle, null]);
      expect(await db.sessions.findByUser(userId ?? '')).toHaveLength(obstacle === null ? 1 : 0);
    }
  });

  test('S7, S18 refuses the deactivated as it refuses a wrong password', async () => {
    const { server, waysIn, id, sessions } = await start();
    const wrong = await server
      .loginWithService('password', { user: 'ada', password: 'wrong password' }, FROM)
      .catch((error: unknown) => error);
    await server.deactivateUser(id);
    for (const [name, way] of Object.entries(waysIn)) {
      const error = await way().catch((refusal: unknown) => refusal);
      expect([name, error]).toEqual([name, wrong]);
    }
    expect(await sessions()).toEqual([]);
  });

  test('asks ValidateLogin of the application', async () => {
    const { server, waysIn, sessions } = await start();
    server.on('ValidateLogin', () => Promise.reject(new Error('not today')));
    for (const [name, way] of Object.entries(waysIn)) {
      const expected = name === 'authenticateWithService' ? 'not refused' : 'LOGIN_REFUSED';
      expect([name, await codeOf(way())]).toEqual([name, expected]);
    }
    expect(await sessions()).toEqual([]);
  });
});

describe('a login that something overtakes', () => {
  // ValidateLogin is asked when all checks have been made and the session has not.
  const between = ['password', 'password by id', 'a service of the application', 'loginWithUser'];

  for (const name of between) {
    test(`by ${name} leaves no session when the user is deactivated meanwhile`, async () => {
      const { server, waysIn, id, sessions } = await start();
      server.on('ValidateLogin', () => server.deactivateUser(id));
      expect(await codeOf(waysIn[name]?.() ?? Promise.resolve())).toBe('INVALID_CREDENTIALS');
      expect(await sessions()).toEqual([]);
    });

    test(`S19 by ${name} leaves no session when a second factor is turned on meanwhile`, async () => {
      const { server, waysIn, enrol, sessions } = await start();
      server.on('ValidateLogin', () => enrol());
      expect(await codeOf(waysIn[name]?.() ?? Promise.resolve())).toBe('INVALID_CREDENTIALS');
      expect(await sessions()).toEqual([]);
      expect(await codeOf(waysIn[name]?.() ?? Promise.resolve())).toBe('TWO_FACTOR_REQUIRED');
    });
  }

  test('S19 by a password leaves no session when that password is replaced meanwhile', async () => {
    const { server, service, waysIn, id, sessions } = await start();
    const off = server.on('ValidateLogin', () => service.setPassword(id, 'a quite different passphrase'));
    expect(await codeOf(waysIn.password?.() ?? Promise.resolve())).toBe('INVALID_CREDENTIALS');
    expect(await sessions()).toEqual([]);
    off();
    expect(await codeOf(waysIn.password?.() ?? Promise.resolve())).toBe('INVALID_CREDENTIALS');
  });

  test('S19 the same holds when the password is replaced after the session was written', async () => {
    const db = memoryDatabase();
    let meanwhile = async (): Promise<void> => {};
    const create = async (...given: Parameters<typeof db.sessions.create>) => {
      await db.sessions.create(...given);
      await meanwhile();
    };
    const { service, waysIn, id, sessions } = await start({
      db: { ...db, sessions: { ...db.sessions, create } },
    });
    meanwhile = () => service.setPassword(id, 'a quite different passphrase');
    expect(await codeOf(waysIn.password?.() ?? Promise.resolve())).toBe('INVALID_CREDENTIALS');
    expect(await sessions()).toEqual([]);
  });

  test('S2 a re-hash of the same password is nothing that it minds', async () => {
    const { server, db, waysIn, id, sessions } = await start();
    server.on('ValidateLogin', async () => {
      const identity = await db.identities.find('password', id);
      if (identity)
        await db.identities.update({ ...identity, data: { ...identity.data, hash: `plain ${PASSWORD}` } });
    });
    expect(await codeOf(waysIn.password?.() ?? Promise.resolve())).toBe('not refused');
    expect(await sessions()).toHaveLength(1);
  });

  test('by a service whose proof does not hold any more leaves no session, and only true is holding', async () => {
    for (const answer of [false, undefined, null, 1, 'true', {}]) {
      const service = (context: ServiceContext) => ({
        authenticate: async () => {
          const user = await context.users.findByReference({ username: 'ada' });
          if (!user) throw new AccountsError('INVALID_CREDENTIALS');
          return { user, stillHolds: async () => answer as boolean };
        },
      });
      const { server, sessions } = await start({}, { shaky: { create: service } });
      expect(await codeOf(server.loginWithService('shaky', {}))).toBe('INVALID_CREDENTIALS');
      expect(await sessions()).toEqual([]);
    }
  });

  test('S55 by a store that fails is no login, and leaves nothing that could be one', async () => {
    const db = memoryDatabase();
    let broken = false;
    const findMany = async (ids: readonly string[]) => {
      if (broken) throw new Error('connection lost');
      return db.users.findMany(ids);
    };
    const { server, waysIn, sessions } = await start({ db: { ...db, users: { ...db.users, findMany } } });
    server.on('ValidateLogin', () => {
      broken = true;
    });
    expect(await codeOf(waysIn.password?.() ?? Promise.resolve())).toBe('SERVICE_UNAVAILABLE');
    expect(await sessions()).toEqual([]);
  });
});

describe('the name of a service', () => {
  test('S44 is one that was registered, and nothing that every object has', async () => {
    const { server, sessions } = await start();
    const names = [
      ...[
        '__proto__',
        'constructor',
        'prototype',
        'toString',
        'hasOwnProperty',
        'valueOf',
        '',
        ' ',
        'Password',
      ],
      ...['password ', 'password\0', 'p'.repeat(2000), '\ud800', undefined, null, 7, true, {}, ['password']],
      ...[{ toString: () => 'password' }, Symbol('password')],
    ] as string[];
    for (const name of names) {
      expect(await codeOf(server.loginWithService(name, { user: 'ada', password: PASSWORD }))).toBe(
        'SERVICE_NOT_FOUND',
      );
      expect(await codeOf(server.authenticateWithService(name, {}))).toBe('SERVICE_NOT_FOUND');
    }
    expect(await sessions()).toEqual([]);
  });

  test('S44 may be one that every object has, once it is registered', async () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      const services = Object.fromEntries([[name, badges]]);
      const db = memoryDatabase();
      const { id } = await start({ db });
      const server = new AccountsServer({ db, tokenSecret: SECRET }, services);
      expect(await server.loginWithService(name, { badge: id })).toMatchObject({ user: { id } });
    }
  });

  test('is refused for a service that is no way in', async () => {
    const { server } = await start({}, { tools: { create: () => ({}) } });
    expect(await codeOf(server.loginWithService('tools', {}))).toBe('SERVICE_NOT_FOUND');
  });

  test('does not let the list of services be changed', async () => {
    const { server } = await start();
    expect(() => Object.assign(server.services, { evil: badges })).toThrow(TypeError);
  });
});

describe('the parameters of a login', () => {
  test('S43 are an object', async () => {
    const { server } = await start();
    for (const params of [undefined, null, 'x', 7, true, [], [{ user: 'ada' }], Symbol('x'), () => {}]) {
      expect(await codeOf(server.loginWithService('password', params))).toBe('BAD_USER_INPUT');
      expect(await codeOf(server.loginWithService('badge', params))).toBe('BAD_USER_INPUT');
    }
  });

  test('S43 hold texts, and no query', async () => {
    const { server, sessions } = await start();
    const users: unknown[] = [
      ...[
        { $ne: null },
        { id: { $ne: null } },
        { username: { $gt: '' } },
        { email: ['ada@example.com'] },
        ['ada'],
      ],
      ...[
        7,
        true,
        { id: 'x', $where: '1' },
        { __proto__: null, toString: 'ada' },
        {},
        '',
        '\ud800',
        'a'.repeat(5000),
      ],
    ];
    for (const user of users) {
      const code = await codeOf(server.loginWithService('password', { user, password: PASSWORD }));
      expect([user, code]).toEqual([user, 'BAD_USER_INPUT']);
    }
    for (const typed of [{ $ne: null }, [PASSWORD], 7, null, undefined, { toString: () => PASSWORD }]) {
      const code = await codeOf(server.loginWithService('password', { user: 'ada', password: typed }));
      expect([typed, code]).toEqual([typed, 'BAD_USER_INPUT']);
    }
    expect(await sessions()).toEqual([]);
  });

  test('where the connection is nonsense, it is one that nothing is known of', async () => {
    const { server, id, db } = await start();
    for (const connection of [
      undefined,
      null,
      'x',
      7,
      [],
      { ip: 7, userAgent: {} },
      { ip: '', userAgent: '' },
    ]) {
      const { sessionId } = await server.loginWithUser({ id }, connection as ConnectionInput);
      const [session] = await db.sessions.findMany([sessionId]);
      expect(session).toMatchObject({ ip: null, userAgent: null });
    }
  });
});

describe('a service that misbehaves', () => {
  const behaviours: [string, unknown][] = [
    ['throws', () => failWith(new Error('hunter2'))],
    ['rejects', async () => failWith(new Error('hunter2'))],
    ['throws text', () => failWith('hunter2')],
    ['answers nothing', async () => undefined],
    ['answers null, as in accounts-js', async () => null],
    ['answers a user where an authentication belongs', async () => ({ id: 'x', emails: [] })],
    ['recognises null', async () => ({ user: null })],
    ['recognises text', async () => ({ user: 'ada' })],
  ];
  for (const [name, authenticate] of behaviours) {
    test(`that ${name} logs nobody in, and its error is reported and not told`, async () => {
      const { server, errors } = await start({}, { odd: serviceOf(authenticate) });
      for (const call of [server.loginWithService('odd', {}), server.authenticateWithService('odd', {})]) {
        const error = await call.catch((refusal: unknown) => refusal);
        expect(error).toBeInstanceOf(AccountsError);
        expect(String(error)).not.toContain('hunter2');
        expect(error).not.toMatchObject({ code: 'INVALID_CREDENTIALS' });
      }
      expect(errors.length).toBeGreaterThan(0);
    });
  }

  test('that recognises a user who is not there logs nobody in', async () => {
    const ghost = {
      id: 'ghost',
      version: 1,
      username: null,
      emails: [],
      deactivated: false,
      profile: {},
      createdAt: 0,
      updatedAt: 0,
    };
    const { server, db } = await start({}, { odd: serviceOf(async () => ({ user: ghost })) });
    expect(await codeOf(server.loginWithService('odd', {}))).toBe('INVALID_CREDENTIALS');
    expect(await db.sessions.findByUser('ghost')).toEqual([]);
  });
});

describe('loginWithUser', () => {
  test('is told the id, and refuses what is none', async () => {
    const { server } = await start();
    for (const user of [
      undefined,
      null,
      'x',
      7,
      [],
      {},
      { id: 7 },
      { id: { $ne: null } },
      { id: '' },
      { id: ['x'] },
    ]) {
      expect(await codeOf(server.loginWithUser(user as { id: string }))).toBe('BAD_USER_INPUT');
    }
    expect(await codeOf(server.loginWithUser({ id: 'nobody' }))).toBe('USER_NOT_FOUND');
  });

  test('believes the store and not what it is given', async () => {
    const { server, id } = await start();
    await server.deactivateUser(id);
    const claimed = { id, deactivated: false, username: 'admin' };
    expect(await codeOf(server.loginWithUser(claimed))).toBe('INVALID_CREDENTIALS');
    await server.activateUser(id);
    expect((await server.loginWithUser(claimed)).user).toMatchObject({ id, username: 'ada' });
  });
});

async function withMails() {
  const accounts = createAccounts({}, { ...fastHashes, returnTokensAfterResetPassword: true });
  const id = await accounts.signUp({ username: 'ada', email: 'ada@example.com' });
  const enrol = (userId: string) =>
    accounts.db.identities.insert({
      service: 'totp',
      subject: userId,
      userId,
      version: 1,
      data: {},
      createdAt: 0,
    });
  return { ...accounts, id, enrol };
}

function failWith(error: unknown): never {
  throw error;
}
