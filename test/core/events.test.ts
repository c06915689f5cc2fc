import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HOUR, MINUTE } from '../../src/core/time.ts';
import {
  AccountsError,
  type AccountsEventName,
  type AccountsEvents,
  type AccountsServer,
  type AccountsServerOptions,
} from '../../src/index.ts';
import { codeOf, createAccounts, fastHashes, PASSWORD } from '../accounts.ts';
import { turns, watchUnhandled } from './unhandled.ts';

/** Every event there is: the compiler names the one that is missing here. */
const NAMES = Object.keys({
  ValidateLogin: 1,
  LoginSuccess: 1,
  LoginError: 1,
  AuthenticateSuccess: 1,
  AuthenticateError: 1,
  LogoutSuccess: 1,
  LogoutError: 1,
  CreateUserSuccess: 1,
  CreateUserError: 1,
  ResumeSessionSuccess: 1,
  ResumeSessionError: 1,
  RefreshTokensSuccess: 1,
  RefreshTokensError: 1,
  RefreshTokenReused: 1,
  ImpersonationSuccess: 1,
  ImpersonationError: 1,
  ResetPasswordSuccess: 1,
  ResetPasswordError: 1,
  ChangePasswordSuccess: 1,
  ChangePasswordError: 1,
  VerifyEmailSuccess: 1,
  VerifyEmailError: 1,
  RejectEmailSuccess: 1,
  RejectEmailError: 1,
  AddEmailSuccess: 1,
  RemoveEmailSuccess: 1,
  SetUsernameSuccess: 1,
  LinkOAuthSuccess: 1,
  LinkOAuthError: 1,
  UnlinkOAuthSuccess: 1,
  UnlinkOAuthError: 1,
  PasskeyRegisterSuccess: 1,
  PasskeyRegisterError: 1,
  PasskeyRenameSuccess: 1,
  PasskeyRenameError: 1,
  PasskeyRemoveSuccess: 1,
  PasskeyRemoveError: 1,
  PasskeyCounterReused: 1,
  TwoFactorSetSuccess: 1,
  TwoFactorSetError: 1,
  TwoFactorUnsetSuccess: 1,
  TwoFactorUnsetError: 1,
  GenerateRecoveryCodesSuccess: 1,
  GenerateRecoveryCodesError: 1,
  DeactivateUserSuccess: 1,
  ActivateUserSuccess: 1,
} satisfies Record<AccountsEventName, 1>) as AccountsEventName[];

/** ServerHooks of `@accounts/server`. */
const OF_ACCOUNTS_JS = [
  ...['ValidateLogin', 'LoginSuccess', 'LoginError', 'AuthenticateSuccess', 'AuthenticateError'],
  ...['LogoutSuccess', 'LogoutError', 'CreateUserSuccess', 'CreateUserError', 'ResumeSessionSuccess'],
  ...['ResumeSessionError', 'RefreshTokensSuccess', 'RefreshTokensError', 'ImpersonationSuccess'],
  ...['ImpersonationError', 'ResetPasswordSuccess', 'ChangePasswordSuccess'],
];

const FROM = { ip: '192.0.2.1', userAgent: 'test' };

type Heard = { [N in AccountsEventName]: { name: N; event: AccountsEvents[N] } }[AccountsEventName];

/** Writes every event down. */
function listen(server: AccountsServer): Heard[] {
  const heard: Heard[] = [];
  for (const name of NAMES) server.on(name, (event) => heard.push({ name, event } as Heard));
  return heard;
}

async function start(options: Partial<AccountsServerOptions> = {}) {
  const accounts = createAccounts(options);
  const id = await accounts.signUp({ email: 'ada@example.com', username: 'ada' });
  const heard = listen(accounts.server);
  return {
    ...accounts,
    id,
    heard,
    /** What a call emits, and nothing else. */
    async emitted(call: () => unknown): Promise<Heard[]> {
      heard.length = 0;
      await codeOf(async () => call());
      await accounts.server.settled();
      return [...heard];
    },
  };
}

const ada = (id: string) => expect.objectContaining({ id, username: 'ada' });

