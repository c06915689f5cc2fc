import { describe, expect, test } from 'vitest';
import { DAY, HOUR } from '../../../src/core/time.ts';
import { AccountsError } from '../../../src/index.ts';
import { codeOf, createAccounts, fastHashes, PASSWORD } from '../../accounts.ts';

const NEW = 'another good password';

describe('a forgotten password', () => {
  const forgotten = async (options = {}, server = {}) => {
    const accounts = createAccounts(server, { ...fastHashes, ...options });
    const id = await accounts.signUp({ email: 'ada@example.com', username: 'ada' });
    await accounts.service.sendResetPasswordEmail('ADA@example.com');
    return { ...accounts, id, token: await accounts.linkTo('ada@example.com', 'reset-password') };
  };

  test('S19 is replaced by the mailed link, which ends every session and notifies the owner', async () => {
    const { service, server, logIn, token, mails } = await forgotten();
    const { tokens } = await logIn('ada');
    expect(await service.resetPassword(token, NEW)).toBeNull();
    expect(await codeOf(server.resumeSession(tokens.accessToken))).toBe('UNAUTHENTICATED');
    expect(await codeOf(logIn('ada'))).toBe('INVALID_CREDENTIALS');
    expect(await logIn('ada', NEW)).toBeTruthy();
    await server.settled();
    expect(mails.at(-1)).toMatchObject({ to: 'ada@example.com', subject: 'Your password has been changed' });
  });

  test('proves the address to which the link went', async () => {
    const { service, token, id, server } = await forgotten();
    await service.resetPassword(token, NEW);
    expect(await server.findUserById(id)).toMatchObject({ emails: [{ verified: true }] });
  });

  test('S28 is replaced by one of 16 who use the link at once', async () => {
    const { service, token, logIn } = await forgotten();
    const codes = await Promise.all(
      Array.from({ length: 16 }, (_, n) => codeOf(service.resetPassword(token, `${NEW} ${n}`))),
    );
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(await logIn('ada', `${NEW} ${codes.indexOf('not refused')}`)).toBeTruthy();
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_TOKEN');
  });

  test('S29 has a link that lives for an hour, and is void after a newer one, after a change, and when deactivated', async () => {
    const late = await forgotten();
    late.clock.pass(HOUR);
    expect(await codeOf(late.service.resetPassword(late.token, NEW))).toBe('INVALID_TOKEN');

    const newer = await forgotten();
    await newer.service.sendResetPasswordEmail('ada@example.com');
    const token = await newer.linkTo('ada@example.com', 'reset-password');
    expect(await codeOf(newer.service.resetPassword(newer.token, NEW))).toBe('INVALID_TOKEN');
    await newer.service.resetPassword(token, NEW);

    const changed = await forgotten();
    await changed.service.changePassword(changed.id, PASSWORD, NEW);
    expect(await codeOf(changed.service.resetPassword(changed.token, PASSWORD))).toBe('INVALID_TOKEN');

    const deactivated = await forgotten();
    await deactivated.server.deactivateUser(deactivated.id);
    expect(await codeOf(deactivated.service.resetPassword(deactivated.token, NEW))).toBe('INVALID_TOKEN');
  });

  test('S28 has a link that is void once its address was taken off', async () => {
    const { service, token, id } = await forgotten();
    await service.removeEmail(id, 'ada@example.com');
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_TOKEN');
  });

  test('S5 is not replaced by a password that would be guessed, and the link stays good', async () => {
    const { service, token } = await forgotten();
    expect(await codeOf(service.resetPassword(token, 'Password123'))).toBe('PASSWORD_TOO_COMMON');
    expect(await codeOf(service.resetPassword(token, 'ada@example.com'))).toBe('PASSWORD_TOO_COMMON');
    expect(await codeOf(service.resetPassword(token, 'short'))).toBe('INVALID_PASSWORD');
    await service.resetPassword(token, NEW);
  });

  test('logs in if the option says so, through the steps of any login', async () => {
    const { service, server, token, id } = await forgotten({ returnTokensAfterResetPassword: true });
    const seen: unknown[] = [];
    server.on('ValidateLogin', ({ user }) => seen.push(user.id));
    const result = await service.resetPassword(token, NEW);
    expect(await server.resumeSession(result?.tokens.accessToken ?? '')).toMatchObject({ id });
    expect(seen).toEqual([id]);
  });

  test('leaves no session behind of a login that was overtaken by another new password', async () => {
    const { service, server, token, id, db } = await forgotten({ returnTokensAfterResetPassword: true });
    server.on('ValidateLogin', () => service.setPassword(id, 'a third good password'));
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_CREDENTIALS');
    expect(await db.sessions.findByUser(id)).toEqual([]);
  });

  test('S28 has a link that is void while its address is somebody else’s, and says so before anything changes', async () => {
    const { service, token, id, signUp, logIn } = await forgotten();
    await service.removeEmail(id, 'ada@example.com');
    const bob = await signUp({ email: 'ada@example.com' });
    await service.addEmail(id, 'ada@example.com');
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_TOKEN');
    expect((await logIn('ada')).user.id).toBe(id);
    expect((await logIn('ada@example.com')).user.id).toBe(bob);
  });

  test('S39 takes away what a stranger had prepared before the owner proved the address', async () => {
    const { service, server, signUp, linkTo, logIn } = createAccounts();
    const id = await signUp({ email: 'victim@example.com' }, 'the password of a stranger');
    await service.addEmail(id, 'stranger@example.com');
    const strangersLink = await linkTo('stranger@example.com', 'verify-email');
    const { tokens } = await logIn('victim@example.com', 'the password of a stranger');
    await service.sendResetPasswordEmail('victim@example.com');
    await service.resetPassword(await linkTo('victim@example.com', 'reset-password'), NEW);
    expect((await server.findUserById(id))?.emails).toEqual([
      { address: 'victim@example.com', verified: true },
    ]);
    expect(await codeOf(service.verifyEmail(strangersLink))).toBe('INVALID_TOKEN');
    expect(await codeOf(server.refreshTokens(tokens.accessToken, tokens.refreshToken))).toBe(
      'UNAUTHENTICATED',
    );
  });

  test('S29 voids every link that was mailed before, to whatever address', async () => {
    const { service, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'victim@example.com' });
    await service.sendVerificationEmail('victim@example.com');
    await service.verifyEmail(await linkTo('victim@example.com', 'verify-email'));
    // Somebody who was in for a moment prepares a way back.
    await service.addEmail(id, 'thief@example.com');
    const first = await linkTo('thief@example.com', 'verify-email');
    await service.changePassword(id, PASSWORD, NEW);
    expect(await codeOf(service.verifyEmail(first))).toBe('INVALID_TOKEN');
    await service.sendResetPasswordEmail('victim@example.com');
    await service.addEmail(id, 'thief@example.com');
    const second = await linkTo('thief@example.com', 'verify-email');
    await service.resetPassword(await linkTo('victim@example.com', 'reset-password'), PASSWORD);
    for (const link of [first, second]) expect(await codeOf(service.verifyEmail(link))).toBe('INVALID_TOKEN');
    expect(await service.findUserByEmail('thief@example.com')).toBeNull();
  });

  test('S19 leaves no address behind that was added while the session ended', async () => {
    const { service, server, signUp, db } = createAccounts();
    const id = await signUp({ email: 'victim@example.com' });
    const ended = async () => {
      throw new AccountsError('UNAUTHENTICATED');
    };
    expect(await codeOf(service.addEmail(id, 'thief@example.com', false, ended))).toBe('UNAUTHENTICATED');
    await server.settled();
    expect((await server.findUserById(id))?.emails).toEqual([
      { address: 'victim@example.com', verified: false },
    ]);
    expect((await db.users.findMany([id]))[0]?.emails).toHaveLength(1);
  });

  test('S19 mails no link to somebody whose session ended between the listing and the mail', async () => {
    const { service, server, signUp, mails } = createAccounts();
    const id = await signUp({ email: 'victim@example.com' });
    let asked = 0;
    const endsLater = async () => {
      if (++asked > 1) throw new AccountsError('UNAUTHENTICATED');
    };
    await service.addEmail(id, 'thief@example.com', false, endsLater);
    await server.settled();
    expect(mails).toEqual([]);
  });

  test('S31 has a link that is void once another address of the account was proved and its own was not', async () => {
    const { service, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'typo@example.com' });
    await service.sendResetPasswordEmail('typo@example.com');
    const strangers = await linkTo('typo@example.com', 'reset-password');
    await service.addEmail(id, 'ada@example.com');
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
    expect(await codeOf(service.resetPassword(strangers, NEW))).toBe('INVALID_TOKEN');
  });

  test('is not mailed to an unproved address of an account in which another one was proved', async () => {
    const { service, server, signUp, linkTo, mails } = createAccounts();
    const id = await signUp({ email: 'typo@example.com' });
    await service.addEmail(id, 'ada@example.com');
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
    mails.length = 0;
    await service.sendResetPasswordEmail('typo@example.com');
    await service.sendResetPasswordEmail('ada@example.com');
    await server.settled();
    expect(mails.map(({ to }) => to)).toEqual(['ada@example.com']);
  });

  test('leaves sessions alone if the option says so', async () => {
    const { service, server, logIn, token, linkTo } = await forgotten({
      invalidateAllSessionsAfterPasswordReset: false,
    });
    const stranger = (await logIn('ada')).tokens;
    // S39: not at the first proof of the address, when whoever is logged in may be a stranger.
    await service.resetPassword(token, NEW);
    expect(await codeOf(server.resumeSession(stranger.accessToken))).toBe('UNAUTHENTICATED');
    const { tokens } = await logIn('ada', NEW);
    await service.sendResetPasswordEmail('ada@example.com');
    await service.resetPassword(await linkTo('ada@example.com', 'reset-password'), PASSWORD);
    expect(await server.resumeSession(tokens.accessToken)).toBeTruthy();
  });
});

