import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { AccountsError } from '../../../src/index.ts';
import { codeOf, countQueries, createAccounts, fastHashes, PASSWORD } from '../../accounts.ts';

const NOBODY = { userId: null, loginResult: null };

describe('a sign-up', () => {
  test('S7 answers the same for a new and for a taken address, and mails the owner of the taken one', async () => {
    const { service, server, mails } = createAccounts();
    const sign = (email: string) => service.createUser({ email, password: PASSWORD });
    expect(await sign('Ada@Example.com')).toEqual(NOBODY);
    await server.settled();
    expect(mails).toEqual([]);
    expect(await sign('ada@EXAMPLE.com')).toEqual(NOBODY);
    await server.settled();
    expect(mails.map(({ to, subject }) => ({ to, subject }))).toEqual([
      { to: 'Ada@Example.com', subject: 'Somebody used your e-mail address' },
    ]);
  });

  test('S8 costs one hash and one write whether or not the address is taken', async () => {
    const hashed: string[] = [];
    const { counted, queries } = countQueries(memoryDatabase());
    const hashPassword = async (typed: string) => {
      hashed.push(typed);
      return fastHashes.hashPassword(typed);
    };
    const { service } = createAccounts({ db: counted }, { ...fastHashes, hashPassword });
    const isWrite = (query: string) => query === 'oneTimeTokens.put' || query === 'users.create';
    const cost = async () => {
      queries.length = 0;
      hashed.length = 0;
      await service.createUser({ email: 'ada@example.com', password: PASSWORD });
      return { hashes: hashed.length, writes: queries.filter(isWrite) };
    };
    expect(await cost()).toEqual({ hashes: 1, writes: ['users.create'] });
    expect(await cost()).toEqual({ hashes: 1, writes: ['oneTimeTokens.put'] });
  });

  test('tells a taken username, and judges it before the address', async () => {
    const { service, server, mails, signUp } = createAccounts();
    await signUp({ username: 'Ada', email: 'ada@example.com' });
    const again = { username: 'aDA', email: 'ada@example.com', password: PASSWORD };
    expect(await codeOf(service.createUser(again))).toBe('USERNAME_TAKEN');
    await server.settled();
    expect(mails).toEqual([]);
  });

  test('tells a taken address when errors are not ambiguous, and the id of a new user', async () => {
    const { service } = createAccounts({ ambiguousErrorMessages: false });
    const sign = () => service.createUser({ email: 'ada@example.com', password: PASSWORD });
    const { userId, loginResult } = await sign();
    expect(await service.findUserByEmail('ada@example.com')).toMatchObject({ id: userId });
    expect(loginResult).toBeNull();
    expect(await codeOf(sign())).toBe('EMAIL_TAKEN');
  });

  test('logs in at once with autologin', async () => {
    const { service, server } = createAccounts({ ambiguousErrorMessages: false, enableAutologin: true });
    const { userId, loginResult } = await service.createUser({
      email: 'ada@example.com',
      password: PASSWORD,
    });
    expect(await server.resumeSession(loginResult?.tokens.accessToken ?? '')).toMatchObject({ id: userId });
  });

  test('with autologin leaves the user in place whom ValidateLogin refuses', async () => {
    const { service, server } = createAccounts({ ambiguousErrorMessages: false, enableAutologin: true });
    server.on('ValidateLogin', () => {
      throw new Error('not today');
    });
    const { userId, loginResult } = await service.createUser({
      email: 'ada@example.com',
      password: PASSWORD,
    });
    expect(userId).toBeTruthy();
    expect(loginResult).toBeNull();
  });

  test('S39 with autologin gives no session once the owner of the address has taken the account over', async () => {
    const options = { ambiguousErrorMessages: false, enableAutologin: true };
    const { service, server, db, linkTo } = createAccounts(options);
    const stop = server.on('ValidateLogin', async () => {
      await service.sendResetPasswordEmail('ada@example.com');
      await service.resetPassword(await linkTo('ada@example.com', 'reset-password'), `${PASSWORD} anew`);
    });
    const strangers = await service.createUser({ email: 'ada@example.com', password: PASSWORD });
    stop();
    expect(strangers.loginResult).toBeNull();
    expect(await db.sessions.findByUser(strangers.userId ?? '')).toEqual([]);
  });

  test('needs a username or an address', async () => {
    const { service } = createAccounts();
    for (const input of [{}, { username: null, email: null }, { username: '', email: '' }, { id: 'x' }]) {
      expect(await codeOf(service.createUser({ ...input, password: PASSWORD }))).toBe('IDENTITY_REQUIRED');
    }
  });

  test.each([
    ['a short password', { email: 'ada@example.com', password: 'seven77' }, 'INVALID_PASSWORD'],
    ['an empty password', { email: 'ada@example.com', password: '' }, 'INVALID_PASSWORD'],
    ['a password of 129', { email: 'ada@example.com', password: 'é'.repeat(129) }, 'INVALID_PASSWORD'],
    [
      'a password that is an object',
      { email: 'ada@example.com', password: { $ne: null } },
      'INVALID_PASSWORD',
    ],
    [
      'a lone surrogate in the password',
      { email: 'ada@example.com', password: `\uD800${PASSWORD}` },
      'INVALID_PASSWORD',
    ],
    ['S5 a common password', { email: 'ada@example.com', password: 'Password123' }, 'PASSWORD_TOO_COMMON'],
    [
      'S5 the address as password',
      { email: 'ada@example.com', password: 'ada@example.com' },
      'PASSWORD_TOO_COMMON',
    ],
    ['no password and no address', { username: 'ada' }, 'INVALID_PASSWORD'],
    ['an address that is none', { email: 'ada', password: PASSWORD }, 'INVALID_EMAIL'],
    ['S37 two addresses', { email: 'a@example.com,b@example.com', password: PASSWORD }, 'INVALID_EMAIL'],
    [
      'S37 a header in the address',
      { email: 'a@example.com\r\nBcc: b@example.com', password: PASSWORD },
      'INVALID_EMAIL',
    ],
    ['S43 an address that is an object', { email: { $gt: '' }, password: PASSWORD }, 'BAD_USER_INPUT'],
    ['a username with an @', { username: 'a@b', password: PASSWORD }, 'INVALID_USERNAME'],
    ['a username of 65', { username: 'a'.repeat(65), password: PASSWORD }, 'INVALID_USERNAME'],
    ['S43 a username that is an array', { username: ['a'], password: PASSWORD }, 'BAD_USER_INPUT'],
    ['no object', 'ada@example.com', 'BAD_USER_INPUT'],
  ])('refuses %s and stores nothing', async (_, input, code) => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { service } = createAccounts({ db: counted });
    expect(await codeOf(service.createUser(input as never))).toBe(code);
    // S9: input is judged before anything is looked up.
    expect(queries).toEqual([]);
  });

  test('S38 takes nothing from the input but what is declared', async () => {
    const { service } = createAccounts();
    const input = {
      email: 'ada@example.com',
      password: PASSWORD,
      id: 'root',
      deactivated: true,
      profile: { roles: ['x'] },
    };
    const sneaky = {
      ...input,
      emails: [{ address: 'x@example.com', verified: true }],
      createdAt: 1,
      __proto__: { a: 1 },
    };
    await service.createUser(sneaky as never);
    const user = await service.findUserByEmail('ada@example.com');
    expect(user).toMatchObject({
      deactivated: false,
      profile: {},
      emails: [{ address: 'ada@example.com', verified: false }],
    });
    expect(user?.id).not.toBe('root');
  });

  test('lets the application choose what is stored, without showing it the password', async () => {
    const seen: unknown[] = [];
    const { service } = createAccounts(
      {},
      {
        ...fastHashes,
        validateNewUser: ({ email, username, ...rest }) => {
          seen.push(rest);
          return { email, username, profile: { city: String(rest.city) } };
        },
      },
    );
    await service.createUser({ email: 'ada@example.com', password: PASSWORD, city: 'London', isAdmin: true });
    expect(seen).toEqual([{ city: 'London', isAdmin: true }]);
    expect(await service.findUserByEmail('ada@example.com')).toMatchObject({ profile: { city: 'London' } });
  });

  test('is refused by the application with a code of its own', async () => {
    const validateNewUser = () => {
      throw new AccountsError('FORBIDDEN', 'Not from here.');
    };
    const { service } = createAccounts({}, { ...fastHashes, validateNewUser });
    expect(await codeOf(service.createUser({ email: 'ada@example.com', password: PASSWORD }))).toBe(
      'FORBIDDEN',
    );
  });

  test('mails the verification link if the option says so', async () => {
    const { signUp, linkTo, service } = createAccounts(
      {},
      { ...fastHashes, sendVerificationEmailAfterSignup: true },
    );
    await signUp({ email: 'ada@example.com' });
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
    expect(await service.findUserByEmail('ada@example.com')).toMatchObject({ emails: [{ verified: true }] });
  });

  test('100 at once for one address in any spelling give one user', async () => {
    const { service, db } = createAccounts();
    const spellings = [
      'ada@example.com',
      'ADA@example.com',
      ' ada@EXAMPLE.COM ',
      'ａda@example.com',
      'ada@ｅxample.com',
    ];
    const ids = new Set<string>();
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        service.createUser({
          email: spellings[n % spellings.length] ?? '',
          username: `user${n}`,
          password: PASSWORD,
        }),
      ),
    );
    for (let n = 0; n < 100; n++) {
      const user = await service.findUserByUsername(`user${n}`);
      if (user) ids.add(user.id);
    }
    expect(ids.size).toBe(1);
    expect(await db.identities.find('email', 'ada@example.com')).toMatchObject({ userId: [...ids][0] });
  });

  test('may be tried again at once by somebody whose name was taken over by nobody', async () => {
    const { service, signUp } = createAccounts();
    await signUp({ email: 'ada@example.com', username: 'ada' });
    expect(
      await codeOf(service.createUser({ username: 'ada', email: 'bob@example.com', password: PASSWORD })),
    ).toBe('USERNAME_TAKEN');
    await signUp({ username: 'bob', email: 'bob@example.com' });
    expect(await service.findUserByEmail('bob@example.com')).toMatchObject({ username: 'bob' });
  });
});

