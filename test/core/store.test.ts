import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createStore } from '../../src/core/store.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsDatabase, SessionRecord, UserRecord, UserStore } from '../../src/database/ports.ts';
import { AccountsError, type AccountsServerOptions } from '../../src/index.ts';
import { codeOf, createAccounts, PASSWORD } from '../accounts.ts';
import { turns, watchUnhandled } from './unhandled.ts';

const DRIVER = 'ECONNREFUSED 10.0.0.7:27017 select * from users';

/** What a store does instead of its work; null lets it work. */
type Fault = ((call: () => unknown) => unknown) | null;

/** A database of which everything but what is named works, as long as the fault is null. */
function faulty(db: AccountsDatabase) {
  const state: { fault: Fault; calls: string[] } = { fault: null, calls: [] };
  const wrap = <T extends object>(port: T, name: string): T =>
    Object.fromEntries(
      Object.entries(port).map(([method, work]) => [
        method,
        (...args: unknown[]) => {
          state.calls.push(`${name}.${method}`);
          const call = () => (work as (...given: unknown[]) => unknown).apply(port, args);
          return state.fault ? state.fault(call) : call();
        },
      ]),
    ) as T;
  const database: AccountsDatabase = {
    ...db,
    users: wrap(db.users, 'users'),
    identities: wrap(db.identities, 'identities'),
    sessions: wrap(db.sessions, 'sessions'),
    oneTimeTokens: wrap(db.oneTimeTokens, 'oneTimeTokens'),
    ping: () => wrap({ ping: async () => undefined }, 'db').ping(),
  };
  return { database, state };
}

async function start(options: Partial<AccountsServerOptions> = {}) {
  const { database, state } = faulty(memoryDatabase());
  const accounts = createAccounts({
    db: database,
    storeTimeout: 20,
    impersonationAuthorize: () => true,
    ...options,
  });
  const id = await accounts.signUp({ username: 'ada', email: 'ada@example.com' });
  const { tokens } = await accounts.logIn('ada');
  const { server, service } = accounts;
  const { accessToken, refreshToken } = tokens;
  const calls: Record<string, () => unknown> = {
    findUserById: () => server.findUserById(id),
    loginWithService: () => server.loginWithService('password', { user: 'ada', password: PASSWORD }),
    authenticateWithService: () =>
      server.authenticateWithService('password', { user: 'ada', password: PASSWORD }),
    loginWithUser: () => server.loginWithUser({ id }),
    resumeSession: () => server.resumeSession(accessToken),
    liveSession: () => server.resumeLiveSession(accessToken),
    refreshTokens: () => server.refreshTokens(accessToken, refreshToken),
    impersonate: () => server.impersonate(accessToken, { userId: id }),
    deactivateUser: () => server.deactivateUser(id),
    activateUser: () => server.activateUser(id),
    ping: () => server.ping(),
    removeExpired: () => server.removeExpired(),
    createUser: () => service.createUser({ username: 'grace', password: PASSWORD }),
    changePassword: () => service.changePassword(id, PASSWORD, 'a quite different passphrase'),
    logout: () => server.logout(accessToken),
  };
  return { ...accounts, ...tokens, id, calls, state };
}

const never = () => new Promise(() => {});

const faults: [string, Fault][] = [
  ['throws at once', () => failWith(new Error(DRIVER))],
  ['rejects', async () => failWith(new Error(DRIVER))],
  ['throws text', () => failWith(DRIVER)],
  ['rejects with nothing', () => Promise.reject()],
  ['rejects with null', () => Promise.reject(null)],
  [
    'throws an error with a code of ours that is not one of ours',
    async () => failWith({ code: 'UNAUTHENTICATED' }),
  ],
  ['never answers', never],
];