describe('the events', () => {
  test('have the names of accounts-js', () => {
    const { server } = createAccounts();
    for (const name of OF_ACCOUNTS_JS)
      expect(() => server.on(name as AccountsEventName, () => {})).not.toThrow();
  });

  test('refuse to listen to a name that nobody emits: a misspelt ValidateLogin would check nothing', () => {
    const { server } = createAccounts();
    for (const name of [
      'ValidateLogn',
      'validatelogin',
      '__proto__',
      'constructor',
      'toString',
      '',
      undefined,
    ]) {
      expect(() => server.on(name as AccountsEventName, () => {})).toThrow(TypeError);
    }
    for (const listener of [undefined, null, 'x', {}]) {
      expect(() => server.on('LoginSuccess', listener as () => void)).toThrow(TypeError);
    }
  });

  test('on answers its own unsubscribe, also when one function listens twice', async () => {
    const { server, logIn } = await start();
    const listener = vi.fn();
    const first = server.on('LoginSuccess', listener);
    const second = server.on('LoginSuccess', listener);
    await logIn('ada');
    expect(listener).toHaveBeenCalledTimes(2);
    first();
    first();
    await logIn('ada');
    expect(listener).toHaveBeenCalledTimes(3);
    second();
    await logIn('ada');
    expect(listener).toHaveBeenCalledTimes(3);
  });

  test('may be unsubscribed from while they are told', async () => {
    const { server, logIn } = await start();
    const after = vi.fn();
    const off: () => void = server.on('LoginSuccess', () => off());
    server.on('LoginSuccess', after);
    await logIn('ada');
    await logIn('ada');
    expect(after).toHaveBeenCalledTimes(2);
  });

  const failures: [string, () => unknown][] = [
    ['throws', () => failWith(new Error('the listener failed'))],
    ['rejects', async () => failWith(new Error('the listener failed'))],
    ['rejects with nothing', () => Promise.reject()],
  ];
  for (const [name, listener] of failures) {
    test(`a listener that ${name} is reported, and nothing else happens`, async () => {
      const unhandled = watchUnhandled();
      const { server, logIn, errors } = await start();
      const after = vi.fn();
      server.on('LoginSuccess', listener);
      server.on('LoginSuccess', after);
      expect(await codeOf(logIn('ada'))).toBe('not refused');
      await turns();
      expect(after).toHaveBeenCalledTimes(1);
      expect(errors.map(({ where }) => where)).toEqual(['a listener of LoginSuccess']);
      expect(unhandled).toEqual([]);
    });
  }

  test('a listener that never ends holds nobody up', async () => {
    const { server, logIn } = await start();
    server.on('LoginSuccess', () => new Promise(() => {}));
    expect(await codeOf(logIn('ada'))).toBe('not refused');
  });

  for (const onError of [
    () => failWith(new Error('the reporter failed')),
    async () => failWith(new Error('the reporter failed')),
  ]) {
    test('a reporter that fails as well ends nothing, and the error comes out on the console', async () => {
      const unhandled = watchUnhandled();
      const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
      const { server, logIn } = await start({ onError });
      server.on('LoginSuccess', () => failWith(new Error('the listener failed')));
      expect(await codeOf(logIn('ada'))).toBe('not refused');
      await turns();
      expect(inspect(printed.mock.calls)).toContain('the listener failed');
      expect(unhandled).toEqual([]);
    });
  }
});

