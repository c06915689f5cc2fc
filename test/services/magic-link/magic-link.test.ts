import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../../src/core/time.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { AccountsError, AccountsServer, accountsModule, magicLink, password } from '../../../src/index.ts';
import { codeOf, countQueries, createClock, PASSWORD, SECRET } from '../../accounts.ts';
import { createMailed, FROM, plant, SECOND_CODE } from './accounts.ts';

const ADA = 'ada@example.com';

describe('a magic link', () => {
  for (const useStatelessSession of [false, true]) {
    test(`logs in, once, with stateless sessions ${useStatelessSession}`, async () => {
      const { server, links, signUp, newest, byLink } = createMailed({ options: { useStatelessSession } });
      const id = await signUp(ADA);
      await links.requestMagicLinkEmail(' ADA@Example.com ');
      const token = await newest(ADA, /\/magic-link\/([\w-]+)/);
      const login = await byLink(token);
      expect(Object.keys(login).sort()).toEqual(['sessionId', 'tokens', 'user']);
      expect(login.user.id).toBe(id);
      const { session } = await server.resumeLiveSession(login.tokens.accessToken);
      expect(session.amr).toEqual(['link']);
      expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
    });
  }

  test('is asked for and used by clients of accounts-js under either name, whatever the service is called', async () => {
    for (const name of ['magicLink', 'magic-link', 'links']) {
      const mails: string[] = [];
      const server = new AccountsServer(
        { db: memoryDatabase(), tokenSecret: SECRET, sendMail: ({ text }) => mails.push(text) },
        { password: password(), [name]: magicLink() },
      );
      await server.services.password.createUser({ email: ADA, password: PASSWORD });
      const schema = makeExecutableSchema(accountsModule(server));
      for (const serviceName of ['magicLink', 'magic-link']) {
        const source = `mutation { requestMagicLinkEmail(email: "${ADA}") }`;
        expect(await graphql({ schema, source })).toEqual({ data: { requestMagicLinkEmail: true } });
        await server.settled();
        const token = /\/magic-link\/([\w-]{43})$/m.exec(mails.at(-1) ?? '')?.[1];
        const login = `mutation { authenticate(serviceName: "${serviceName}", params: { token: "${token}" }) { sessionId } }`;
        const { data, errors } = await graphql({ schema, source: login });
        expect(errors).toBeUndefined();
        expect(data?.authenticate).toEqual({ sessionId: expect.any(String) });
      }
      expect(await codeOf(server.loginWithService('magiclink', { token: 'x' }))).toBe('SERVICE_NOT_FOUND');
    }
  });

  test('is not in the schema of who has not registered it', () => {
    const server = new AccountsServer(
      { db: memoryDatabase(), tokenSecret: SECRET },
      { password: password() },
    );
    expect(accountsModule(server).typeDefs).not.toContain('requestMagicLinkEmail');
  });

  test('stands in the mail as the last segment of a path below siteUrl', async () => {
    const { signUp, link, mails } = createMailed({ options: { siteUrl: 'https://example.com/app' } });
    await signUp(ADA);
    const token = await link(ADA);
    const mail = mails.at(-1);
    expect(mail?.text).toContain(`\nhttps://example.com/app/magic-link/${token}\n`);
    expect(mail?.html).toContain(`<a href="https://example.com/app/magic-link/${token}">`);
  });

  test('S28 of 16 who use it at once one gets in, and it is kept as a hash only', async () => {
    const { signUp, link, byLink, db } = createMailed();
    await signUp(ADA);
    const kept: string[] = [];
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (record) => {
      kept.push(JSON.stringify(record));
      return put.call(db.oneTimeTokens, record);
    };
    const token = await link(ADA);
    expect(kept.join()).toContain('magicLink');
    expect(kept.join()).not.toContain(token);
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(byLink(token))));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(codes.filter((code) => code === 'INVALID_TOKEN')).toHaveLength(15);
  });

  test('S28 is good for nothing else, and nothing else is good for it', async () => {
    const { server, service, signUp, link, newest, byLink } = createMailed();
    await signUp(ADA);
    const token = await link(ADA);
    expect(await codeOf(service.resetPassword(token, 'another good password'))).toBe('INVALID_TOKEN');
    expect(await codeOf(service.verifyEmail(token))).toBe('INVALID_TOKEN');
    expect(await codeOf(service.rejectEmail(token))).toBe('INVALID_TOKEN');
    expect(await codeOf(server.loginWithService('factor', { token, code: SECOND_CODE }))).toBe(
      'INVALID_TOKEN',
    );
    await service.sendResetPasswordEmail(ADA);
    await service.sendVerificationEmail(ADA);
    expect(await codeOf(byLink(await newest(ADA, /\/reset-password\/([\w-]+)/)))).toBe('INVALID_TOKEN');
    expect(await codeOf(byLink(await newest(ADA, /\/verify-email\/([\w-]+)/)))).toBe('INVALID_TOKEN');
    expect(await codeOf(byLink(token))).toBe('not refused');
  });

  test('S29 works for 15 minutes at most, and a newer one voids it', async () => {
    const { signUp, verify, link, byLink, clock } = createMailed();
    await signUp(ADA);
    await verify(ADA);
    const late = await link(ADA);
    clock.pass(15 * MINUTE);
    expect(await codeOf(byLink(late))).toBe('INVALID_TOKEN');
    const older = await link(ADA);
    const newer = await link(ADA);
    expect(await codeOf(byLink(older))).toBe('INVALID_TOKEN');
    expect(await codeOf(byLink(newer))).toBe('not refused');
    const short = createMailed({ magic: { expiration: MINUTE } });
    await short.signUp(ADA);
    const soon = await short.link(ADA);
    short.clock.pass(MINUTE);
    expect(await codeOf(short.byLink(soon))).toBe('INVALID_TOKEN');
  });

  test('S29 is void once the password was changed, also where reset links are not', async () => {
    const passwords = { removeAllResetPasswordTokensAfterPasswordChanged: false };
    for (const given of [{}, passwords]) {
      const { service, signUp, verify, link, byLink } = createMailed({ passwords: given });
      const id = await signUp(ADA);
      await verify(ADA);
      const token = await link(ADA);
      await service.changePassword(id, PASSWORD, 'another good password');
      expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
    }
  });

  test('S28 is void once the address was taken off, also when it is added and proved again', async () => {
    const { service, signUp, verify, link, newest, byLink } = createMailed();
    const id = await signUp(ADA, { username: 'ada' });
    await verify(ADA);
    const tokens = [await link(ADA), await link(ADA)];
    await service.removeEmail(id, ADA);
    expect(await codeOf(byLink(tokens[0]))).toBe('INVALID_TOKEN');
    await service.addEmail(id, ADA);
    await service.verifyEmail(await newest(ADA, /\/verify-email\/([\w-]+)/));
    expect(await codeOf(byLink(tokens[1]))).toBe('INVALID_TOKEN');
    expect(await codeOf(byLink(await link(ADA)))).toBe('not refused');
  });

  test('S29 leaves no session when the password is changed while it logs in', async () => {
    const { server, service, db, signUp, verify, link, byLink } = createMailed();
    const id = await signUp(ADA);
    await verify(ADA);
    const token = await link(ADA);
    server.on('ValidateLogin', () => service.changePassword(id, PASSWORD, 'another good password'));
    expect(await codeOf(byLink(token))).toBe('INVALID_CREDENTIALS');
    expect(await db.sessions.findByUser(id)).toEqual([]);
  });

  test('does not get around a second factor, and the code may come along or follow', async () => {
    const { db, signUp, verify, link, byLink, server } = createMailed();
    const id = await signUp(ADA);
    await verify(ADA);
    await plant(db, { service: 'totp', subject: id, userId: id });
    const refused = await byLink(await link(ADA)).catch((error: unknown) => error);
    if (!(refused instanceof AccountsError)) throw new Error('nobody asked for the second factor');
    expect(refused.code).toBe('TWO_FACTOR_REQUIRED');
    const { challenge } = refused.extensions;
    const login = await server.loginWithService('factor', { token: challenge, code: SECOND_CODE }, FROM);
    expect(login.user.id).toBe(id);
    const { session } = await server.resumeLiveSession(login.tokens.accessToken);
    expect(session.amr).toEqual(['link', 'otp', 'mfa']);
    const params = { token: await link(ADA), code: SECOND_CODE };
    expect((await server.loginWithService('magicLink', params, FROM)).user.id).toBe(id);
    expect(
      await codeOf(server.loginWithService('magicLink', { ...params, token: await link(ADA), code: '1' })),
    ).toBe('INVALID_CODE');
  });

  test('proves the owner of a session once more, for what needs a recent login', async () => {
    const { server, signUp, verify, link, byPassword, clock } = createMailed();
    await signUp(ADA);
    await verify(ADA);
    const { accessToken } = (await byPassword(ADA)).tokens;
    clock.pass(11 * MINUTE);
    const recent = async () => server.requireRecent(await server.resumeLiveSession(accessToken));
    expect(await codeOf(recent)).toBe('RECENT_LOGIN_REQUIRED');
    const params = { token: await link(ADA) };
    expect(await server.authenticateWithService('magic-link', params, FROM, { accessToken })).toBe(true);
    expect(await codeOf(recent)).toBe('not refused');
    // Somebody else's proof is none for this session.
    await signUp('bob@example.com');
    const bobs = { token: await link('bob@example.com') };
    const foreign = server.authenticateWithService('magicLink', bobs, FROM, { accessToken });
    expect(await codeOf(foreign)).toBe('INVALID_CREDENTIALS');
  });

  test.each([undefined, null, '', 'x', { $ne: null }, ['x'], 7, 'x'.repeat(600), 'a\0b'])(
    'is refused as %j',
    async (token) => {
      expect(await codeOf(createMailed().byLink(token))).toBe('INVALID_TOKEN');
    },
  );

  test.each([
    { expiration: 15 * MINUTE + 1 },
    { expiration: 0 },
    { signUp: 'yes' },
    { validateEmail: true },
    { loginTokenExpiration: 1 },
    { expires: 1 },
  ])('has no option such as %j', (options) => {
    expect(() => magicLink(options as object)).toThrow(TypeError);
  });
});

