import { describe, expect, test } from 'vitest';
import { AccountsError } from '../../../src/errors.ts';
import { codeOf, PASSWORD } from '../../accounts.ts';
import { createAccounts, useOidc } from './accounts.ts';

const oidc = useOidc();
let number = 0;

/** An account at the provider that no other test has. */
function newcomer(
  claims: { email?: string; email_verified?: unknown; [claim: string]: unknown } = {},
): string {
  const sub = `user-${++number}`;
  oidc.current.know(sub, claims);
  return sub;
}

const verified = (email: string) => newcomer({ email, email_verified: true });

describe('a first login', () => {
  test('makes a user, with the address that the provider has verified', async () => {
    const { logIn, service, events, mails, errors } = createAccounts(oidc.current);
    const sub = newcomer({ email: 'Ada@Example.com', email_verified: true, name: 'Ada' });
    const { user } = await logIn(oidc.current, sub);
    expect(user).toMatchObject({ username: null, emails: [{ address: 'Ada@Example.com', verified: true }] });
    expect(await service.linkedAccounts(user)).toEqual([
      { provider: 'shop', subject: sub, label: 'Ada@Example.com' },
    ]);
    expect(events.map(([name]) => name)).toEqual(['CreateUserSuccess', 'LoginSuccess']);
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
    expect([mails, errors]).toEqual([[], []]);
  });

  test('makes a user without an address where the provider gives none', async () => {
    const { logIn } = createAccounts(oidc.current);
    const sub = newcomer();
    const { user } = await logIn(oidc.current, sub);
    expect(user.emails).toEqual([]);
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
  });

  test.each([
    ['not verified', false],
    ['of which nothing is said', undefined],
    ['verified in a word', 'yes'],
    ['verified by a number', 1],
  ])(
    'S7 S40 treats an address that is %s alike, whether somebody has it here or nobody',
    async (_, email_verified) => {
      const { logIn, signUp, verify, service } = createAccounts(oidc.current);
      const ada = await signUp('ada@example.com');
      await verify('ada@example.com');
      const answers = [];
      for (const email of ['ada@example.com', 'nobody@example.com']) {
        const { user } = await logIn(oidc.current, newcomer({ email, email_verified }));
        expect(user.id).not.toBe(ada);
        answers.push(user.emails);
      }
      expect(answers).toEqual([[], []]);
      expect(await service.linkedAccounts({ id: ada })).toEqual([]);
    },
  );

  test('S40 of the owner of an address that is verified here goes into that account, and tells its owner', async () => {
    const { logIn, signUp, verify, service, mails, server, events } = createAccounts(oidc.current);
    const ada = await signUp('ada@example.com');
    await verify('ada@example.com');
    const sub = verified('ADA@example.com');
    const { user } = await logIn(oidc.current, sub);
    expect(user.id).toBe(ada);
    expect(await service.linkedAccounts(user)).toMatchObject([{ provider: 'shop', subject: sub }]);
    await server.settled();
    expect(mails).toMatchObject([{ to: 'ada@example.com', subject: expect.stringContaining('added') }]);
    expect(events.map(([name]) => name)).toContain('LinkOAuthSuccess');
    // The password is still good: nobody was thrown out.
    await server.loginWithService('password', { user: 'ada@example.com', password: PASSWORD });
  });

  test('is refused where linking by address is off, and only to who has proved the address', async () => {
    const { logIn, signUp, verify, service } = createAccounts(oidc.current, { linkByEmail: false });
    const ada = await signUp('ada@example.com');
    await verify('ada@example.com');
    expect(await codeOf(logIn(oidc.current, verified('ada@example.com')))).toBe('ACCOUNT_EXISTS');
    const stranger = newcomer({ email: 'ada@example.com', email_verified: false });
    expect((await logIn(oidc.current, stranger)).user.id).not.toBe(ada);
    expect(await service.linkedAccounts({ id: ada })).toEqual([]);
  });

  test('S39 takes over an account that a stranger has prepared with the address', async () => {
    const { logIn, signUp, server, service, db } = createAccounts(oidc.current);
    const ada = await signUp('ada@example.com');
    const stranger = await server.loginWithService('password', {
      user: 'ada@example.com',
      password: PASSWORD,
    });
    const record = { userId: ada, version: 1, createdAt: 0, data: {} };
    for (const [name, subject] of [
      ['oauth:shop', 'stranger'],
      ['totp', ada],
      ['recovery', ada],
      ['passkey', 'key'],
    ] as const) {
      await db.identities.insert({ service: name, subject, ...record });
    }
    const sub = verified('ada@example.com');
    const proofs: unknown[] = [];
    server.on('VerifyEmailSuccess', (event) => proofs.push(event));
    const { user } = await logIn(oidc.current, sub);
    expect(proofs).toMatchObject([{ user: { id: ada } }]);
    expect(user).toMatchObject({ id: ada, emails: [{ address: 'ada@example.com', verified: true }] });
    expect(await service.linkedAccounts(user)).toMatchObject([{ subject: sub }]);
    expect(await codeOf(server.resumeSession(stranger.tokens.accessToken))).toBe('UNAUTHENTICATED');
    expect(
      await codeOf(server.loginWithService('password', { user: 'ada@example.com', password: PASSWORD })),
    ).toBe('INVALID_CREDENTIALS');
    expect((await db.identities.findByUser(ada)).map((identity) => identity.service).sort()).toEqual([
      'email',
      'oauth:shop',
    ]);
  });

  test('S39 takes over the address, and not the account, where another address of it is verified', async () => {
    const { logIn, signUp, server, service } = createAccounts(oidc.current);
    const id = await signUp('ada@example.com');
    await server.services.password.addEmail(id, 'eve@example.com', true);
    const eve = await server.loginWithService('password', { user: 'eve@example.com', password: PASSWORD });
    const sub = verified('ada@example.com');
    const { user } = await logIn(oidc.current, sub);
    expect(user).toMatchObject({ emails: [{ address: 'ada@example.com', verified: true }] });
    expect(user.id).not.toBe(id);
    expect(await service.linkedAccounts({ id })).toEqual([]);
    const left = await server.resumeSession(eve.tokens.accessToken);
    expect(left.emails).toMatchObject([{ address: 'eve@example.com', verified: true }]);
    expect(
      await codeOf(server.loginWithService('password', { user: 'ada@example.com', password: PASSWORD })),
    ).toBe('INVALID_CREDENTIALS');
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
  });

  test('does not need an address that can be one', async () => {
    const { logIn } = createAccounts(oidc.current);
    const { user } = await logIn(oidc.current, verified('"a b"@localhost'));
    expect(user.emails).toEqual([]);
  });

  test('S40 16 at once with one account at the provider make one user', async () => {
    const { begun, finish } = createAccounts(oidc.current);
    const sub = newcomer();
    const flows = [];
    for (let i = 0; i < 16; i++) flows.push((await begun(oidc.current, sub)).params);
    const logins = await Promise.all(flows.map((params) => finish(params)));
    expect(new Set(logins.map(({ user }) => user.id)).size).toBe(1);
  });

  test('S39 at once with one address, from two accounts at the provider, make one user, prepared or not', async () => {
    for (const prepared of [false, true]) {
      const { begun, finish, signUp, service } = createAccounts(oidc.current);
      if (prepared) await signUp('ada@example.com');
      const flows = [];
      for (let i = 0; i < 6; i++) flows.push((await begun(oidc.current, verified('ada@example.com'))).params);
      const logins = await Promise.all(flows.map((params) => finish(params)));
      const [{ user }] = logins as [(typeof logins)[0]];
      expect(new Set(logins.map((login) => login.user.id)).size).toBe(1);
      expect(await service.linkedAccounts(user)).toHaveLength(6);
    }
  });

  test('counts as a sign-up of the client', async () => {
    const { logIn, server, service } = createAccounts(oidc.current, {
      server: { rateLimits: { addressSignUps: 2 } },
    });
    const sub = newcomer();
    await logIn(oidc.current, sub);
    await logIn(oidc.current, sub);
    await logIn(oidc.current, newcomer());
    expect(await codeOf(logIn(oidc.current, newcomer()))).toBe('RATE_LIMITED');
    await logIn(oidc.current, sub);
    // The application itself is no client.
    const { url, state } = await service.start('shop');
    const code = (await oidc.current.logIn(url, newcomer())).searchParams.get('code');
    await server.loginWithService('oauth', { provider: 'shop', code, state });
  });
});

