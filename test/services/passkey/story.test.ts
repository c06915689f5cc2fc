import { describe, expect, test } from 'vitest';
import { CODE, claimsOf, createAccounts } from './accounts.ts';
import { Authenticator } from './authenticator.ts';

describe.each([{ useStatelessSession: false }, { useStatelessSession: true }])(
  'with $useStatelessSession as useStatelessSession',
  (mode) => {
    test('a passkey is made, named, used, renamed and removed', async () => {
      const accounts = createAccounts(mode);
      const { userId, token } = await accounts.member('ada@example.com');
      const authenticator = new Authenticator();

      const options = await accounts.registrationOptions(token);
      expect(options).toMatchObject({
        rp: { id: 'localhost', name: 'localhost' },
        user: { name: 'ada@example.com' },
        attestation: 'none',
        excludeCredentials: [],
        authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
      });
      const made = await accounts.register(token, authenticator.create(options), '  My phone ');
      expect(made.data.passkeyRegister).toEqual({
        id: authenticator.id,
        name: 'My phone',
        createdAt: '2026-01-01T00:00:00.000Z',
        lastUsedAt: null,
        backedUp: false,
      });

      accounts.clock.pass(1_000);
      const entered = await accounts.enterWith(authenticator, { counter: 1 });
      expect(entered.data.authenticate).toMatchObject({ user: { id: userId } });
      expect(await accounts.passkeys(token)).toMatchObject([{ lastUsedAt: '2026-01-01T00:00:01.000Z' }]);

      const renamed = await accounts.rename(token, authenticator.id, 'Old phone');
      expect(renamed.data.passkeyRename).toEqual({ id: authenticator.id, name: 'Old phone' });
      expect((await accounts.remove(token, authenticator.id)).data).toEqual({ passkeyRemove: true });
      expect(await accounts.passkeys(token)).toEqual([]);
      expect((await accounts.enterWith(authenticator, { counter: 2 })).code).toBe('INVALID_CREDENTIALS');
      expect(accounts.errors).toEqual([]);
    });
  },
);

test('known passkeys are excluded, and one without a name gets one', async () => {
  const accounts = createAccounts();
  const { token } = await accounts.member('ada@example.com');
  const { id } = await accounts.addPasskey(token);
  const options = await accounts.registrationOptions(token);
  expect(options.excludeCredentials).toEqual([{ id, transports: ['internal'], type: 'public-key' }]);
  expect(await accounts.passkeys(token)).toMatchObject([{ id, name: 'Passkey' }]);
});

test('the login options name nobody, and the user handle says nothing about the account', async () => {
  const accounts = createAccounts();
  const { userId, token } = await accounts.member('ada@example.com');
  await accounts.addPasskey(token);
  const { options, challenge } = await accounts.loginOptions();
  expect(options).toEqual({ rpId: 'localhost', challenge, timeout: 300_000, userVerification: 'preferred' });
  const { user } = await accounts.registrationOptions(token);
  expect(Buffer.from(user.id, 'base64url').toString()).not.toContain(userId);
});

test('whether a passkey is synchronised is kept up to date', async () => {
  const accounts = createAccounts();
  const { token } = await accounts.member('ada@example.com');
  const eligible = { backupEligible: true };
  const authenticator = await accounts.addPasskey(token, new Authenticator(), eligible);
  for (const backedUp of [true, false]) {
    const entered = await accounts.enterWith(authenticator, { ...eligible, backedUp });
    expect(claimsOf(entered).amr).toEqual(['swk', 'user', 'mfa']);
    expect(await accounts.passkeys(token)).toMatchObject([{ backedUp }]);
  }
});

test('the owner gets a mail when a passkey was added and when it was removed, unless the option says no', async () => {
  const subjects = async (notifyUserAfterPasskeysChanged?: boolean) => {
    const accounts = createAccounts({}, { notifyUserAfterPasskeysChanged });
    const { token } = await accounts.member('ada@example.com');
    const { id } = await accounts.addPasskey(token);
    await accounts.remove(token, id);
    await accounts.server.settled();
    return accounts.mails.map(({ to, subject }) => `${to}: ${subject}`);
  };
  expect(await subjects()).toEqual([
    'ada@example.com: A passkey was added to your account',
    'ada@example.com: A passkey was removed from your account',
  ]);
  expect(await subjects(false)).toEqual([]);
});