describe('S7 who asks for a magic link', () => {
  test('learns nothing, and the same is done for an address that nobody has', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { server, links, signUp, verify, mails } = createMailed({ options: { db: counted } });
    await signUp(ADA);
    await verify(ADA);
    mails.length = 0;
    const workFor = async (email: string): Promise<string[]> => {
      queries.length = 0;
      await links.requestMagicLinkEmail(email);
      // Nothing is done before the answer.
      expect(queries).toEqual([]);
      await server.settled();
      return [...queries];
    };
    const known = await workFor(ADA);
    expect(mails.map(({ to }) => to)).toEqual([ADA]);
    const unknown = await workFor('nobody@example.com');
    expect(mails).toHaveLength(1);
    expect(unknown).toEqual(known);
  });

  test('is told without ambiguous errors', async () => {
    const { links } = createMailed({ options: { ambiguousErrorMessages: false } });
    expect(await codeOf(links.requestMagicLinkEmail(ADA))).toBe('USER_NOT_FOUND');
  });

  test('gets five mails an hour to one recipient; the sixth is answered as for an unknown address', async () => {
    const { server, links, signUp, mails, clock } = createMailed();
    await signUp(ADA);
    for (let request = 0; request < 7; request++) await links.requestMagicLinkEmail(ADA);
    await server.settled();
    expect(mails.filter(({ to }) => to === ADA)).toHaveLength(5);
    clock.pass(60 * MINUTE);
    await links.requestMagicLinkEmail(ADA);
    await server.settled();
    expect(mails.filter(({ to }) => to === ADA)).toHaveLength(6);
  });

  test('is RATE_LIMITED after 30 mails from one address of a client', async () => {
    const { server } = createMailed();
    const schema = makeExecutableSchema(accountsModule(server));
    const fields = Array.from(
      { length: 31 },
      (_, n) => `a${n}: requestMagicLinkEmail(email: "a${n}@example.com")`,
    );
    const { errors } = await graphql({ schema, source: `mutation { ${fields.join(' ')} }` });
    expect(errors?.map(({ path }) => path)).toEqual([['a30']]);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) });
  });

  test.each([undefined, null, '', 'no address', { $ne: null }, 'a@b@example.com', 'a,b@example.com'])(
    'with %j is refused before anything is looked up',
    async (email) => {
      const { links } = createMailed();
      expect(await codeOf(links.requestMagicLinkEmail(email as string))).toBe('INVALID_EMAIL');
    },
  );

  test('gets none for a deactivated user, and a link from before is void', async () => {
    const { server, links, signUp, verify, link, byLink, mails } = createMailed();
    const id = await signUp(ADA);
    await verify(ADA);
    const token = await link(ADA);
    await server.deactivateUser(id);
    mails.length = 0;
    await links.requestMagicLinkEmail(ADA);
    await server.settled();
    expect(mails).toEqual([]);
    expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
    await server.activateUser(id);
    expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
  });

  test('gets none for an unproved address of an account that has a proved one', async () => {
    const { server, service, links, signUp, mails } = createMailed();
    const id = await signUp(ADA);
    await service.addEmail(id, 'second@example.com', true);
    await service.addEmail(id, 'third@example.com');
    await server.settled();
    mails.length = 0;
    for (const email of [ADA, 'third@example.com']) await links.requestMagicLinkEmail(email);
    await server.settled();
    expect(mails).toEqual([]);
  });

  test('S46 leaves no token in an event or a report', async () => {
    const { server, signUp, link, byLink, errors } = createMailed();
    const told: unknown[] = [];
    for (const name of ['LoginSuccess', 'LoginError', 'VerifyEmailSuccess', 'CreateUserSuccess'] as const) {
      server.on(name, (event) => told.push(event));
    }
    await signUp(ADA);
    const token = await link(ADA);
    await byLink(token);
    await codeOf(byLink(token));
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify([told, errors])).not.toContain(token);
  });
});