describe('the pipeline', () => {
  test('S18 a linked user who is deactivated is refused, as is the owner of the address', async () => {
    const { logIn, server, signUp, verify, service } = createAccounts(oidc.current);
    const sub = newcomer();
    const { user } = await logIn(oidc.current, sub);
    await server.deactivateUser(user.id);
    expect(await codeOf(logIn(oidc.current, sub))).toBe('INVALID_CREDENTIALS');
    await server.activateUser(user.id);
    await logIn(oidc.current, sub);

    const ada = await signUp('ada@example.com');
    await verify('ada@example.com');
    await server.deactivateUser(ada);
    expect(await codeOf(logIn(oidc.current, verified('ada@example.com')))).toBe('INVALID_CREDENTIALS');
    const bob = await signUp('bob@example.com');
    await server.deactivateUser(bob);
    expect(await codeOf(logIn(oidc.current, verified('bob@example.com')))).toBe('INVALID_CREDENTIALS');
    for (const id of [ada, bob]) expect(await service.linkedAccounts({ id })).toEqual([]);
  });

  test('asks for the second factor, does not take the provider’s code for its code, and links nothing before it', async () => {
    const { logIn, db, signUp, verify, service } = createAccounts(oidc.current);
    const sub = newcomer();
    const { user } = await logIn(oidc.current, sub);
    await db.identities.insert({
      service: 'totp',
      subject: user.id,
      userId: user.id,
      version: 1,
      createdAt: 0,
      data: {},
    });
    expect(await codeOf(logIn(oidc.current, sub))).toBe('TWO_FACTOR_REQUIRED');

    const ada = await signUp('ada@example.com');
    await verify('ada@example.com');
    await db.identities.insert({
      service: 'totp',
      subject: ada,
      userId: ada,
      version: 1,
      createdAt: 0,
      data: {},
    });
    expect(await codeOf(logIn(oidc.current, verified('ada@example.com')))).toBe('TWO_FACTOR_REQUIRED');
    expect(await service.linkedAccounts({ id: ada })).toEqual([]);
  });

  test('asks ValidateLogin', async () => {
    const { logIn, server } = createAccounts(oidc.current);
    server.on('ValidateLogin', () => {
      throw new AccountsError('LOGIN_REFUSED');
    });
    expect(await codeOf(logIn(oidc.current, newcomer()))).toBe('LOGIN_REFUSED');
  });

  test('leaves no session behind when the account is unlinked while the login is under way', async () => {
    const { logIn, server, db } = createAccounts(oidc.current);
    const sub = newcomer();
    await logIn(oidc.current, sub);
    server.on('ValidateLogin', async () => {
      await db.identities.remove('oauth:shop', sub, 1);
    });
    expect(await codeOf(logIn(oidc.current, sub))).toBe('INVALID_CREDENTIALS');
  });

  test('works without sessions in the store as well', async () => {
    const { logIn, server } = createAccounts(oidc.current, { server: { useStatelessSession: true } });
    const { user, tokens } = await logIn(oidc.current, newcomer());
    expect((await server.resumeSession(tokens.accessToken)).id).toBe(user.id);
  });
});