describe('S55 a store that', () => {
  for (const [name, fault] of faults) {
    for (const useStatelessSession of [false, true]) {
      const mode = useStatelessSession ? 'stateless' : 'stateful';
      test(`${name} is SERVICE_UNAVAILABLE to every ${mode} call, and works again by itself`, async () => {
        const unhandled = watchUnhandled();
        const { calls, state, errors } = await start({ useStatelessSession });
        state.fault = fault;
        for (const [call, run] of Object.entries(calls)) {
          const before = errors.length;
          const error = await Promise.resolve(run()).catch((refusal: unknown) => refusal);
          expect([call, error]).toEqual([call, expect.any(AccountsError)]);
          const { code, retryable } = error as AccountsError;
          expect([call, code, retryable]).toEqual([call, 'SERVICE_UNAVAILABLE', true]);
          // The text of the driver is in the report and in the cause, and in nothing that an answer is made of.
          expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/ECONN|select|10\.0/);
          const reported = errors.slice(before).map(({ where }) => where);
          expect([call, reported]).toEqual([call, [expect.stringMatching(/^the database \(\w+/)]]);
        }
        state.fault = null;
        await turns();
        expect(unhandled).toEqual([]);
        const { deactivateUser: _, ...others } = calls;
        for (const [call, run] of Object.entries(others)) {
          // A login of before the outage, and what was done during it, counts for nothing.
          expect([call, await codeOf(async () => run())]).toEqual([call, 'not refused']);
        }
      });
    }
  }

  test('answers too late has answered nothing, whatever it says then', async () => {
    const unhandled = watchUnhandled();
    const { calls, state } = await start();
    const late: PromiseWithResolvers<unknown>[] = [];
    state.fault = () => {
      const answer = Promise.withResolvers<unknown>();
      late.push(answer);
      return answer.promise;
    };
    for (const run of Object.values(calls))
      expect(await codeOf(async () => run())).toBe('SERVICE_UNAVAILABLE');
    expect(late.length).toBeGreaterThanOrEqual(Object.keys(calls).length);
    for (const [index, { resolve, reject }] of late.entries()) {
      if (index % 2) resolve([]);
      else reject(new Error(DRIVER));
    }
    await turns();
    expect(unhandled).toEqual([]);
  });

  test('hangs once a session was written costs a login one deadline, not two', async () => {
    const { calls, state, server, errors } = await start();
    server.on('ValidateLogin', () => {
      // The first call is the session that is written; what comes after does not come back.
      state.fault = (call) => {
        state.fault = never;
        return call();
      };
    });
    expect(await codeOf(async () => calls.loginWithUser?.())).toBe('SERVICE_UNAVAILABLE');
    // The end of the session was asked for, and its own deadline not waited for.
    expect(state.calls.at(-1)).toBe('sessions.revoke');
    expect(errors.map(({ where }) => where)).not.toContain('the database (sessions.revoke)');
  });

  test('comes and goes logs nobody in by mistake, and refuses nobody for good', async () => {
    const unhandled = watchUnhandled();
    const { calls, state, db, id } = await start();
    let count = 0;
    state.fault = (call) => (++count % 3 === 0 ? failWith(new Error(DRIVER)) : call());
    const codes = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const { loginWithService, resumeSession, findUserById } = calls;
      for (const run of [loginWithService, resumeSession, findUserById])
        codes.add(await codeOf(async () => run?.()));
    }
    expect([...codes].sort()).toEqual(['SERVICE_UNAVAILABLE', 'not refused']);
    state.fault = null;
    expect((await db.sessions.findByUser(id)).length).toBeGreaterThan(0);
    expect(unhandled).toEqual([]);
  });

  const junk: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'x'],
    ['an empty list', []],
    ['an empty object', {}],
    ['a list of nothing', [undefined]],
    ['true', true],
  ];
  for (const [name, answer] of junk) {
    test(`answers ${name} whatever it is asked logs nobody in`, async () => {
      const unhandled = watchUnhandled();
      const { calls, state } = await start();
      state.fault = async () => answer;
      for (const call of [
        'loginWithService',
        'loginWithUser',
        'resumeSession',
        'liveSession',
        'refreshTokens',
      ]) {
        const error = await Promise.resolve(calls[call]?.()).catch((refusal: unknown) => refusal);
        expect([call, error]).toEqual([call, expect.any(AccountsError)]);
      }
      expect(unhandled).toEqual([]);
    });
  }

  test('is down stops nobody whose stateless token is good, until the user is to be loaded', async () => {
    const { server, state, accessToken, id } = await start({ useStatelessSession: true });
    state.fault = never;
    state.calls.length = 0;
    const identified = server.resumeRequester(accessToken);
    expect(identified).toEqual({ user: { id }, session: expect.objectContaining({ userId: id }) });
    expect(state.calls).toEqual([]);
    expect(await codeOf(server.resumeUser(identified as never))).toBe('SERVICE_UNAVAILABLE');
  });

  test('fails for one id fails for who asked in that turn, and for nobody after', async () => {
    const { server, state, accessToken } = await start();
    state.fault = () => failWith(new Error(DRIVER));
    const all = Array.from({ length: 20 }, () => codeOf(server.resumeSession(accessToken)));
    expect(new Set(await Promise.all(all))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
    state.fault = null;
    expect(await codeOf(server.resumeSession(accessToken))).toBe('not refused');
  });

  test('cannot keep an id of a stranger does not fail for the others of that turn', async () => {
    const { server, id } = await start();
    const odd = ['\0', `${id}\0`, '\ud800', '', 'x'.repeat(5000), { $ne: null }, ['x'], 7];
    const answers = odd.map((name) => codeOf(server.findUserById(name as string)));
    const good = server.findUserById(id);
    expect(await Promise.all(answers)).toEqual(odd.map(() => 'BAD_USER_INPUT'));
    expect(await good).toMatchObject({ id });
  });
});