describe('an enrolment', () => {
  test('lets a user whom an administrator made set the first password', async () => {
    const { service, logIn, linkTo, clock } = createAccounts();
    await service.createUser({ email: 'ada@example.com' });
    await service.sendEnrollmentEmail('ada@example.com');
    const token = await linkTo('ada@example.com', 'enroll-account');
    expect(await codeOf(logIn('ada@example.com', NEW))).toBe('INVALID_CREDENTIALS');
    clock.pass(7 * DAY - 1);
    await service.resetPassword(token, NEW);
    expect((await logIn('ada@example.com', NEW)).user.emails).toEqual([
      { address: 'ada@example.com', verified: true },
    ]);
    expect(await codeOf(service.sendEnrollmentEmail('nobody@example.com'))).toBe('USER_NOT_FOUND');
  });

  test('S39 is not for an address that nobody has proved, once another one was', async () => {
    const { service, server, linkTo } = createAccounts();
    await service.createUser({ email: 'mistyped@example.com' });
    await service.sendEnrollmentEmail('mistyped@example.com');
    const token = await linkTo('mistyped@example.com', 'enroll-account');
    const id = (await service.findUserByEmail('mistyped@example.com'))?.id ?? '';
    await service.addEmail(id, 'ada@example.com', true);
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_TOKEN');
    expect(await codeOf(service.sendEnrollmentEmail('mistyped@example.com'))).toBe('USER_NOT_FOUND');
    expect((await server.findUserById(id))?.emails).toContainEqual({
      address: 'ada@example.com',
      verified: true,
    });
  });

  test('S29 has a link that lives for 7 days', async () => {
    const { service, linkTo, clock } = createAccounts();
    await service.createUser({ email: 'ada@example.com' });
    await service.sendEnrollmentEmail('ada@example.com');
    const token = await linkTo('ada@example.com', 'enroll-account');
    clock.pass(7 * DAY);
    expect(await codeOf(service.resetPassword(token, NEW))).toBe('INVALID_TOKEN');
  });
});

