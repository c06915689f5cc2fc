import { describe, expect, test } from 'vitest';
import { codeOf, PASSWORD } from '../../accounts.ts';
import { createAccounts, useOidc } from './accounts.ts';

const oidc = useOidc();
let number = 0;
const newSub = (): string => `linked-${++number}`;

/** Ada, with a password and a session. */
async function setup(options: Parameters<typeof createAccounts>[1] = {}) {
  const accounts = createAccounts(oidc.current, options);
  await accounts.signUp('ada@example.com');
  await accounts.verify('ada@example.com');
  const login = () =>
    accounts.server.loginWithService('password', { user: 'ada@example.com', password: PASSWORD });
  const { user, tokens } = await login();
  const owner = await accounts.ownerOf(tokens.accessToken);
  return {
    ...accounts,
    user,
    tokens,
    owner,
    login,
    /** A whole link, as Ada does it. */
    async link(sub: string, as = owner) {
      const { params } = await accounts.begun(oidc.current, sub, { session: as.live });
      await accounts.service.link(params, as);
    },
  };
}

describe('a link', () => {
  test('is a way in from then on; its owner is told', async () => {
    const { link, logIn, user, service, server, mails, events } = await setup();
    const sub = newSub();
    oidc.current.know(sub, { name: 'Ada L.', email: 'other@example.com', email_verified: false });
    await link(sub);
    await link(sub);
    expect(await service.linkedAccounts(user)).toEqual([
      { provider: 'shop', subject: sub, label: 'other@example.com' },
    ]);
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
    await server.settled();
    expect(mails.map(({ to, subject }) => [to, subject])).toEqual([
      ['ada@example.com', 'A way to log in was added to your account'],
    ]);
    const linked = events.filter(([name]) => name === 'LinkOAuthSuccess');
    expect(linked).toMatchObject([['LinkOAuthSuccess', { provider: 'shop', user: { id: user.id } }]]);
  });

  test('asks who is logged in at the provider to log in again: it is a proof, and not an old session', async () => {
    const { service, owner } = await setup();
    const { url } = await service.start('shop', { session: owner.live });
    expect(new URL(url).searchParams.get('prompt')).toBe('login');
    expect(new URL((await service.start('shop')).url).searchParams.get('prompt')).toBeNull();
  });

  test('of another user’s account is refused, after the proof', async () => {
    const { link, logIn, user, service, events } = await setup();
    const sub = newSub();
    const { user: eve } = await logIn(oidc.current, sub);
    expect(await codeOf(link(sub))).toBe('ACCOUNT_EXISTS');
    expect(await service.linkedAccounts(user)).toEqual([]);
    expect(await service.linkedAccounts(eve)).toHaveLength(1);
    expect(events.at(-1)).toEqual([
      'LinkOAuthError',
      {
        userId: user.id,
        provider: 'shop',
        error: { code: 'ACCOUNT_EXISTS' },
        connection: { ip: '192.0.2.1', userAgent: 'test' },
      },
    ]);
  });

  test('S40 ends in the session in which it was begun, and in no other', async () => {
    const { begun, service, owner, login, ownerOf, signUp, server, user } = await setup();
    await signUp('eve@example.com');
    const eve = await ownerOf(
      (await server.loginWithService('password', { user: 'eve@example.com', password: PASSWORD })).tokens
        .accessToken,
    );
    const second = await ownerOf((await login()).tokens.accessToken);
    const ofEve = await begun(oidc.current, newSub(), { session: eve.live });
    const ofNobody = await begun(oidc.current, newSub(), { browser: true });
    const ofSecond = await begun(oidc.current, newSub(), { session: second.live });
    for (const { params } of [ofEve, ofNobody, ofSecond]) {
      expect(await codeOf(service.link(params, owner))).toBe('INVALID_TOKEN');
    }
    expect(await service.linkedAccounts(user)).toEqual([]);
    await service.link(ofSecond.params, second);
  });

  test('S40 begun without a session and without a browser is for whoever holds the state, but for no page', async () => {
    const { begun, service, owner, user } = await setup();
    const { params } = await begun(oidc.current, newSub());
    const page = { ...owner, asker: { ...owner.asker, origin: 'https://shop.example.com' } };
    expect(await codeOf(service.link(params, page))).toBe('INVALID_TOKEN');
    await service.link(params, owner);
    expect(await service.linkedAccounts(user)).toHaveLength(1);
  });

  test('of a session that ends meanwhile leaves nothing behind', async () => {
    const { begun, service, owner, server, tokens, user, db } = await setup();
    const { params } = await begun(oidc.current, newSub(), { session: owner.live });
    const { insert } = db.identities;
    db.identities.insert = async (identity) => {
      const inserted = await insert.call(db.identities, identity);
      await server.logout(tokens.accessToken);
      return inserted;
    };
    expect(await codeOf(service.link(params, owner))).toBe('UNAUTHENTICATED');
    expect(await service.linkedAccounts(user)).toEqual([]);
  });

  test('begun before the password was reset is void', async () => {
    const { begun, service, owner, server, linkTo } = await withLinks();
    const { params } = await begun(oidc.current, newSub(), { session: owner.live });
    await server.services.password.sendResetPasswordEmail('ada@example.com');
    await server.services.password.resetPassword(await linkTo(), 'wrong donkey accumulator nail');
    expect(await codeOf(service.link(params, owner))).toBe('INVALID_TOKEN');
  });

  test('by 16 at once for one account at the provider is one', async () => {
    const { begun, service, owner, user, db } = await setup();
    const sub = newSub();
    const flows = [];
    for (let i = 0; i < 16; i++) flows.push((await begun(oidc.current, sub, { session: owner.live })).params);
    const codes = await Promise.all(flows.map((params) => codeOf(service.link(params, owner))));
    expect(codes).toContain('not refused');
    expect((await db.identities.find('oauth:shop', sub))?.userId).toBe(user.id);
  });

  test('beyond the number that is allowed is refused', async () => {
    const { link } = await setup({ maxLinkedAccounts: 2 });
    await link(newSub());
    await link(newSub());
    expect(await codeOf(link(newSub()))).toBe('TOO_MANY_LINKED_ACCOUNTS');
  });

  async function withLinks() {
    const accounts = await setup();
    return {
      ...accounts,
      async linkTo() {
        await accounts.server.settled();
        return /reset-password\/([\w-]+)/.exec(accounts.mails.at(-1)?.text ?? '')?.[1] ?? '';
      },
    };
  }
});