test('somebody who was imported from accounts-js gets in', async () => {
  const { logIn, signUp, db, service } = createAccounts(oidc.current);
  const userId = await signUp('octo@example.com');
  const sub = newcomer({ name: 'Octo' });
  const data = { profile: { name: 'An old name', deep: { url: 'https://example.com' } } };
  await db.identities.insert({ service: 'oauth:shop', subject: sub, userId, version: 1, createdAt: 0, data });
  expect(await service.linkedAccounts({ id: userId })).toMatchObject([{ label: 'An old name' }]);
  expect((await logIn(oidc.current, sub)).user.id).toBe(userId);
  expect((await db.identities.find('oauth:shop', sub))?.data).toEqual({ profile: { name: 'Octo' } });
});

test('the tokens of the provider are not kept, unless it is asked for, and then encrypted', async () => {
  const sub = newcomer();
  const without = createAccounts(oidc.current);
  const { user } = await without.logIn(oidc.current, sub);
  expect(await without.service.tokensOf(user.id, 'shop')).toBeNull();
  expect(JSON.stringify(await without.db.identities.findByUser(user.id))).not.toContain('oken');

  const keeping = createAccounts(oidc.current, { keepTokens: true });
  const { user: kept } = await keeping.logIn(oidc.current, sub);
  const tokens = await keeping.service.tokensOf(kept.id, 'shop');
  expect(tokens).toMatchObject({ accessToken: expect.any(String), scope: expect.stringContaining('openid') });
  expect(JSON.stringify(await keeping.db.identities.findByUser(kept.id))).not.toContain(tokens?.accessToken);
  expect(await keeping.service.tokensOf(kept.id, 'other')).toBeNull();
});