describe('what the application hands in', () => {
  test.each([
    ['a NUL in the profile', { profile: { bio: 'a\0b' } }, 'BAD_USER_INPUT'],
    ['a lone surrogate in a key of the profile', { profile: { '\uD800': 1 } }, 'BAD_USER_INPUT'],
    ['a profile that is too large', { profile: { bio: 'x'.repeat(70_000) } }, 'BAD_USER_INPUT'],
    ['a profile that goes round in a circle', { profile: circular() }, 'BAD_USER_INPUT'],
    ['a date in the profile', { profile: { born: new Date(0) } }, 'BAD_USER_INPUT'],
    ['a bigint in the profile', { profile: { age: 7n } }, 'BAD_USER_INPUT'],
    ['a profile that is a list', { profile: [] }, 'BAD_USER_INPUT'],
  ])('refuses %s', async (_, more, code) => {
    const validateNewUser = ({ email }: { email?: string | null | undefined }) =>
      ({ email, ...more }) as never;
    const { service } = createAccounts({}, { ...fastHashes, validateNewUser });
    expect(await codeOf(service.createUser({ email: 'ada@example.com', password: PASSWORD }))).toBe(code);
  });

  test('may fail without telling anybody how', async () => {
    const validateNewUser = () => {
      throw new Error('secret of the application');
    };
    const { service, errors } = createAccounts({}, { ...fastHashes, validateNewUser });
    const error = await service
      .createUser({ email: 'ada@example.com', password: PASSWORD })
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' });
    expect(errors).toHaveLength(1);
  });

  test.each([0, -1, 1.5, Number.NaN, '3'])('refuses %s as maxEmails', (maxEmails) => {
    expect(() => createAccounts({}, { maxEmails: maxEmails as number })).toThrow(TypeError);
  });
});