describe('to unlink', () => {
  test('takes a way in away, and tells the owner', async () => {
    const { link, logIn, service, owner, user, server, mails } = await setup();
    const sub = newSub();
    await link(sub);
    await service.unlink({ provider: 'shop', subject: sub }, owner);
    expect(await service.linkedAccounts(user)).toEqual([]);
    expect((await logIn(oidc.current, sub)).user.id).not.toBe(user.id);
    await server.settled();
    expect(mails.at(-1)?.subject).toBe('A way to log in was removed from your account');
  });

  test('keeps the account at the provider out, also where it has the same address, until its owner links it again', async () => {
    const { link, logIn, service, owner, user, begun, server, tokens } = await setup();
    const sub = newSub();
    oidc.current.know(sub, { email: 'ada@example.com', email_verified: true });
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
    await service.unlink({ provider: 'shop', subject: sub }, owner);
    expect(await codeOf(logIn(oidc.current, sub))).toBe('ACCOUNT_EXISTS');
    const { params } = await begun(oidc.current, sub, { session: owner.live });
    const again = server.authenticateWithService('oauth', params, {}, { accessToken: tokens.accessToken });
    expect(await codeOf(again)).toBe('INVALID_CREDENTIALS');
    expect(await service.linkedAccounts(user)).toEqual([]);
    await link(sub);
    expect((await logIn(oidc.current, sub)).user.id).toBe(user.id);
    // Another account at the provider with that address is not the one that was taken off.
    const other = newSub();
    oidc.current.know(other, { email: 'ada@example.com', email_verified: true });
    expect((await logIn(oidc.current, other)).user.id).toBe(user.id);
  });

  test('the last way in is refused', async () => {
    const { logIn, ownerOf, service, begun } = createAccounts(oidc.current);
    const sub = newSub();
    const { user, tokens } = await logIn(oidc.current, sub);
    const owner = await ownerOf(tokens.accessToken);
    expect(await codeOf(service.unlink({ provider: 'shop', subject: sub }, owner))).toBe('LAST_WAY_IN');
    const second = newSub();
    await service.link((await begun(oidc.current, second, { session: owner.live })).params, owner);
    const both = [sub, second].map((subject) => codeOf(service.unlink({ provider: 'shop', subject }, owner)));
    expect((await Promise.all(both)).sort()).toEqual(['LAST_WAY_IN', 'not refused']);
    expect(await service.linkedAccounts(user)).toHaveLength(1);
  });

  test('an account of a provider that is not there any more is no way in, and can be taken off', async () => {
    const { logIn, db, ownerOf, service } = createAccounts(oidc.current);
    const sub = newSub();
    const { user, tokens } = await logIn(oidc.current, sub);
    const owner = await ownerOf(tokens.accessToken);
    await db.identities.insert({
      service: 'oauth:gone',
      subject: '7',
      userId: user.id,
      version: 1,
      createdAt: 0,
      data: {},
    });
    expect(await codeOf(service.unlink({ provider: 'shop', subject: sub }, owner))).toBe('LAST_WAY_IN');
    await service.unlink({ provider: 'gone', subject: '7' }, owner);
    expect(await service.linkedAccounts(user)).toMatchObject([{ subject: sub }]);
  });

  test('another user’s account, nobody’s, and what is none are one refusal', async () => {
    const { logIn, service, owner, user } = await setup();
    const sub = newSub();
    const { user: eve } = await logIn(oidc.current, sub);
    const accounts = [
      { provider: 'shop', subject: sub },
      { provider: 'shop', subject: 'nobody' },
      { provider: '__proto__', subject: sub },
      { provider: 'shop:', subject: sub },
    ];
    for (const account of accounts)
      expect(await codeOf(service.unlink(account, owner))).toBe('LINKED_ACCOUNT_NOT_FOUND');
    const odd = { $ne: null } as unknown as string;
    expect(await codeOf(service.unlink({ provider: 'shop', subject: odd }, owner))).toBe('BAD_USER_INPUT');
    expect(await codeOf(service.unlink({ provider: odd, subject: sub }, owner))).toBe('BAD_USER_INPUT');
    expect(await service.linkedAccounts(eve)).toHaveLength(1);
    expect(await service.linkedAccounts(user)).toEqual([]);
  });

  test('in a session that ends meanwhile takes nothing away', async () => {
    const { link, service, owner, server, tokens, user, db } = await setup();
    const sub = newSub();
    await link(sub);
    const { remove } = db.identities;
    db.identities.remove = async (...given) => {
      const removed = await remove.apply(db.identities, given);
      await server.logout(tokens.accessToken);
      return removed;
    };
    expect(await codeOf(service.unlink({ provider: 'shop', subject: sub }, owner))).toBe('UNAUTHENTICATED');
    expect(await service.linkedAccounts(user)).toMatchObject([{ subject: sub }]);
  });

  test('S39 while the owner of the address takes the account over does not bring it back', async () => {
    const { signUp, server, service, db, clock, begun, ownerOf, logIn, mails } = createAccounts(oidc.current);
    const id = await signUp('victim@example.com');
    const sub = newSub();
    const { tokens } = await server.loginWithService('password', {
      user: 'victim@example.com',
      password: PASSWORD,
    });
    const stranger = await ownerOf(tokens.accessToken);
    await service.link((await begun(oidc.current, sub, { session: stranger.live })).params, stranger);
    await server.services.password.sendResetPasswordEmail('victim@example.com');
    await server.settled();
    const [, link = ''] = /\/reset-password\/([\w-]+)/.exec(mails.at(-1)?.text ?? '') ?? [];
    // The owner is served by another process.
    const other = createAccounts(oidc.current, {
      server: { db: { ...db, identities: { ...db.identities } }, now: clock.now },
    });
    const { remove } = db.identities;
    db.identities.remove = async (...given) => {
      db.identities.remove = remove;
      const removed = await remove.apply(db.identities, given);
      await other.server.services.password.resetPassword(link, 'the own password of its owner');
      return removed;
    };
    const unlinked = codeOf(service.unlink({ provider: 'shop', subject: sub }, stranger));
    expect(await unlinked).toBe('UNAUTHENTICATED');
    expect(await service.linkedAccounts({ id })).toEqual([]);
    expect((await logIn(oidc.current, sub)).user.id).not.toBe(id);
  });

  test('S34 voids the challenges of logins whose second factor is outstanding', async () => {
    const { link, service, owner, user, db } = await setup();
    const sub = newSub();
    await link(sub);
    const token = { key: 'k', hash: 'h', purpose: 'challenge', userId: user.id, data: {} };
    await db.oneTimeTokens.put({ ...token, createdAt: 0, expiresAt: Number.MAX_SAFE_INTEGER });
    await service.unlink({ provider: 'shop', subject: sub }, owner);
    expect(await db.oneTimeTokens.find('h')).toBeNull();
  });
});

