import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { magicLink } from '../../../src/index.ts';
import { PASSWORD } from '../../accounts.ts';
import {
  type Accounts,
  codeAt,
  codeIn,
  createTwoFactor,
  MINUTE,
  STEP,
  tally,
  wrongCode,
} from './accounts.ts';

async function begin(accounts: Accounts = createTwoFactor()) {
  const person = await accounts.enrolled('ada');
  const challenge = async () => (await accounts.logIn('ada')).challenge;
  const redeem = async (token: string, code: string, accessToken?: string) =>
    (await accounts.authenticate('twoFactor', { token, code }, accessToken)).code;
  const wrong = () => wrongCode(person.secret, accounts.clock.now());
  return { ...accounts, ...person, challenge, redeem, wrong };
}

describe('S34 a challenge', () => {
  test('is opaque, and names what the code may be of', async () => {
    const { logIn } = await begin();
    expect(await logIn('ada')).toMatchObject({
      code: 'TWO_FACTOR_REQUIRED',
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      factors: ['totp', 'recovery'],
    });
  });

  test('lives for five minutes', async () => {
    const { challenge, redeem, clock, code } = await begin();
    const first = await challenge();
    clock.pass(5 * MINUTE - 1);
    expect(await redeem(first, code())).toBe(null);
    const late = await challenge();
    clock.pass(5 * MINUTE);
    expect(await redeem(late, code())).toBe('INVALID_TOKEN');
  });

  test('takes five tries: the sixth is refused, with the right code too', async () => {
    const { challenge, redeem, wrong, code } = await begin();
    const token = await challenge();
    for (let n = 0; n < 5; n++) expect(await redeem(token, wrong())).toBe('INVALID_CODE');
    expect(await redeem(token, code())).toBe('INVALID_TOKEN');
    expect(await redeem(await challenge(), code())).toBe(null);
  });

  test('takes five tries at once, and where rates are not limited', async () => {
    const accounts = await begin(createTwoFactor({ options: { rateLimits: false } }));
    const token = await accounts.challenge();
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, () => accounts.redeem(token, accounts.wrong())),
    );
    expect(tally(outcomes)).toEqual({ INVALID_CODE: 5, INVALID_TOKEN: 11 });
  });

  test('does not make the budget of the account larger: wrong codes count across challenges', async () => {
    const { challenge, redeem, wrong, code, server, id, logIn } = await begin();
    const outcomes = [];
    for (let n = 0; n < 9; n++) outcomes.push(await redeem(await challenge(), wrong()));
    expect(tally(outcomes)).toEqual({ INVALID_CODE: 9 });
    // One that was there before, too.
    const late = await server.loginWithUser({ id }).catch((error) => error.extensions);
    expect(await redeem(late.challenge, code())).toBe('RATE_LIMITED');
    expect((await logIn('ada', { code: code() })).code).toBe('RATE_LIMITED');
  });

  test('shares that budget with one step and with the password', async () => {
    const { logIn, wrong } = await begin();
    const outcomes = [];
    for (let n = 0; n < 6; n++) {
      outcomes.push((await logIn('ada', { code: wrong() })).code);
      outcomes.push((await logIn('ada', { password: 'not it, surely' })).code);
    }
    expect(tally(outcomes)).toEqual({ INVALID_CODE: 5, INVALID_CREDENTIALS: 4, RATE_LIMITED: 3 });
  });

  test('a right password alone neither spends nor resets', async () => {
    const { logIn, wrong } = await begin();
    for (let n = 0; n < 8; n++) expect((await logIn('ada', { code: wrong() })).code).toBe('INVALID_CODE');
    for (let n = 0; n < 20; n++) expect((await logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
    expect((await logIn('ada', { code: wrong() })).code).toBe('INVALID_CODE');
    expect((await logIn('ada', { code: wrong() })).code).toBe('RATE_LIMITED');
  });

  test('S10 nor does a new password, by whoever knows the old one and has a session', async () => {
    const { logIn, wrong, server, id } = await begin();
    const typed = [PASSWORD, `${PASSWORD} 2`, `${PASSWORD} 3`];
    const outcomes: unknown[] = [];
    for (const [n, password = ''] of typed.entries()) {
      for (let guess = 0; guess < 4; guess++)
        outcomes.push((await logIn('ada', { password, code: wrong() })).code);
      const next = typed[n + 1];
      if (next) await server.services.password.changePassword(id, password, next);
    }
    expect(tally(outcomes)).toEqual({ INVALID_CODE: 9, RATE_LIMITED: 3 });
  });

  test('is used once, also by 16 at once', async () => {
    const { challenge, redeem, code, clock } = await begin();
    const token = await challenge();
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => redeem(token, code())));
    expect(tally(outcomes).null).toBe(1);
    clock.pass(STEP);
    expect(await redeem(token, code())).toBe('INVALID_TOKEN');
  });

  test('is void once its user is deactivated, and after a new password', async () => {
    const { challenge, redeem, code, server, id } = await begin();
    const first = await challenge();
    await server.services.password.setPassword(id, `${PASSWORD} again`);
    expect(await redeem(first, code())).toBe('INVALID_TOKEN');
    const second = (await server.loginWithUser({ id }).catch((error) => error.extensions)).challenge;
    await server.deactivateUser(id);
    expect(await redeem(second, code())).toBe('INVALID_TOKEN');
  });

  test('is void once the second factor is turned off', async () => {
    const { challenge, redeem, unset, token, code, clock } = await begin();
    const first = await challenge();
    expect(codeIn(await unset(token, code()))).toBe(null);
    clock.pass(STEP);
    expect(await redeem(first, code())).toBe('INVALID_TOKEN');
  });

  test('is of its user: another one’s code does not fit', async () => {
    const { challenge, redeem, enrolled } = await begin();
    const mallory = await enrolled('mallory');
    expect(await redeem(await challenge(), mallory.code())).toBe('INVALID_CODE');
  });

  test('is of its session: one of a login proves nothing for a session, and the reverse', async () => {
    const { challenge, redeem, verify, token, code } = await begin();
    const ofLogin = await challenge();
    expect(codeIn(await verify('twoFactor', { token: ofLogin, code: code() }, token))).toBe('INVALID_TOKEN');
    const proof = { user: { username: 'ada' }, password: PASSWORD };
    const { errors } = await verify('password', proof, token);
    const ofSession = String(errors?.[0]?.extensions?.challenge);
    expect(await redeem(ofSession, code())).toBe('INVALID_TOKEN');
    expect(await redeem(ofSession, code(), token)).toBe('INVALID_TOKEN');
    expect(codeIn(await verify('twoFactor', { token: ofSession, code: code() }, token))).toBe(null);
  });

  test('is good for nothing else', async () => {
    const { challenge, ask, isLoggedIn, authenticate } = await begin();
    const token = await challenge();
    expect(await isLoggedIn(token)).toBe(false);
    for (const query of [
      `mutation { resetPassword(token: "${token}", newPassword: "${PASSWORD} again") { sessionId } }`,
      `mutation { verifyEmail(token: "${token}") }`,
    ]) {
      expect(codeIn(await ask(query))).toBe('INVALID_TOKEN');
    }
    expect(
      (await authenticate('password', { token, user: { username: 'ada' }, password: PASSWORD })).code,
    ).toBe('TWO_FACTOR_REQUIRED');
  });

  test('and nothing else is one', async () => {
    const { server, linkTo, redeem, code, token, signUp } = await begin();
    await signUp('grace');
    await server.services.password.sendResetPasswordEmail('grace@example.com');
    const link = await linkTo('grace', 'reset-password');
    expect(link).not.toBe('');
    for (const other of [link, token, '', '__proto__', 'x'.repeat(10_000)]) {
      expect(await redeem(other, code())).toBe('INVALID_TOKEN');
    }
  });

  test.each([[{}], [{ code: '123456' }], [{ token: null, code: '123456' }]])(
    'is refused where something is missing: %j',
    async (params) => {
      expect((await createTwoFactor().authenticate('twoFactor', params)).code).toBe('INVALID_TOKEN');
    },
  );

  test.each([undefined, null, {}, { $ne: null }, 123456, ['123456'], 'x'.repeat(2_000)])(
    'S43 takes no code that is %j',
    async (code) => {
      const { challenge, server } = await begin();
      const token = await challenge();
      await expect(server.loginWithService('twoFactor', { token, code })).rejects.toMatchObject({
        code: 'INVALID_CODE',
      });
    },
  );
});