describe('the second factor', () => {
  async function withFactor() {
    const accounts = createAccounts();
    const { userId, token } = await accounts.member('ada@example.com');
    const authenticator = await accounts.addPasskey(token);
    const enrolment = { service: 'totp', subject: userId, userId, version: 1, data: {}, createdAt: 0 };
    await accounts.db.identities.insert(enrolment);
    return { accounts, authenticator, token };
  }

  test('S31 a passkey with user verification counts as two factors', async () => {
    const { accounts, authenticator } = await withFactor();
    const entered = await accounts.enterWith(authenticator);
    expect(claimsOf(entered).amr).toEqual(['hwk', 'user', 'mfa']);
  });

  test('S31 a passkey without user verification does not: the other factor is asked for', async () => {
    const { accounts, authenticator } = await withFactor();
    const first = await accounts.enterWith(authenticator, { userVerified: false });
    expect(first).toMatchObject({ code: 'TWO_FACTOR_REQUIRED', extensions: { factors: ['totp'] } });
    expect(first.data.authenticate).toBeNull();

    const { options, challenge } = await accounts.loginOptions();
    const params = {
      token: challenge,
      response: authenticator.get(options, { userVerified: false }),
      code: CODE,
    };
    const login = await accounts.server.loginWithService('passkey', params, {});
    const [, claims = ''] = login.tokens.accessToken.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).amr).toEqual([
      'hwk',
      'user',
      'otp',
      'mfa',
    ]);
  });

  test('S31 a key that had no PIN when it was made stays one factor: whoever finds it can set one', async () => {
    const accounts = createAccounts();
    const { userId, token } = await accounts.member('ada@example.com');
    const authenticator = await accounts.addPasskey(token, new Authenticator(), { userVerified: false });
    expect(claimsOf(await accounts.enterWith(authenticator)).amr).toEqual(['hwk', 'user']);
    const enrolment = { service: 'totp', subject: userId, userId, version: 1, data: {}, createdAt: 0 };
    await accounts.db.identities.insert(enrolment);
    for (const userVerified of [true, true, false]) {
      const { code } = await accounts.enterWith(authenticator, { userVerified });
      expect(code).toBe('TWO_FACTOR_REQUIRED');
    }
  });

  test('S34 a login that a passkey began ends when the passkey is removed', async () => {
    const { accounts, authenticator, token } = await withFactor();
    const redeem = (challenge: unknown) =>
      accounts.ask(
        `mutation ($token: String, $code: String) {
          authenticate(serviceName: "factor", params: { token: $token, code: $code }) { sessionId }
        }`,
        { token: challenge, code: CODE },
      );
    const challenges: unknown[] = [];
    for (const _ of ['used', 'too late']) {
      const { extensions } = await accounts.enterWith(authenticator, { userVerified: false });
      challenges.push(extensions?.challenge);
      if (challenges.length === 1) expect((await redeem(challenges[0])).code).toBeUndefined();
    }
    expect((await accounts.remove(token, authenticator.id)).code).toBeUndefined();
    expect((await redeem(challenges[1])).code).toBe('INVALID_TOKEN');
  });

  test('without a second factor, a passkey that verified nobody is one factor', async () => {
    const accounts = createAccounts();
    const { token } = await accounts.member('ada@example.com');
    const authenticator = await accounts.addPasskey(token);
    expect(claimsOf(await accounts.enterWith(authenticator, { userVerified: false })).amr).toEqual([
      'hwk',
      'user',
    ]);
  });
});

describe('step-up', () => {
  const VERIFY = `mutation ($token: String, $response: JSON) {
    verifyAuthentication(serviceName: "passkey", params: { token: $token, response: $response })
  }`;

  test('S36 a passkey renews the proof of the session, without a new one', async () => {
    const accounts = createAccounts();
    const { token } = await accounts.member('ada@example.com');
    const authenticator = await accounts.addPasskey(token);
    accounts.clock.pass(11 * 60_000);
    expect((await accounts.remove(token, authenticator.id)).code).toBe('RECENT_LOGIN_REQUIRED');
    const { options, challenge } = await accounts.loginOptions();
    const response = authenticator.get(options);
    const verified = await accounts.ask(VERIFY, { token: challenge, response }, token);
    expect(verified.data).toEqual({ verifyAuthentication: true });
    expect((await accounts.remove(token, authenticator.id)).data).toEqual({ passkeyRemove: true });
  });

  test("S36 another user's passkey renews nothing", async () => {
    const accounts = createAccounts();
    const { token } = await accounts.member('ada@example.com');
    const { token: other } = await accounts.member('grace@example.com');
    const authenticator = await accounts.addPasskey(other);
    accounts.clock.pass(11 * 60_000);
    const { options, challenge } = await accounts.loginOptions();
    const response = authenticator.get(options);
    const refused = await accounts.ask(VERIFY, { token: challenge, response }, token);
    expect(refused.code).toBe('INVALID_CREDENTIALS');
    expect((await accounts.ask('mutation { passkeyRegistrationOptions }', {}, token)).code).toBe(
      'RECENT_LOGIN_REQUIRED',
    );
  });
});
