import { describe, expect, test, vi } from 'vitest';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import type { AccountsServerOptions } from '../../src/index.ts';
import { codeOf, createAccounts } from '../accounts.ts';
import { outcomeAfter, slow, useSteppedTimers } from '../slow.ts';

useSteppedTimers();

async function start(options: Partial<AccountsServerOptions> = {}) {
  const { state, database } = slow(memoryDatabase());
  const accounts = createAccounts({ db: database, storeTimeout: 400, operationTimeout: 500, ...options });
  const id = await accounts.signUp({ username: 'ada' });
  const { tokens } = await accounts.logIn('ada');
  return { ...accounts, ...tokens, id, state };
}

describe('S55 the look-up of a request', () => {
  test('ends within operationTimeout on a store that is slow at every call, and is reported', async () => {
    const { server, state, accessToken, errors } = await start();
    state.delay = 350;
    // Two calls, of which each would end in time.
    for (const look of [
      () => server.resumeSession(accessToken),
      () => server.resumeLiveSession(accessToken),
    ]) {
      errors.length = 0;
      const call = codeOf(look);
      expect(await outcomeAfter(480, call)).toBe('pending');
      expect(await outcomeAfter(30, call)).toBe('SERVICE_UNAVAILABLE');
      expect(errors).not.toEqual([]);
      for (const { error } of errors) expect(String(error)).toMatch(/within 500 ms$/);
      await outcomeAfter(400, call);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('of an impersonation, which is two sessions, ends within operationTimeout', async () => {
    const { server, signUp, state, accessToken, errors } = await start({
      impersonationAuthorize: () => true,
    });
    await signUp({ username: 'grace' });
    const { tokens } = await server.impersonate(accessToken, { username: 'grace' });
    errors.length = 0;
    state.delay = 180;
    const call = codeOf(() => server.resumeSession(tokens.accessToken));
    expect(await outcomeAfter(480, call)).toBe('pending');
    expect(await outcomeAfter(30, call)).toBe('SERVICE_UNAVAILABLE');
    expect(errors).toMatchObject([{ error: { message: 'not done within 500 ms' } }]);
    await outcomeAfter(400, call);
    expect(vi.getTimerCount()).toBe(0);
  });

  for (const useStatelessSession of [false, true]) {
    const mode = useStatelessSession ? 'statelessly' : 'statefully';
    test(`${mode} ends in time where resumeSessionValidator hangs, and lets nobody in`, async () => {
      const { server, accessToken } = await start({
        useStatelessSession,
        resumeSessionValidator: () => new Promise(() => {}),
      });
      const resumed: unknown[] = [];
      server.on('ResumeSessionSuccess', (event) => resumed.push(event));
      for (const look of [
        () => server.resumeSession(accessToken),
        () => server.resumeLiveSession(accessToken),
      ]) {
        const call = codeOf(look);
        expect(await outcomeAfter(480, call)).toBe('pending');
        expect(await outcomeAfter(30, call)).toBe('SERVICE_UNAVAILABLE');
      }
      expect(resumed).toEqual([]);
    });
  }

  test('has no timer beside that of its call, and none where nothing is looked up', async () => {
    const { server, accessToken } = await start({ useStatelessSession: true });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    server.resumeRequester(accessToken);
    expect(await codeOf(() => server.resumeRequester('x'))).toBe('UNAUTHENTICATED');
    expect(timers).not.toHaveBeenCalled();
    await server.resumeSession(accessToken);
    expect(timers).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a userObjectSanitizer', () => {
  const answers: [string, (user: object) => unknown][] = [
    ['nothing', () => undefined],
    ['null', () => null],
    ['text', () => 'ada'],
    ['a user without id', () => ({ username: 'ada' })],
    ['another user', (user) => ({ ...user, id: 'eve' })],
    ['a promise', async (user) => user],
  ];
  for (const [name, sanitize] of answers) {
    test(`that returns ${name} logs nobody in, and is reported`, async () => {
      let breaks = false;
      const { server, db, id, accessToken, refreshToken, logIn, errors } = await start({
        userObjectSanitizer: (user) => (breaks ? (sanitize(user) as typeof user) : user),
      });
      const failed: unknown[] = [];
      server.on('LoginError', ({ error, user }) => failed.push([error.code, user]));
      breaks = true;
      const calls = {
        logIn: () => logIn('ada'),
        loginWithUser: () => server.loginWithUser({ id }),
        resumeSession: () => server.resumeSession(accessToken),
        findUserById: () => server.findUserById(id),
        refreshTokens: () => server.refreshTokens(accessToken, refreshToken),
      };
      for (const [call, run] of Object.entries(calls)) {
        const before = errors.length;
        expect([call, await codeOf(run)]).toEqual([call, 'INTERNAL_SERVER_ERROR']);
        expect([call, errors.length]).toEqual([call, before + 1]);
      }
      expect(failed).toEqual([
        ['INTERNAL_SERVER_ERROR', null],
        ['INTERNAL_SERVER_ERROR', null],
      ]);
      expect(await db.sessions.findByUser(id)).toHaveLength(1);
      breaks = false;
      // The refresh token was not used up.
      expect(await server.refreshTokens(accessToken, refreshToken)).toMatchObject({ user: { id } });
    });
  }
});