describe('S38 a sign-up by link', () => {
  const magic = { signUp: true };
  const NEW = 'New.Person@example.com';

  test('is off by default', async () => {
    const { server, links, mails } = createMailed();
    await links.requestMagicLinkEmail(NEW);
    await server.settled();
    expect(mails).toEqual([]);
  });

  test('makes a user at the use of the link, with the address proved and nothing else', async () => {
    const { server, service, db, link, byLink, mails } = createMailed({ magic });
    const told: unknown[] = [];
    server.on('CreateUserSuccess', ({ user, connection }) => told.push([user.id, connection]));
    const token = await link(NEW);
    expect(mails.at(-1)?.text).toContain('makes an account for you');
    expect(await service.findUserByEmail(NEW)).toBeNull();
    const { user } = await byLink(token);
    expect(user).toMatchObject({ username: null, emails: [{ address: NEW, verified: true }], profile: {} });
    expect(told).toEqual([[user.id, FROM]]);
    const identities = (await db.identities.findByUser(user.id)).map(({ service: name }) => name);
    expect(identities).toEqual(['email']);
    expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
    // From now on it is a login.
    expect((await byLink(await link(NEW))).user.id).toBe(user.id);
    expect(mails.at(-1)?.text).not.toContain('makes an account for you');
  });

  test('S28 makes one user, of 16 who use the link at once and of a second link', async () => {
    const { link, byLink, service } = createMailed({ magic });
    const token = await link(NEW);
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(byLink(token))));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(await service.findUserByEmail(NEW)).not.toBeNull();
  });

  test('S39 logs in whoever has proved the address, where somebody signed up with it meanwhile', async () => {
    const { signUp, link, byLink, byPassword, verify, service } = createMailed({ magic });
    const strangers = await link(NEW);
    const id = await signUp(NEW);
    expect((await byLink(strangers)).user).toMatchObject({ id, emails: [{ verified: true }] });
    expect(await codeOf(byPassword(NEW))).toBe('INVALID_CREDENTIALS');
    const second = await link('other@example.com');
    await signUp('other@example.com');
    await verify('other@example.com');
    await byLink(second);
    expect(await codeOf(byPassword('other@example.com'))).toBe('not refused');
    expect(service).toBeTruthy();
  });

  test('opens no account in which another address was proved', async () => {
    const { signUp, link, byLink, service } = createMailed({ magic });
    const token = await link(NEW);
    const id = await signUp(NEW);
    await service.addEmail(id, 'strangers@example.com', true);
    expect(await codeOf(byLink(token))).toBe('INVALID_TOKEN');
  });

  test('is void where sign-ups were turned off since, and for addresses that the application refuses', async () => {
    const db = memoryDatabase();
    const { now } = createClock();
    const before = createMailed({ magic, options: { db }, now });
    const token = await before.link(NEW);
    const after = createMailed({ options: { db }, now });
    expect(await codeOf(after.byLink(token))).toBe('INVALID_TOKEN');
    expect(await after.service.findUserByEmail(NEW)).toBeNull();
    const narrowed = createMailed({
      magic: { signUp: true, validateEmail: (email) => email.endsWith('@example.org') },
    });
    await narrowed.links.requestMagicLinkEmail(NEW);
    await narrowed.server.settled();
    expect(narrowed.mails).toEqual([]);
    expect(await narrowed.link('new@example.org')).toBeTruthy();
  });

  test('spends the sign-ups of a client, for known and unknown addresses alike', async () => {
    const { server, signUp } = createMailed({ magic, options: { rateLimits: { addressSignUps: 2 } } });
    await signUp(ADA);
    const schema = makeExecutableSchema(accountsModule(server));
    const source = `mutation { a: requestMagicLinkEmail(email: "${ADA}") b: requestMagicLinkEmail(email: "${NEW}")
      c: requestMagicLinkEmail(email: "${ADA}") d: requestMagicLinkEmail(email: "new@example.com") }`;
    const { errors } = await graphql({ schema, source });
    expect(errors?.map(({ path }) => path)).toEqual([['c'], ['d']]);
  });
});