test('a login that a new second factor overtakes gives no session', async () => {
  const accounts = createTwoFactor();
  const { signUp, logIn, newSecret, clock, server, service } = accounts;
  const id = await signUp('ada');
  const secret = await newSecret((await logIn('ada')).accessToken ?? '');
  const stop = server.on('ValidateLogin', () => service.set(id, codeAt(secret, clock.now())));
  expect((await logIn('ada')).code).toBe('INVALID_CREDENTIALS');
  stop();
  expect((await logIn('ada')).code).toBe('TWO_FACTOR_REQUIRED');
});

test('a login whose second factor is replaced under way gives no session', async () => {
  const accounts = createTwoFactor();
  const { enrolled, logIn, clock, server, service } = accounts;
  const { id, code } = await enrolled('ada');
  const stop = server.on('ValidateLogin', async () => {
    await service.remove(id);
    const { base32 } = await service.createSecret(id);
    await service.set(id, codeAt(base32 ?? '', clock.now()));
  });
  expect((await logIn('ada', { code: code() })).code).toBe('INVALID_CREDENTIALS');
  stop();
});

describe('a login in two steps that a new password overtakes', () => {
  const NEW = 'another good password';
  const CHANGES: {
    change: string;
    make: (accounts: Awaited<ReturnType<typeof begin>>) => Promise<unknown>;
  }[] = [
    {
      change: 'changePassword',
      make: ({ server, id }) => server.services.password.changePassword(id, PASSWORD, NEW),
    },
    { change: 'setPassword', make: ({ server, id }) => server.services.password.setPassword(id, NEW) },
    {
      change: 'resetPassword',
      make: async ({ server, linkTo }) => {
        const link = await linkTo('ada', 'reset-password');
        await server.services.password.resetPassword(link, NEW);
      },
    },
  ];

  test.each(CHANGES)('S19 gives no session: $change', async ({ make }) => {
    const accounts = await begin();
    const { server, id, challenge, redeem, code } = accounts;
    await server.services.password.addEmail(id, 'ada@example.com', true);
    await server.services.password.sendResetPasswordEmail('ada@example.com');
    await server.settled();
    const token = await challenge();
    const before = await accounts.db.sessions.findByUser(id);
    // Between the proof and the session: as long as the application takes to answer.
    const stop = server.on('ValidateLogin', () => make(accounts));
    expect(await redeem(token, code())).toBe('INVALID_CREDENTIALS');
    stop();
    expect((await accounts.db.sessions.findByUser(id)).length).toBeLessThanOrEqual(before.length);
  });

  test('S54 gives none either where the process ended before it could void the challenge', async () => {
    const db = memoryDatabase();
    const voiding = Promise.withResolvers<void>();
    const removeByUser: typeof db.oneTimeTokens.removeByUser = async (...given) => {
      if (!isDying) return db.oneTimeTokens.removeByUser(...given);
      voiding.resolve();
      return new Promise(() => {});
    };
    let isDying = false;
    const dying = { ...db, oneTimeTokens: { ...db.oneTimeTokens, removeByUser } };
    const { challenge, server, id, clock, code } = await begin(createTwoFactor({ options: { db: dying } }));
    const token = await challenge();
    isDying = true;
    server.services.password.setPassword(id, NEW).catch(() => undefined);
    await voiding.promise;
    const { authenticate } = createTwoFactor({ options: { db } }, clock);
    expect((await authenticate('twoFactor', { token, code: code() })).code).toBe('INVALID_TOKEN');
  });
});

