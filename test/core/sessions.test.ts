import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { codeOf, countQueries, createAccounts } from '../accounts.ts';

for (const useStatelessSession of [false, true]) {
  describe(useStatelessSession ? 'a stateless session' : 'a stateful session', () => {
    const start = async (options = {}) => {
      const accounts = createAccounts({ useStatelessSession, ...options });
      const id = await accounts.signUp({ email: 'ada@example.com' });
      const login = await accounts.logIn('ada@example.com');
      return { ...accounts, id, login, ...login.tokens };
    };

    test('is resumed by its access token', async () => {
      const { server, accessToken, id } = await start();
      expect(await server.resumeSession(accessToken)).toMatchObject({
        id,
        emails: [{ address: 'ada@example.com' }],
      });
    });

    test('ends its access token after 15 minutes and goes on by a refresh', async () => {
      const { server, accessToken, refreshToken, clock } = await start();
      clock.pass(15 * MINUTE);
      expect(await codeOf(server.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
      const { tokens } = await server.refreshTokens(accessToken, refreshToken);
      expect(await server.resumeSession(tokens.accessToken)).toBeTruthy();
    });

    test('S14 an access token is no refresh token, nor the reverse', async () => {
      const { server, accessToken, refreshToken } = await start();
      expect(await codeOf(server.refreshTokens(accessToken, accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(refreshToken, refreshToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.resumeSession(refreshToken))).toBe('UNAUTHENTICATED');
    });

    test('S14 the tokens of two sessions, or of two users, do not go together', async () => {
      const { server, accessToken, refreshToken, logIn, signUp } = await start();
      const second = await logIn('ada@example.com');
      expect(await codeOf(server.refreshTokens(accessToken, second.tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
      await signUp({ email: 'eve@example.com' });
      const eve = await logIn('eve@example.com');
      expect(await codeOf(server.refreshTokens(eve.tokens.accessToken, refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
      expect(await server.refreshTokens(accessToken, refreshToken)).toBeTruthy();
    });

    test('S15 a lost answer may be asked for again and gives the same successor', async () => {
      const { server, accessToken, refreshToken, clock } = await start();
      const first = await server.refreshTokens(accessToken, refreshToken);
      clock.pass(60 * SECOND);
      const again = await server.refreshTokens(accessToken, refreshToken);
      expect(numberOf(again.tokens.refreshToken)).toEqual(numberOf(first.tokens.refreshToken));
      expect(await server.refreshTokens(accessToken, again.tokens.refreshToken)).toBeTruthy();
    });

    test('S15 after the grace the older token is theft, though its successor was not used', async () => {
      const { server, accessToken, refreshToken, clock } = await start();
      const { tokens } = await server.refreshTokens(accessToken, refreshToken);
      clock.pass(60 * SECOND + 1);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
    });

    test('S15 a reused refresh token revokes the session and is told', async () => {
      const { server, accessToken, refreshToken, id, login } = await start();
      const reused: unknown[] = [];
      server.on('RefreshTokenReused', (event) => reused.push(event));
      const second = await server.refreshTokens(accessToken, refreshToken);
      const third = await server.refreshTokens(accessToken, second.tokens.refreshToken);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken, { ip: '192.0.2.9' }))).toBe(
        'UNAUTHENTICATED',
      );
      expect(await codeOf(server.refreshTokens(accessToken, third.tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
      const connection = { ip: '192.0.2.9', userAgent: null };
      expect(reused).toEqual([{ userId: id, sessionId: login.sessionId, connection }]);
    });

    test('S15 an older token that fails verification changes nothing', async () => {
      const { server, accessToken, refreshToken } = await start();
      const second = await server.refreshTokens(accessToken, refreshToken);
      const third = await server.refreshTokens(accessToken, second.tokens.refreshToken);
      const forged = `${refreshToken.slice(0, -3)}AAA`;
      expect(await codeOf(server.refreshTokens(accessToken, forged))).toBe('UNAUTHENTICATED');
      expect(await server.refreshTokens(accessToken, third.tokens.refreshToken)).toBeTruthy();
    });

    test('S56 1,000 refreshes of one token at once give one family', async () => {
      const { server, accessToken, refreshToken } = await start();
      const all = await Promise.all(
        Array.from({ length: 1000 }, () => server.refreshTokens(accessToken, refreshToken)),
      );
      expect(new Set(all.map(({ tokens }) => JSON.stringify(numberOf(tokens.refreshToken)))).size).toBe(1);
      const next = await server.refreshTokens(accessToken, all[500]?.tokens.refreshToken ?? '');
      expect(numberOf(next.tokens.refreshToken).rot).toBe(3);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
    });

    test('S17 ends 7 days after its last refresh', async () => {
      const { server, accessToken, refreshToken, clock } = await start();
      clock.pass(7 * DAY - SECOND);
      const { tokens } = await server.refreshTokens(accessToken, refreshToken);
      clock.pass(7 * DAY);
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
    });

    test('S17 ends 30 days after login, however often it is refreshed, and no token outlives it', async () => {
      const { server, clock, ...login } = await start();
      let tokens = { accessToken: login.accessToken, refreshToken: login.refreshToken };
      for (let day = 5; day < 30; day += 5) {
        clock.pass(5 * DAY);
        tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      }
      clock.pass(5 * DAY - 5 * MINUTE);
      tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      const end = Math.floor(clock.now() / SECOND) + 5 * 60;
      expect(jwt.decode(tokens.accessToken)).toMatchObject({ exp: end });
      expect(jwt.decode(tokens.refreshToken)).toMatchObject({ exp: end });
      clock.pass(5 * MINUTE);
      expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
    });

    test('S18 deactivating the user refuses resume, refresh and login, and activating gives no session back', async () => {
      const { server, accessToken, refreshToken, id, logIn } = await start();
      await server.deactivateUser(id);
      expect(await codeOf(server.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(logIn('ada@example.com'))).toBe('INVALID_CREDENTIALS');
      expect(await codeOf(server.loginWithUser({ id }))).toBe('INVALID_CREDENTIALS');
      await server.activateUser(id);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
      expect(await logIn('ada@example.com')).toBeTruthy();
    });

    test('S21 is ended by an access token that has expired', async () => {
      const { server, accessToken, refreshToken, clock } = await start();
      const events: unknown[] = [];
      server.on('LogoutSuccess', (event) => events.push(event));
      clock.pass(HOUR);
      await server.logout(accessToken);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
      await server.logout(accessToken);
      expect(events).toHaveLength(1);
    });

    test('is not ended by a token that is not ours', async () => {
      const { server } = await start();
      for (const token of ['', 'x', 'a.b.c', {}, null, 7]) {
        expect(await codeOf(server.logout(token as string))).toBe('UNAUTHENTICATED');
      }
    });

    test('keeps the answer of a login to three keys', async () => {
      const { login } = await start();
      expect(Object.keys(login).sort()).toEqual(['sessionId', 'tokens', 'user']);
      expect(Object.keys(login.tokens).sort()).toEqual(['accessToken', 'refreshToken']);
    });

    test('dies with invalidateAllSessions of the database, but for those that are named', async () => {
      const { server, db, accessToken, refreshToken, id, logIn } = await start();
      const kept = await logIn('ada@example.com');
      await db.invalidateAllSessions(id, [kept.sessionId]);
      expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
      expect(await server.refreshTokens(kept.tokens.accessToken, kept.tokens.refreshToken)).toBeTruthy();
    });

    test('S42 impersonation: the target is sub, the actor is act.sub, through a refresh, and it ends with the actor', async () => {
      const { server, accessToken, id, signUp, clock } = await start({ impersonationAuthorize: () => true });
      const target = await signUp({ username: 'grace' });
      const { authorized, tokens, user } = await server.impersonate(accessToken, { username: 'grace' });
      expect({ authorized, id: user.id }).toEqual({ authorized: true, id: target });
      const claims = { sub: target, act: { sub: id }, data: { userId: target, isImpersonated: true } };
      expect(jwt.decode(tokens.accessToken)).toMatchObject(claims);
      expect(await server.resumeSession(tokens.accessToken)).toMatchObject({ id: target });
      const refreshed = await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
      expect(jwt.decode(refreshed.tokens.accessToken)).toMatchObject(claims);
      expect(await server.resumeSession(refreshed.tokens.accessToken)).toMatchObject({ id: target });
      clock.pass(MINUTE);
      await server.logout(accessToken);
      const { accessToken: access, refreshToken: refresh } = refreshed.tokens;
      expect(await codeOf(server.refreshTokens(access, refresh))).toBe('UNAUTHENTICATED');
      if (!useStatelessSession) expect(await codeOf(server.resumeSession(access))).toBe('UNAUTHENTICATED');
    });

    test('S42 impersonation ends after an hour, whatever is refreshed', async () => {
      const { server, accessToken, signUp, clock } = await start({ impersonationAuthorize: () => true });
      const target = await signUp({ username: 'grace' });
      let { tokens } = await server.impersonate(accessToken, { userId: target });
      clock.pass(HOUR - SECOND);
      tokens = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
      clock.pass(SECOND);
      expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
      expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
        'UNAUTHENTICATED',
      );
    });
  });
}

describe('a stateful session', () => {
  const start = async () => {
    const accounts = createAccounts();
    const id = await accounts.signUp({ email: 'ada@example.com' });
    return { ...accounts, id, ...(await accounts.logIn('ada@example.com')).tokens };
  };

  test('S16 is gone at once for whoever holds its access token', async () => {
    const { server, accessToken } = await start();
    expect(await server.resumeSession(accessToken)).toBeTruthy();
    await server.logout(accessToken);
    expect(await codeOf(server.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
  });

  test('costs one query for all that is asked in one turn of the event loop', async () => {
    const { db, clock, accessToken } = await start();
    const { counted, queries } = countQueries(db);
    const { server } = createAccounts({ db: counted, now: clock.now });
    const all = await Promise.all(Array.from({ length: 50 }, () => server.resumeSession(accessToken)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(queries).toEqual(['sessions.findMany', 'users.findMany']);
  });

  test('S18 is refused while its user is deactivated, also when the store did not end it', async () => {
    const { server, db, id, accessToken, refreshToken } = await start();
    const [user] = await db.users.findMany([id]);
    if (user) await db.users.update({ ...user, deactivated: true });
    expect(await codeOf(server.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
    expect(await codeOf(server.refreshTokens(accessToken, refreshToken))).toBe('UNAUTHENTICATED');
  });
});

test('S23 a stateless access token outlives its session by no more than its own life, and cannot be refreshed', async () => {
  const { server, signUp, logIn, clock } = createAccounts({ useStatelessSession: true });
  await signUp({ email: 'ada@example.com' });
  const { tokens } = await logIn('ada@example.com');
  await server.logout(tokens.accessToken);
  expect(server.resumeRequester(tokens.accessToken)).toMatchObject({ user: {} });
  expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe('UNAUTHENTICATED');
  clock.pass(15 * MINUTE);
  expect(await codeOf(() => server.resumeRequester(tokens.accessToken))).toBe('UNAUTHENTICATED');
});

function numberOf(refreshToken: string): { sid: string; rot: number } {
  const { sid, rot } = jwt.decode(refreshToken) as { sid: string; rot: number };
  return { sid, rot };
}
