import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../src/core/time.ts';
import { AccountsServer, type AccountsServerOptions } from '../../src/index.ts';
import { codeOf, createAccounts, SECRET } from '../accounts.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The server that makes the tokens, and one that only verifies them. */
async function start(options: Partial<AccountsServerOptions> = {}) {
  const issuer = createAccounts({
    tokenSecret: keys,
    createJwtPayload: () => ({ role: 'reader' }),
    impersonationAuthorize: () => true,
  });
  const id = await issuer.signUp({ username: 'ada' });
  const login = await issuer.logIn('ada');
  const errors: unknown[] = [];
  const micro = new AccountsServer({
    micro: true,
    tokenSecret: { publicKey: keys.publicKey },
    now: issuer.clock.now,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { ...issuer, ...login.tokens, issuer: issuer.server, micro, id, sessionId: login.sessionId, errors };
}

describe('a server in micro mode', () => {
  test('verifies access tokens, needs no database, and tells the id alone', async () => {
    const { micro, accessToken, id, sessionId, clock } = await start();
    expect(await micro.resumeSession(accessToken)).toEqual({ id });
    expect(micro.resumeRequester(accessToken)).toEqual({
      user: { id },
      session: {
        id: sessionId,
        userId: id,
        actorUserId: null,
        authenticatedAt: new Date(clock.now()),
        amr: ['pwd'],
      },
    });
    expect([micro.micro, micro.stateless]).toEqual([true, false]);
  });

  test('tells who acts', async () => {
    const { micro, issuer, accessToken, id, signUp } = await start();
    const grace = await signUp({ username: 'grace' });
    const { tokens } = await issuer.impersonate(accessToken, { userId: grace });
    expect(micro.resumeRequester(tokens.accessToken)).toMatchObject({
      user: { id: grace },
      session: { actorUserId: id },
    });
  });

  test('S24 refuses what is no access token, or none any more', async () => {
    const { micro, accessToken, refreshToken, clock } = await start();
    for (const token of [refreshToken, '', 'x', `${accessToken}A`, null, undefined]) {
      expect(await codeOf(micro.resumeSession(token as string))).toBe('UNAUTHENTICATED');
      expect(await codeOf(() => micro.resumeRequester(token as string))).toBe('UNAUTHENTICATED');
    }
    clock.pass(15 * MINUTE);
    expect(await codeOf(micro.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
  });

  test('S24 refuses the tokens of another issuer, for another audience and of another key', async () => {
    const { accessToken } = await start();
    for (const options of [
      { tokenConfigs: { accessToken: { issuer: 'somebody else' } } },
      { tokenConfigs: { accessToken: { audience: 'somebody else' } } },
      { tokenSecret: SECRET },
      { tokenSecret: { publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey } },
    ]) {
      const { micro } = await start(options);
      expect(await codeOf(micro.resumeSession(accessToken))).toBe('UNAUTHENTICATED');
    }
  });

  test('trusts the token until it expires, whatever became of its session', async () => {
    const { micro, issuer, accessToken, id } = await start();
    await issuer.deactivateUser(id);
    expect(await micro.resumeSession(accessToken)).toEqual({ id });
  });

  test('does nothing that would need a database, and says so for good', async () => {
    const { micro, accessToken, refreshToken, id, errors } = await start();
    const calls = {
      findUserById: () => micro.findUserById(id),
      loginWithUser: () => micro.loginWithUser({ id }),
      liveSession: () => micro.resumeLiveSession(accessToken),
      loadUser: async () => micro.resumeUser(await micro.resumeRequester(accessToken)),
      refreshTokens: () => micro.refreshTokens(accessToken, refreshToken),
      logout: () => micro.logout(accessToken),
      impersonate: () => micro.impersonate(accessToken, { userId: id }),
      deactivateUser: () => micro.deactivateUser(id),
      activateUser: () => micro.activateUser(id),
      removeExpired: () => micro.removeExpired(),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect([name, await call().catch((error: unknown) => error)]).toEqual([
        ...[name, expect.objectContaining({ code: 'FORBIDDEN', retryable: false })],
      ]);
    }
    expect(await codeOf(micro.loginWithService('password', {}))).toBe('SERVICE_NOT_FOUND');
    expect(errors).toEqual([]);
  });

  test('is alive: there is nothing that could be down', async () => {
    const { micro } = await start();
    await expect(micro.ping()).resolves.toBeUndefined();
  });
});