describe('ValidateLogin', () => {
  test('is asked in turn, each listener when the one before has ended, before there is a session', async () => {
    const { server, logIn, db, id } = await start();
    const order: string[] = [];
    const sessions = async () => (await db.sessions.findByUser(id)).length;
    server.on('ValidateLogin', async ({ user, service, connection }) => {
      order.push(`first begins, ${await sessions()} sessions`);
      await turns();
      order.push(`first ends: ${user.username} ${service} ${connection.ip}`);
    });
    server.on('ValidateLogin', () => order.push('second'));
    server.on('LoginSuccess', () => order.push('success'));
    await logIn('ada');
    expect(order).toEqual([
      ...['first begins, 0 sessions', 'first ends: ada password 192.0.2.1', 'second', 'success'],
    ]);
  });

  const refusals: [string, unknown, string, string][] = [
    ['an Error', new Error('the account is overdue'), 'LOGIN_REFUSED', 'This login was refused.'],
    ['a TypeError', new TypeError('x is not a function'), 'LOGIN_REFUSED', 'This login was refused.'],
    ['text', 'hunter2', 'LOGIN_REFUSED', 'This login was refused.'],
    ['nothing', undefined, 'LOGIN_REFUSED', 'This login was refused.'],
    [
      'an AccountsError',
      new AccountsError('EMAIL_NOT_VERIFIED', 'Verify first.'),
      'EMAIL_NOT_VERIFIED',
      'Verify first.',
    ],
  ];
  for (const [name, thrown, code, message] of refusals) {
    test(`refuses with ${code} where a listener throws ${name}, and leaves no session`, async () => {
      for (const listener of [() => failWith(thrown), async () => failWith(thrown)]) {
        const { server, logIn, db, id, heard } = await start();
        server.on('ValidateLogin', listener);
        const later = vi.fn();
        server.on('ValidateLogin', later);
        for (const call of [() => logIn('ada'), () => server.loginWithUser({ id }, FROM)]) {
          const error = await call().catch((refusal: unknown) => refusal);
          expect(error).toBeInstanceOf(AccountsError);
          expect(error).toMatchObject({ code, message });
        }
        expect(later).not.toHaveBeenCalled();
        expect(await db.sessions.findByUser(id)).toEqual([]);
        const told = heard.filter((entry) => entry.name === 'LoginError').map((entry) => entry.event);
        expect(told).toEqual([
          { service: 'password', connection: FROM, user: ada(id), error: { code } },
          { service: 'loginWithUser', connection: FROM, user: ada(id), error: { code } },
        ]);
      }
    });
  }

  test('is not asked for a wrong password, an unknown or a deactivated user, or where nobody logs in', async () => {
    const { server, logIn, id } = await start();
    const listener = vi.fn();
    server.on('ValidateLogin', listener);
    await codeOf(logIn('ada', 'wrong password'));
    await codeOf(logIn('eve'));
    await server.authenticateWithService('password', { user: 'ada', password: PASSWORD }, FROM);
    await server.deactivateUser(id);
    await codeOf(logIn('ada'));
    await codeOf(server.loginWithUser({ id }));
    expect(listener).not.toHaveBeenCalled();
  });
});