describe('a fresh proof', () => {
  test('is given by a linked account, in the session in which it was begun', async () => {
    const { begun, link, owner, server, tokens, clock, db } = await setup();
    const sub = newSub();
    await link(sub);
    clock.pass(11 * 60_000);
    const { accessToken } = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
    const live = () => server.resumeLiveSession(accessToken);
    expect(await codeOf(async () => server.requireRecent(await live()))).toBe('RECENT_LOGIN_REQUIRED');

    const proof = { accessToken };
    const elsewhere = await begun(oidc.current, sub, { browser: true });
    expect(await codeOf(server.authenticateWithService('oauth', elsewhere.params, null, proof))).toBe(
      'INVALID_TOKEN',
    );
    const other = newSub();
    const stranger = await begun(oidc.current, other, { session: owner.live });
    expect(await codeOf(server.authenticateWithService('oauth', stranger.params, null, proof))).toBe(
      'INVALID_CREDENTIALS',
    );
    expect(await db.identities.find('oauth:shop', other)).toBeNull();
    expect(await codeOf(async () => server.requireRecent(await live()))).toBe('RECENT_LOGIN_REQUIRED');

    const { params } = await begun(oidc.current, sub, { session: owner.live });
    await server.authenticateWithService('oauth', params, null, proof);
    server.requireRecent(await live());
  });

  test('is given by what was begun without a session and without a browser, but to no page', async () => {
    const { begun, link, server, tokens, clock } = await setup();
    const sub = newSub();
    await link(sub);
    clock.pass(11 * 60_000);
    const { accessToken } = (await server.refreshTokens(tokens.accessToken, tokens.refreshToken)).tokens;
    const { params } = await begun(oidc.current, sub);
    const page = { accessToken, origin: 'https://shop.example.com' };
    expect(await codeOf(server.authenticateWithService('oauth', params, null, page))).toBe('INVALID_TOKEN');
    await server.authenticateWithService('oauth', params, null, { accessToken });
    server.requireRecent(await server.resumeLiveSession(accessToken));
  });
});