describe('what core sees of a database', () => {
  const store = (db: AccountsDatabase, deadline = 1000) => {
    const reports: string[] = [];
    return { store: createStore(db, deadline, (_, where) => reports.push(where)), reports };
  };

  test('is alive when the ping answers, or the users do where there is none', async () => {
    const db = memoryDatabase();
    const { ping: _, ...without } = db;
    await expect(store(db).store.ping()).resolves.toBeUndefined();
    await expect(store(without).store.ping()).resolves.toBeUndefined();
    const down = { ...without, users: { ...db.users, findMany: () => Promise.reject(new Error(DRIVER)) } };
    expect(await codeOf(store(down).store.ping())).toBe('SERVICE_UNAVAILABLE');
    expect(await codeOf(store({ ...db, ping: never as () => Promise<void> }, 10).store.ping())).toBe(
      'SERVICE_UNAVAILABLE',
    );
  });

  test('is alive while the users and the sessions of a composed one are', async () => {
    const base = memoryDatabase();
    const { sessions } = memoryDatabase();
    const asked: unknown[] = [];
    const findMany = async (ids: readonly string[]) => {
      asked.push(ids);
      return ids.map(() => null);
    };
    await expect(
      store({ ...base, sessions: { ...sessions, findMany } }).store.ping(),
    ).resolves.toBeUndefined();
    // An id: a store that is asked for nothing may answer without its server.
    expect(asked).toEqual([[expect.stringMatching(/./)]]);
    const fail = () => Promise.reject(new Error(DRIVER));
    for (const down of [
      { ...base, sessions: { ...sessions, findMany: fail } },
      { ...base, users: { ...base.users, findMany: fail } },
    ]) {
      const { store: seen, reports } = store(down);
      expect(await codeOf(seen.ping())).toBe('SERVICE_UNAVAILABLE');
      expect(reports).toEqual(['the database (ping)']);
    }
  });

  test('must have every method: what is missing is named where the server is made', () => {
    const db = memoryDatabase();
    for (const port of ['users', 'identities', 'sessions', 'oneTimeTokens'] as const) {
      const methods = Object.keys(db[port]).filter((method) => !['close'].includes(method));
      expect(methods.length).toBeGreaterThan(2);
      for (const method of methods) {
        const broken = { ...db, [port]: { ...db[port], [method]: undefined } };
        const named = new TypeError(`the database has no method ${port}.${method}`);
        expect(() => createAccounts({ db: broken })).toThrow(named);
      }
      expect(() => createAccounts({ db: { ...db, [port]: null } })).toThrow(
        new TypeError(`the database has no store ${port}`),
      );
    }
    const { invalidateAllSessions: _, ...without } = db;
    expect(() => createAccounts({ db: without as AccountsDatabase })).toThrow(
      new TypeError('the database has no method invalidateAllSessions'),
    );
  });

  test('may have no counters; else it needs their every method, of those beside the sessions first', async () => {
    const { counters, ...db } = memoryDatabase();
    if (!counters) throw new Error('memory has counters');
    expect(store(db).store.counters).toBeNull();
    const counter = { key: 'a', points: 1, expiresAt: 2 };
    const asked: string[] = [];
    const named = (name: string) => ({
      ...counters,
      add: async () => {
        asked.push(name);
        return counter;
      },
    });
    const own = { ...db, counters: named('its own') };
    expect(await store(own).store.counters?.add(counter, 1)).toEqual(counter);
    const beside = { ...own, sessions: { ...db.sessions, counters: named('those of the sessions') } };
    await store(beside).store.counters?.add(counter, 1);
    expect(asked).toEqual(['its own', 'those of the sessions']);
    for (const method of Object.keys(counters)) {
      const broken = { ...db, counters: { ...counters, [method]: undefined } };
      expect(() => store(broken)).toThrow(new TypeError(`the database has no method counters.${method}`));
    }
  });

  test('whose counters fail is unavailable, and says so within the deadline', async () => {
    const { counters, ...db } = memoryDatabase();
    const counter = { key: 'a', points: 1, expiresAt: 2 };
    for (const add of [() => Promise.reject(new Error(DRIVER)), never as () => Promise<never>]) {
      const { store: seen, reports } = store({ ...db, counters: counters && { ...counters, add } }, 10);
      expect(await codeOf(Promise.resolve(seen.counters?.add(counter, 1)))).toBe('SERVICE_UNAVAILABLE');
      expect(reports).toEqual(['the database (counters.add)']);
    }
  });

  test('may be made of classes, whose methods are found on the prototype and know their store', async () => {
    const { users, ...db } = memoryDatabase();
    class ClassUsers implements UserStore {
      readonly #users = users;
      create(...args: Parameters<UserStore['create']>) {
        return this.#users.create(...args);
      }
      findMany(ids: readonly string[]) {
        return this.#users.findMany(ids);
      }
      update(user: UserRecord) {
        return this.#users.update(user);
      }
    }
    const { server, signUp, logIn } = createAccounts({ db: { ...db, users: new ClassUsers() } });
    const id = await signUp({ username: 'ada' });
    expect(await logIn('ada')).toMatchObject({ user: { id } });
    await server.deactivateUser(id);
    expect(await server.findUserById(id)).toMatchObject({ deactivated: true });
  });

  test('keeps the code of a refusal that the adapter made itself, and does not report it', async () => {
    const db = memoryDatabase();
    const findMany = () => Promise.reject(new AccountsError('SERVICE_UNAVAILABLE', 'The file is locked.'));
    const { store: seen, reports } = store({ ...db, users: { ...db.users, findMany } });
    await expect(seen.users.findMany([])).rejects.toThrow('The file is locked.');
    expect(reports).toEqual([]);
  });

  test('says in its report which call it was, and how long it waited', async () => {
    const db = memoryDatabase();
    const errors: unknown[] = [];
    const users = { ...db.users, findMany: never as typeof db.users.findMany };
    const seen = createStore({ ...db, users }, 10, (error, where) => errors.push([error, where]));
    await codeOf(seen.users.findMany([]));
    expect(errors).toEqual([[new Error('no answer within 10 ms'), 'the database (users.findMany)']]);
  });

  test('joins users and sessions only where both come from one adapter', async () => {
    const db = memoryDatabase();
    const findWithUsers = async () => [null];
    const findMany = async () => [];
    const joined = { ...db, sessions: { ...db.sessions, findWithUsers, findMany, joinedWith: db.users } };
    const found = (given: typeof db) => store(given).store.sessionsWithUsers(['s']);
    expect(await found(joined)).toEqual([null]);
    expect(await found({ ...joined, users: { ...db.users } })).toEqual([]);
    expect(await found({ ...joined, sessions: { ...joined.sessions, joinedWith: undefined } })).toEqual([]);
  });

  test('S55 gives sessions and users, in two calls, within one deadline', async () => {
    const db = memoryDatabase();
    const session = { id: 's', userId: 'u' } as SessionRecord;
    const sessions = { ...db.sessions, findMany: async () => [session], joinedWith: undefined };
    const users = { ...db.users, findMany: never as typeof db.users.findMany };
    const slow = createStore({ ...db, sessions, users }, 10, () => {});
    expect(await codeOf(slow.sessionsWithUsers(['s']))).toBe('SERVICE_UNAVAILABLE');
  });

  test('leaves no timer behind', async () => {
    const db = memoryDatabase();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await store(db, 60_000).store.users.findMany([]);
    await codeOf(store({ ...db, ping: () => Promise.reject(new Error(DRIVER)) }, 60_000).store.ping());
    expect(timers()).toBe(before);
  });
});

test('S45 an error of the server shows the text of the driver to who looks for the cause, and to nobody else', async () => {
  const { server, state, id } = await start();
  state.fault = () => failWith(new Error(DRIVER));
  const error = await server.findUserById(id).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ message: 'The service is unavailable for the moment. Please try again.' });
  expect(inspect((error as AccountsError).cause)).toContain(DRIVER);
  expect(Object.keys(error as object).sort()).toEqual(['code', 'extensions', 'name']);
});

function failWith(error: unknown): never {
  throw error;
}