describe('S47 every outcome is told', () => {
  test('of a login', async () => {
    const { server, emitted, logIn, id } = await start();
    const failed = (service: string, code: string, user: unknown = null) => [
      { name: 'LoginError', event: { service, connection: FROM, user, error: { code } } },
    ];
    const succeeded = (service: string) => [
      { name: 'ValidateLogin', event: { service, connection: FROM, user: ada(id) } },
      {
        name: 'LoginSuccess',
        event: { service, connection: FROM, user: ada(id), sessionId: expect.any(String) },
      },
    ];
    const through = (service: unknown, params: unknown) => () =>
      server.loginWithService(service as string, params, FROM);
    expect(await emitted(() => logIn('ada'))).toEqual(succeeded('password'));
    expect(await emitted(() => server.loginWithUser({ id }, FROM))).toEqual(succeeded('loginWithUser'));
    expect(await emitted(() => logIn('ada', 'wrong password'))).toEqual(
      failed('password', 'INVALID_CREDENTIALS'),
    );
    expect(await emitted(() => logIn('eve'))).toEqual(failed('password', 'INVALID_CREDENTIALS'));
    expect(await emitted(through('google', {}))).toEqual(failed('google', 'SERVICE_NOT_FOUND'));
    expect(await emitted(through({ x: 1 }, {}))).toEqual(failed('', 'SERVICE_NOT_FOUND'));
    expect(await emitted(through('password', null))).toEqual(failed('password', 'BAD_USER_INPUT'));
    expect(await emitted(through('password', {}))).toEqual(failed('password', 'BAD_USER_INPUT'));
    expect(await emitted(() => server.loginWithUser({ id: 'nobody' }, FROM))).toEqual(
      failed('loginWithUser', 'USER_NOT_FOUND'),
    );
    expect(await emitted(() => server.loginWithUser({ id: { $ne: null } as never }, FROM))).toEqual(
      failed('loginWithUser', 'BAD_USER_INPUT'),
    );
    await server.deactivateUser(id);
    expect(await emitted(() => server.loginWithUser({ id }, FROM))).toEqual(
      failed('loginWithUser', 'INVALID_CREDENTIALS', ada(id)),
    );
  });

  test('of proving who one is without a session', async () => {
    const { server, emitted, id } = await start();
    const prove = (password: string) => () =>
      server.authenticateWithService('password', { user: 'ada', password }, FROM);
    const told = { service: 'password', connection: FROM };
    expect(await emitted(prove(PASSWORD))).toEqual([
      { name: 'AuthenticateSuccess', event: { ...told, user: ada(id) } },
    ]);
    expect(await emitted(prove('wrong password'))).toEqual([
      { name: 'AuthenticateError', event: { ...told, user: null, error: { code: 'INVALID_CREDENTIALS' } } },
    ]);
  });

  for (const useStatelessSession of [false, true]) {
    test(`of resuming a session that is ${useStatelessSession ? 'stateless' : 'stateful'}`, async () => {
      const { server, emitted, logIn, id, clock } = await start({ useStatelessSession });
      const { tokens, sessionId } = await logIn('ada');
      const resume = () => server.resumeSession(tokens.accessToken);
      const failed = [{ name: 'ResumeSessionError', event: { error: { code: 'UNAUTHENTICATED' } } }];
      expect(await emitted(resume)).toEqual([
        { name: 'ResumeSessionSuccess', event: { user: ada(id), sessionId } },
      ]);
      expect(await emitted(() => server.resumeSession('x'))).toEqual(failed);
      await server.deactivateUser(id);
      expect(await emitted(resume)).toEqual(failed);
      clock.pass(HOUR);
      expect(await emitted(resume)).toEqual(failed);
      expect(await emitted(() => server.resumeLiveSession(tokens.accessToken))).toEqual(failed);
    });

    test(`of a validator that refuses a ${useStatelessSession ? 'stateless' : 'stateful'} session`, async () => {
      const seen: unknown[] = [];
      const { server, emitted, logIn, id } = await start({
        useStatelessSession,
        resumeSessionValidator: (user, session) => {
          seen.push([user.id, session?.userId]);
          failWith(new Error('not today'));
        },
      });
      const { tokens } = await logIn('ada');
      const failed = [{ name: 'ResumeSessionError', event: { error: { code: 'UNAUTHENTICATED' } } }];
      expect(await emitted(() => server.resumeSession(tokens.accessToken))).toEqual(failed);
      // Otherwise a session that is refused could still change the password.
      expect(await emitted(() => server.resumeLiveSession(tokens.accessToken))).toEqual(failed);
      const session = useStatelessSession ? undefined : id;
      expect(seen).toEqual([
        [id, session],
        [id, session],
      ]);
    });
  }

  test('of a refresh, and of a refresh token that is used twice', async () => {
    const { server, emitted, logIn, id, clock } = await start();
    const { tokens, sessionId } = await logIn('ada');
    const refresh = () => server.refreshTokens(tokens.accessToken, tokens.refreshToken, FROM);
    const failed = {
      name: 'RefreshTokensError',
      event: { connection: FROM, error: { code: 'UNAUTHENTICATED' } },
    };
    expect(await emitted(refresh)).toEqual([
      { name: 'RefreshTokensSuccess', event: { user: ada(id), sessionId, connection: FROM } },
    ]);
    expect(await emitted(() => server.refreshTokens(tokens.accessToken, 'x', FROM))).toEqual([failed]);
    clock.pass(2 * MINUTE);
    expect(await emitted(refresh)).toEqual([
      { name: 'RefreshTokenReused', event: { userId: id, sessionId, connection: FROM } },
      failed,
    ]);
    expect(await emitted(refresh)).toEqual([failed]);
  });

  test('of a logout', async () => {
    const { server, emitted, logIn, id } = await start();
    const { tokens, sessionId } = await logIn('ada');
    expect(await emitted(() => server.logout(tokens.accessToken))).toEqual([
      { name: 'LogoutSuccess', event: { userId: id, sessionId } },
    ]);
    expect(await emitted(() => server.logout(tokens.accessToken))).toEqual([]);
    expect(await emitted(() => server.logout(tokens.refreshToken))).toEqual([
      { name: 'LogoutError', event: { error: { code: 'UNAUTHENTICATED' } } },
    ]);
  });

  test('of shutting a user out and letting them in again', async () => {
    const { server, emitted, id } = await start();
    expect(await emitted(() => server.deactivateUser(id))).toEqual([
      { name: 'DeactivateUserSuccess', event: { userId: id } },
    ]);
    expect(await emitted(() => server.activateUser(id))).toEqual([
      { name: 'ActivateUserSuccess', event: { userId: id } },
    ]);
    expect(await emitted(() => server.deactivateUser('nobody'))).toEqual([]);
  });

  test('of signing up, verifying, changing and resetting', async () => {
    const { server, service, emitted, id, linkTo } = await start({ ambiguousErrorMessages: false });
    const named = (name: string, event: object) => [{ name, event }];
    const signUp = (username: string) => () => service.createUser({ username, password: PASSWORD }, FROM);
    expect(await emitted(signUp('grace'))).toEqual(
      named('CreateUserSuccess', { user: expect.objectContaining({ username: 'grace' }), connection: FROM }),
    );
    expect(await emitted(signUp('grace'))).toEqual(
      named('CreateUserError', { error: { code: 'USERNAME_TAKEN' }, connection: FROM }),
    );
    await service.sendVerificationEmail('ada@example.com');
    const link = await linkTo('ada@example.com', 'verify-email');
    expect(await emitted(() => service.verifyEmail(link))).toEqual(
      named('VerifyEmailSuccess', { user: ada(id) }),
    );
    const change = (old: string) => () =>
      service.changePassword(id, old, 'a quite different passphrase', { connection: FROM });
    expect(await emitted(change('wrong password'))).toEqual(
      named('ChangePasswordError', { userId: id, error: { code: 'INVALID_CREDENTIALS' }, connection: FROM }),
    );
    expect(await emitted(change(PASSWORD))).toEqual(
      named('ChangePasswordSuccess', { user: ada(id), connection: FROM }),
    );
    await service.sendResetPasswordEmail('ada@example.com');
    const reset = await linkTo('ada@example.com', 'reset-password');
    const use = () => service.resetPassword(reset, 'and another passphrase', FROM);
    expect(await emitted(use)).toEqual(named('ResetPasswordSuccess', { user: ada(id), connection: FROM }));
    expect(await emitted(use)).toEqual(
      named('ResetPasswordError', { error: { code: 'INVALID_TOKEN' }, connection: FROM }),
    );
    expect(await emitted(() => service.addEmail(id, 'ada@example.org'))).toEqual(
      named('AddEmailSuccess', { user: ada(id) }),
    );
    expect(await emitted(() => service.removeEmail(id, 'ada@example.org'))).toEqual(
      named('RemoveEmailSuccess', { user: ada(id) }),
    );
    expect(await emitted(() => service.setUsername(id, 'lovelace'))).toEqual(
      named('SetUsernameSuccess', { user: expect.objectContaining({ username: 'lovelace' }) }),
    );
    await server.settled();
  });
});

