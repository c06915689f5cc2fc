import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../src/core/time.ts';
import {
  AccountsError,
  type AccountsServerOptions,
  type Caller,
  type Impersonated,
} from '../../src/index.ts';
import { codeOf, createAccounts, PASSWORD } from '../accounts.ts';

const FROM = { ip: '192.0.2.9', userAgent: 'console' };

for (const useStatelessSession of [false, true]) {
  describe(`S42 impersonation, ${useStatelessSession ? 'stateless' : 'stateful'}`, () => {
    const start = async (options: Partial<AccountsServerOptions> = {}) => {
      const accounts = createAccounts({
        useStatelessSession,
        impersonationAuthorize: () => true,
        ...options,
      });
      const { server, signUp, logIn } = accounts;
      const admin = await signUp({ username: 'admin' });
      const grace = await signUp({ username: 'grace', email: 'grace@example.com' });
      const { tokens, sessionId } = await logIn('admin');
      const heard: unknown[] = [];
      server.on('ImpersonationSuccess', (event) => heard.push(['success', event]));
      server.on('ImpersonationError', (event) => heard.push(['error', event]));
      return {
        ...accounts,
        ...tokens,
        sessionId,
        admin,
        grace,
        heard,
        as: (target: unknown, token: unknown = tokens.accessToken) =>
          server.impersonate(token as string, target as Impersonated, FROM),
      };
    };

    test('is of whom the id, the username or the address names', async () => {
      const { as, grace } = await start();
      for (const target of [
        ...[{ userId: grace }, { username: 'GRACE' }, { email: ' Grace@Example.com ' }],
        { userId: grace, username: null, email: undefined },
      ]) {
        expect(await as(target)).toMatchObject({ authorized: true, user: { id: grace, username: 'grace' } });
      }
    });

    test('is told who it is and of whom, and answers nothing else than the result', async () => {
      const { as, admin, grace, heard } = await start();
      const result = await as({ userId: grace });
      expect(Object.keys(result).sort()).toEqual(['authorized', 'tokens', 'user']);
      const { sid } = jwt.decode(result.tokens.accessToken) as { sid: string };
      expect(heard).toEqual([
        [
          'success',
          {
            user: expect.objectContaining({ id: admin }),
            sessionId: sid,
            connection: FROM,
            impersonated: expect.objectContaining({ id: grace }),
          },
        ],
      ]);
    });

    test('authorize gets the administrator first and the other second', async () => {
      const seen: string[] = [];
      const { as, admin, grace } = await start({
        impersonationAuthorize: async (actor, target) => seen.push(actor.id, target.id) > 0,
      });
      await as({ userId: grace });
      expect(seen).toEqual([admin, grace]);
    });

    const noes: [string, unknown][] = [
      ['is missing', undefined],
      ['answers false', () => false],
      ['answers nothing', () => undefined],
      ['answers 1', () => 1],
      ['answers "true"', () => 'true'],
      ['answers an object', async () => ({ authorized: true })],
      ['answers a Boolean object', () => Object(true)],
      ['throws', () => failWith(new Error('hunter2'))],
      ['rejects', async () => failWith(new Error('hunter2'))],
      ['throws an AccountsError', () => failWith(new AccountsError('USER_NOT_FOUND'))],
    ];
    for (const [name, impersonationAuthorize] of noes) {
      test(`is FORBIDDEN where authorize ${name}`, async () => {
        const { as, grace, admin, db, heard } = await start({
          impersonationAuthorize: impersonationAuthorize as AccountsServerOptions['impersonationAuthorize'],
        });
        expect(await codeOf(as({ userId: grace }))).toBe('FORBIDDEN');
        expect(await db.sessions.findByUser(grace)).toEqual([]);
        expect(heard).toEqual([['error', { userId: admin, error: { code: 'FORBIDDEN' }, connection: FROM }]]);
      });
    }

    test('is refused alike for who is unknown, deactivated, not allowed, and not theirs to ask', async () => {
      const { as, grace, server, logIn, signUp } = await start({
        impersonationAuthorize: (_, { username }) => username === 'grace',
      });
      const other = await signUp({ username: 'other' });
      await server.deactivateUser(grace);
      const refusals = await Promise.all(
        [
          ...[
            { userId: grace },
            { userId: other },
            { userId: 'nobody' },

            { username: 'nobody' },
          ],
          ...[{ username: 'not a name' }, { email: 'nobody@example.com' }, { email: 'not an address' }],
        ].map((target) => as(target).catch((error: unknown) => error)),
      );
      expect(new Set(refusals.map((error) => JSON.stringify(error))).size).toBe(1);
      expect(refusals[0]).toMatchObject({ code: 'FORBIDDEN', message: 'This impersonation is not allowed.' });
      expect((await logIn('other')).user.id).toBe(other);
    });

    test('S43 names one user by text', async () => {
      const { as, grace, heard } = await start();
      for (const target of [
        ...[
          undefined,
          null,
          'grace',
          7,
          [],
          {},
          { userId: null },
          { id: grace },
          { userId: grace, username: 'grace' },
        ],
        ...[
          { userId: { $ne: null } },
          { username: ['grace'] },
          { email: 7 },
          { userId: '' },
          { userId: '\ud800' },
        ],
        ...[JSON.parse(`{"__proto__":{"userId":"${grace}"}}`), { constructor: grace }],
      ]) {
        expect([target, await codeOf(as(target))]).toEqual([target, 'BAD_USER_INPUT']);
      }
      expect(heard).not.toContainEqual(['success', expect.anything()]);
    });

    test('cannot be nested', async () => {
      const { as, grace, admin, signUp } = await start();
      const third = await signUp({ username: 'third' });
      const { tokens } = await as({ userId: grace });
      for (const target of [{ userId: third }, { userId: admin }, { userId: grace }]) {
        expect(await codeOf(as(target, tokens.accessToken))).toBe('FORBIDDEN');
      }
    });

    test('needs the session of the administrator, also where tokens are trusted otherwise', async () => {
      const { as, grace, server, accessToken, refreshToken, clock, heard } = await start();
      for (const token of ['', 'x', null, 7, refreshToken, { accessToken }]) {
        expect(await codeOf(as({ userId: grace }, token))).toBe('UNAUTHENTICATED');
      }
      await server.logout(accessToken);
      expect(await codeOf(as({ userId: grace }))).toBe('UNAUTHENTICATED');
      clock.pass(16 * MINUTE);
      expect(await codeOf(as({ userId: grace }))).toBe('UNAUTHENTICATED');
      expect(heard).toHaveLength(8);
      for (const entry of heard) {
        expect(entry).toEqual([
          'error',
          { userId: null, error: { code: 'UNAUTHENTICATED' }, connection: FROM },
        ]);
      }
    });

    test('ends for an administrator who is deactivated', async () => {
      const { as, grace, admin, server } = await start();
      const { tokens } = await as({ userId: grace });
      await server.deactivateUser(admin);
      expect(await codeOf(as({ userId: grace }))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
      expect(await codeOf(server.resumeLiveSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      if (!useStatelessSession)
        expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    });

    test('ends for a user who is deactivated', async () => {
      const { as, grace, server } = await start();
      const { tokens } = await as({ userId: grace });
      await server.deactivateUser(grace);
      expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
    });

    test('ends when everything of the administrator is ended, and when theirs has run out', async () => {
      const { as, grace, admin, server, db, clock, logIn } = await start();
      const first = await as({ userId: grace });
      await db.invalidateAllSessions(admin);
      expect(await codeOf(server.resumeLiveSession(first.tokens.accessToken))).toBe('UNAUTHENTICATED');
      const again = await logIn('admin');
      // Refreshed for 30 days but ten minutes: then the session ends, and with it what was begun from it.
      let { tokens } = again;
      for (let day = 0; day < 29; day++) {
        clock.pass(24 * HOUR);
        tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      }
      clock.pass(24 * HOUR - 10 * MINUTE);
      tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      const last = await as({ userId: grace }, tokens.accessToken);
      const { exp } = jwt.decode(last.tokens.refreshToken) as { exp: number };
      expect(exp * 1000).toBe(clock.now() + 10 * MINUTE);
    });

    test('leaves the sessions of the user alone, and ends alone by its own logout', async () => {
      const { as, grace, server, accessToken, logIn } = await start();
      const own = await logIn('grace');
      const { tokens } = await as({ userId: grace });
      await server.logout(tokens.accessToken);
      expect(await codeOf(server.resumeLiveSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.resumeLiveSession(accessToken))).toBe('not refused');
      expect(await codeOf(server.resumeLiveSession(own.tokens.accessToken))).toBe('not refused');
    });

    test('tells in its token and in its session who acts, before and after a refresh', async () => {
      const { as, grace, admin, server } = await start();
      let { tokens } = await as({ userId: grace });
      for (let refresh = 0; refresh < 3; refresh++) {
        expect(jwt.decode(tokens.accessToken)).toMatchObject({
          sub: grace,
          act: { sub: admin },
          data: { userId: grace, isImpersonated: true },
        });
        const { session } = await server.resumeRequester(tokens.accessToken);
        expect(session).toMatchObject({ userId: grace, actorUserId: admin });
        tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      }
    });

    test('tokens of an impersonation and of a login do not go together', async () => {
      const { as, grace, server, accessToken, refreshToken, logIn } = await start();
      const own = await logIn('grace');
      const { tokens } = await as({ userId: grace });
      for (const [access, refresh] of [
        [tokens.accessToken, refreshToken],
        [tokens.accessToken, own.tokens.refreshToken],
        [own.tokens.accessToken, tokens.refreshToken],
        [accessToken, tokens.refreshToken],
      ] as const) {
        expect(await codeOf(server.refreshTokens(access, refresh))).toBe('UNAUTHENTICATED');
      }
    });

    test('leaves no session where its tokens cannot be made, and then no success is told', async () => {
      let works = true;
      const { as, grace, db, heard } = await start({
        createJwtPayload: () => (works ? {} : failWith(new Error('the role service is down'))),
      });
      works = false;
      expect(await codeOf(as({ userId: grace }))).toBe('INTERNAL_SERVER_ERROR');
      expect(await db.sessions.findByUser(grace)).toEqual([]);
      expect(heard.map((entry) => (entry as [string])[0])).toEqual(['error']);
    });

    test('changes nothing of how the user gets in: every operation that would is FORBIDDEN', async () => {
      const { as, grace, server, service, db, mails } = await start();
      const { tokens } = await as({ userId: grace });
      const operate = async (token: string, field: string, args: unknown): Promise<unknown> => {
        const caller: Caller = {
          connection: FROM,
          accessToken: token,
          userId: null,
          origin: null,
          cookie: () => null,
          setCookie: () => {},
          session: () => server.resumeLiveSession(token),
          requireRecent: (live) => server.requireRecent(live),
        };
        const operation = service.operations.Mutation?.[field];
        if (!operation) throw new Error(`there is no operation ${field}`);
        return operation(args as never, caller);
      };
      const changes: [string, unknown][] = [
        ['changePassword', { oldPassword: PASSWORD, newPassword: 'a quite different passphrase' }],
        ['addEmail', { newEmail: 'evil@example.com' }],
        ['removeEmail', { email: 'grace@example.com' }],
        ['setUsername', { newUsername: 'evil' }],
      ];
      const before = JSON.stringify([
        ...[await db.users.findMany([grace]), await db.identities.find('password', grace)],
      ]);
      for (const [field, args] of changes) {
        expect([field, await codeOf(operate(tokens.accessToken, field, args))]).toEqual([field, 'FORBIDDEN']);
      }
      await server.settled();
      const after = [await db.users.findMany([grace]), await db.identities.find('password', grace)];
      expect(JSON.stringify(after)).toBe(before);
      expect(mails).toEqual([]);
      const { session } = await server.resumeLiveSession(tokens.accessToken);
      const call = service.changePassword(grace, PASSWORD, 'a quite different passphrase', { session });
      expect(await codeOf(call)).toBe('FORBIDDEN');
    });
  });
}

function failWith(error: unknown): never {
  throw error;
}