test('S18 a challenge from before a deactivation is void after it, too', async () => {
  const { challenge, redeem, code, server, id } = await begin();
  const token = await challenge();
  await server.deactivateUser(id);
  await server.activateUser(id);
  expect(await redeem(token, code())).toBe('INVALID_TOKEN');
});

test('S29 a client has one challenge at a time, whichever address of its IPv6 network it asks from', async () => {
  const { server, id, redeem, code } = await begin();
  const from = async (ip: string): Promise<string> =>
    (await server.loginWithUser({ id }, { ip }).catch((error) => error.extensions)).challenge;
  const first = await from('2001:db8::1');
  const elsewhere = await from('2001:db8:0:1::1');
  const second = await from('2001:db8::2');
  expect(await redeem(first, code())).toBe('INVALID_TOKEN');
  expect(await redeem(elsewhere, code())).toBe(null);
  expect(await redeem(second, code())).toBe('INVALID_CODE');
});

test('S28 a challenge of a mailed link is void once the address is off', async () => {
  const accounts = await begin(createTwoFactor({ services: { magicLink: magicLink() } }));
  const { server, id, ask, linkTo, authenticate, redeem, code } = accounts;
  await server.services.password.addEmail(id, 'second@example.com', true);
  await ask('mutation { requestMagicLinkEmail(email: "second@example.com") }');
  const { challenge } = await authenticate('magicLink', { token: await linkTo('second', 'magic-link') });
  await server.services.password.removeEmail(id, 'second@example.com');
  expect(await redeem(challenge, code())).toBe('INVALID_TOKEN');
});

test('S47 a reset whose login waits for the second factor has succeeded all the same', async () => {
  const passwordOptions = { returnTokensAfterResetPassword: true };
  const { server, id, linkTo } = await begin(createTwoFactor({ passwordOptions }));
  const told: string[] = [];
  for (const name of ['ResetPasswordSuccess', 'ResetPasswordError', 'LoginError'] as const)
    server.on(name, () => told.push(name));
  await server.services.password.addEmail(id, 'ada@example.com', true);
  await server.services.password.sendResetPasswordEmail('ada@example.com');
  const link = await linkTo('ada', 'reset-password');
  await expect(server.services.password.resetPassword(link, `${PASSWORD} again`)).rejects.toMatchObject({
    code: 'TWO_FACTOR_REQUIRED',
  });
  expect(told).toEqual(['ResetPasswordSuccess', 'LoginError']);
});