test('S47 no event lets a stranger write a line into a log', async () => {
  const { server, heard, id } = await start();
  const evil =
    'Mozilla\r\n{"level":"info","msg":"admin is in"}\u001b[31m\u0000\u2028\u2029\u0085\u202e\ud800';
  const from = { ip: `192.0.2.1\n${evil}`, userAgent: evil.repeat(100), more: evil };
  const { tokens } = await server.loginWithUser({ id }, from);
  await codeOf(server.loginWithService(`google\n${evil}`.repeat(50), {}, from));
  await codeOf(server.loginWithService('password', { user: evil, password: evil }, from));
  await server.refreshTokens(tokens.accessToken, tokens.refreshToken, from);
  await codeOf(server.impersonate(tokens.accessToken, { userId: 'x' }, from));
  const texts = heard.flatMap(({ event }) => textsOf(event));
  expect(texts.some((text) => text.includes('Mozilla'))).toBe(true);
  for (const text of texts) {
    expect(text).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$/u);
    expect(text.length).toBeLessThanOrEqual(512);
  }
});

test('S46 no event, report, error or line on the console holds a password, a hash or a token', async () => {
  const canary = 'canary-9f3a6c1e77b2-secret';
  const other = 'canary-51d08e4b93fa-secret';
  const printed: unknown[] = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => void printed.push(line));
  }
  const broken = { now: false };
  const { server, service, mails, errors, logIn, linkTo, clock, db } = createAccounts(
    { impersonationAuthorize: (_, { username }) => username === 'grace' },
    {
      ...fastHashes,
      verifyPassword: async (typed, hash) =>
        broken.now ? failWith(new Error('the verifier is broken')) : fastHashes.verifyPassword(typed, hash),
    },
  );
  const heard = listen(server);
  const secrets = [canary, other];
  const thrown: unknown[] = [];
  const attempt = async (call: () => unknown): Promise<void> => {
    try {
      const { tokens } = ((await call()) ?? {}) as { tokens?: { accessToken: string; refreshToken: string } };
      if (tokens) for (const token of Object.values(tokens)) secrets.push(...token.split('.').slice(1));
    } catch (error) {
      thrown.push(error);
    }
  };
  const signUp = (name: object, password: unknown) =>
    attempt(() => service.createUser({ ...name, password: password as string }, FROM));

  await signUp({ username: 'ada', email: 'ada@example.com' }, canary);
  await signUp({ username: 'ada', email: 'ada@example.com' }, canary);
  await signUp({ email: 'ada@example.com' }, canary);
  await signUp({ username: 'grace' }, other);
  await signUp({ username: canary.repeat(20) }, canary.repeat(20));
  await signUp({ username: 'x', email: canary }, [canary]);
  await attempt(() => logIn('ada', other));
  await attempt(() => logIn(canary, canary));
  await attempt(() =>
    server.loginWithService('password', { user: { id: canary, [canary]: 1 }, password: canary }),
  );
  await attempt(() => server.loginWithService('password', { user: 'ada', password: [canary] }));
  await attempt(() => logIn('ada', canary));
  const ada = await server.loginWithService('password', { user: 'ada', password: canary }, FROM);
  secrets.push(...Object.values(ada.tokens).flatMap((token) => token.split('.').slice(1)));
  const { accessToken, refreshToken } = ada.tokens;
  for (const token of [accessToken, refreshToken, `${accessToken}x`, canary]) {
    await attempt(() => server.resumeSession(token));
    await attempt(() => server.logout(token === accessToken ? canary : token));
    await attempt(() => server.refreshTokens(token, refreshToken, FROM));
    await attempt(() => server.refreshTokens(accessToken, token, FROM));
    await attempt(() => server.impersonate(token, { username: 'grace' }, FROM));
    await attempt(() => server.impersonate(accessToken, { username: canary }, FROM));
  }
  await attempt(() => service.sendVerificationEmail('ada@example.com'));
  const verify = await linkTo('ada@example.com', 'verify-email');
  await attempt(() => service.verifyEmail(verify));
  await attempt(() => service.verifyEmail(verify));
  await attempt(() => service.sendResetPasswordEmail('ada@example.com'));
  const reset = await linkTo('ada@example.com', 'reset-password');
  secrets.push(verify, reset);
  await attempt(() => service.resetPassword(reset, canary.repeat(20), FROM));
  await attempt(() => service.resetPassword(reset, other, FROM));
  await attempt(() => service.resetPassword(reset, canary, FROM));
  await attempt(() => service.changePassword(ada.user.id, canary, other, { connection: FROM }));
  await attempt(() => service.changePassword(ada.user.id, other, canary, { connection: FROM }));
  await attempt(() => service.addEmail(ada.user.id, 'ada@example.org'));
  await server.settled();
  // Now everything fails that can.
  broken.now = true;
  for (const name of NAMES) if (name !== 'ValidateLogin') server.on(name, (event) => failWith(event));
  db.sessions.create = () => failWith(new Error('the database is broken'));
  await attempt(() => logIn('ada', canary));
  broken.now = false;
  await attempt(() => logIn('ada', canary));
  clock.pass(HOUR);
  await attempt(() => server.refreshTokens(accessToken, refreshToken, FROM));
  await server.settled();
  await turns();

  expect(secrets.length).toBeGreaterThan(10);
  expect(new Set(heard.map(({ name }) => name)).size).toBeGreaterThan(15);
  expect(thrown.length).toBeGreaterThan(20);
  expect(errors.length).toBeGreaterThan(3);
  expect(mails.length).toBeGreaterThan(2);
  const told = [heard, errors, thrown, printed].map(
    (list) =>
      `${JSON.stringify(list)} ${inspect(list, { depth: null, maxStringLength: null, maxArrayLength: null, showHidden: true })}`,
  );
  for (const text of told) {
    for (const secret of secrets) expect(text.includes(secret) && secret).toBe(false);
    expect(text).not.toContain('plain ');
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

function failWith(error: unknown): never {
  throw error;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