describe('a change of the password', () => {
  const withTwoSessions = async (options = {}) => {
    const accounts = createAccounts({}, { ...fastHashes, ...options });
    const id = await accounts.signUp({ email: 'ada@example.com' });
    const here = await accounts.logIn('ada@example.com');
    const there = await accounts.logIn('ada@example.com');
    const session = { id: here.sessionId, userId: id, actorUserId: null };
    return { ...accounts, id, here: here.tokens, there: there.tokens, session };
  };

  test('S19 ends the other sessions and keeps this one', async () => {
    const { service, server, id, here, there, session, mails } = await withTwoSessions();
    await service.changePassword(id, PASSWORD, NEW, { session });
    expect(await server.resumeSession(here.accessToken)).toBeTruthy();
    expect(await codeOf(server.resumeSession(there.accessToken))).toBe('UNAUTHENTICATED');
    await server.settled();
    expect(mails).toMatchObject([{ to: 'ada@example.com', subject: 'Your password has been changed' }]);
  });

  test('needs the old password', async () => {
    const { service, id, logIn } = await withTwoSessions();
    for (const old of ['wrong password', '', 'x'.repeat(5000)]) {
      expect(await codeOf(service.changePassword(id, old, NEW))).toBe('INVALID_CREDENTIALS');
    }
    expect(await codeOf(service.changePassword(id, { $ne: '' } as never, NEW))).toBe('BAD_USER_INPUT');
    expect(await codeOf(service.changePassword(id, PASSWORD, 'Password123'))).toBe('PASSWORD_TOO_COMMON');
    expect(await logIn('ada@example.com')).toBeTruthy();
  });

  test('works for a user without an address, who gets no mail', async () => {
    const { service, server, signUp, logIn, mails } = createAccounts();
    const id = await signUp({ username: 'ada' });
    await service.changePassword(id, PASSWORD, NEW);
    await server.settled();
    expect(await logIn('ada', NEW)).toBeTruthy();
    expect(mails).toEqual([]);
  });

  test('leaves the other sessions alone if the option says so', async () => {
    const { service, server, id, there } = await withTwoSessions({
      invalidateAllSessionsAfterPasswordChanged: false,
    });
    await service.changePassword(id, PASSWORD, NEW);
    expect(await server.resumeSession(there.accessToken)).toBeTruthy();
  });

  test('is refused to all but one of 10 at once', async () => {
    const { service, id } = await withTwoSessions();
    const codes = await Promise.all(
      Array.from({ length: 10 }, (_, n) => codeOf(service.changePassword(id, PASSWORD, `${NEW} ${n}`))),
    );
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
  });

  test('by an administrator needs no old password and ends every session', async () => {
    const { service, server, id, here, logIn, mails } = await withTwoSessions();
    await service.setPassword(id, NEW);
    expect(await codeOf(server.resumeSession(here.accessToken))).toBe('UNAUTHENTICATED');
    expect(await logIn('ada@example.com', NEW)).toBeTruthy();
    expect(await codeOf(service.setPassword(id, 'password'))).toBe('PASSWORD_TOO_COMMON');
    await server.settled();
    expect(mails).toMatchObject([{ to: 'ada@example.com', subject: 'Your password has been changed' }]);
  });
});