describe('a check of the application', () => {
  test.each(['validateEmail', 'validatePassword', 'validateUsername'])(
    '%s lets nothing pass but by true',
    async (option) => {
      const input = { email: 'ada@example.com', username: 'ada', password: PASSWORD };
      for (const answer of [false, undefined, 'yes', 1, Promise.resolve(true)]) {
        const { service } = createAccounts({}, { ...fastHashes, [option]: () => answer });
        expect(await codeOf(service.createUser(input))).toMatch(/^INVALID_(EMAIL|PASSWORD|USERNAME)$/);
      }
    },
  );

  test('that returns nothing is a mistake of the application', async () => {
    const { service, errors } = createAccounts(
      {},
      { ...fastHashes, validateNewUser: () => undefined as never },
    );
    expect(await codeOf(service.createUser({ email: 'ada@example.com', password: PASSWORD }))).toBe(
      'INTERNAL_SERVER_ERROR',
    );
    expect(errors).toHaveLength(1);
  });
});

test('a sign-up without an address is refused where addresses must be verified: nobody could ever log in', async () => {
  const { service } = createAccounts({}, { ...fastHashes, requireEmailVerification: true });
  expect(await codeOf(service.createUser({ username: 'ada', password: PASSWORD }))).toBe('IDENTITY_REQUIRED');
});

test('the service lets no error out without a code', async () => {
  const hashPassword = async () => {
    throw new Error('boom secret');
  };
  const { server, service, errors } = createAccounts({}, { hashPassword, verifyPassword: hashPassword });
  const params = { user: 'ada@example.com', password: PASSWORD };
  for (const call of [
    service.createUser({ email: 'ada@example.com', password: PASSWORD }),
    server.loginWithService('password', params),
  ]) {
    expect(await call.catch((error) => error)).toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
      message: 'Internal server error',
    });
  }
  expect(errors.length).toBeGreaterThan(0);
});

function circular(): object {
  const circle: { self?: object } = {};
  circle.self = circle;
  return circle;
}
