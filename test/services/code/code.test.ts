import { generateKeyPairSync } from 'node:crypto';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../../src/core/time.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { OneTimeTokenRecord } from '../../../src/database/ports.ts';
import { AccountsError, AccountsServer, accountsModule, code, password } from '../../../src/index.ts';
import { codeOf, countQueries, createClock, PASSWORD, SECRET } from '../../accounts.ts';
import { createMailed, FROM, plant, SECOND_CODE } from '../magic-link/accounts.ts';

const ADA = 'ada@example.com';

/** Another code of six digits. */
function wrong(right: string, by = 1): string {
  return ((Number(right) + by) % 1_000_000).toString().padStart(6, '0');
}

describe('a login code', () => {
  for (const useStatelessSession of [false, true]) {
    test(`logs in, once, with stateless sessions ${useStatelessSession}`, async () => {
      const m = createMailed({ options: { useStatelessSession } });
      const id = await m.signUp(ADA);
      const typed = await m.code(ADA);
      expect(typed).toMatch(/^\d{6}$/);
      const login = await m.byCode(' ADA@example.com', typed);
      expect(login.user.id).toBe(id);
      const { session } = await m.server.resumeLiveSession(login.tokens.accessToken);
      expect(session.amr).toEqual(['code']);
      expect(await codeOf(m.byCode(ADA, typed))).toBe('INVALID_CODE');
    });
  }

  test('is asked for and used over GraphQL, and is not in the schema of who has not registered it', async () => {
    const { server, signUp, newest } = createMailed();
    await signUp(ADA);
    const schema = makeExecutableSchema(accountsModule(server));
    const request = `mutation { requestLoginCode(email: "${ADA}") }`;
    expect(await graphql({ schema, source: request })).toEqual({ data: { requestLoginCode: true } });
    const typed = await newest(ADA, /^(\d{6})$/m);
    const login = `mutation { authenticate(serviceName: "code", params: { user: { email: "${ADA}", id: null }, code: "${typed}" }) { sessionId } }`;
    const { data, errors } = await graphql({ schema, source: login });
    expect(errors).toBeUndefined();
    expect(data?.authenticate).toEqual({ sessionId: expect.any(String) });
    const without = new AccountsServer(
      { db: memoryDatabase(), tokenSecret: SECRET },
      { password: password() },
    );
    expect(accountsModule(without).typeDefs).not.toContain('requestLoginCode');
  });

  test('is taken as people copy it, and from a user that is a text', async () => {
    const { server, signUp, code: mailed, byCode } = createMailed();
    await signUp(ADA);
    const spaced = (await mailed(ADA)).replace(/^(...)/, ' $1 ');
    expect(await codeOf(byCode(ADA, spaced))).toBe('not refused');
    const params = { user: ADA, code: await mailed(ADA) };
    expect(await codeOf(server.loginWithService('code', params))).toBe('not refused');
  });

  test('stands in the mail, and not in its subject', async () => {
    const { signUp, code: mailed, mails } = createMailed();
    await signUp(ADA);
    const typed = await mailed(ADA);
    expect(mails.at(-1)?.subject).not.toContain(typed);
    expect(mails.at(-1)?.html).toContain(`<strong>${typed}</strong>`);
  });

  test('S28 of 16 who use it at once one gets in', async () => {
    const { signUp, code: mailed, byCode } = createMailed();
    await signUp(ADA);
    const typed = await mailed(ADA);
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(byCode(ADA, typed))));
    expect(codes.filter((answer) => answer === 'not refused')).toHaveLength(1);
  });

  test('S28 gets one in, also on a store that removes the next code in the place of this one', async () => {
    const { signUp, code: mailed, byCode, db } = createMailed();
    const id = await signUp(ADA);
    const typed = await mailed(ADA);
    const { find, consume } = db.oneTimeTokens;
    // Two steps, as a store has them whose DELETE gives nothing back; between them the code is used and the next one made.
    let isFirst = true;
    db.oneTimeTokens.consume = async (hash, purpose) => {
      const found = await find.call(db.oneTimeTokens, hash);
      if (isFirst) {
        isFirst = false;
        await codeOf(byCode(ADA, typed));
        await mailed(ADA);
      }
      return (await consume.call(db.oneTimeTokens, hash, purpose)) && found;
    };
    await codeOf(byCode(ADA, typed));
    expect(await db.sessions.findByUser(id)).toHaveLength(1);
  });

  for (const rateLimits of [undefined, false] as const) {
    test(`S13 takes five tries, ${rateLimits === false ? 'also with rate limits off' : 'within the limits'}`, async () => {
      const { signUp, code: mailed, byCode } = createMailed({ options: { rateLimits } });
      await signUp(ADA);
      const typed = await mailed(ADA);
      for (let by = 1; by <= 4; by++)
        expect(await codeOf(byCode(ADA, wrong(typed, by)))).toBe('INVALID_CODE');
      expect(await codeOf(byCode(ADA, typed))).toBe('not refused');
      const second = await mailed(ADA);
      for (let by = 1; by <= 5; by++) await codeOf(byCode(ADA, wrong(second, by)));
      expect(await codeOf(byCode(ADA, second))).toBe('INVALID_CODE');
      // A new code has tries of its own.
      expect(await codeOf(byCode(ADA, await mailed(ADA)))).toBe('not refused');
    });

    test(`S13 takes five tries of a hundred at once, with rate limits ${rateLimits}`, async () => {
      const { signUp, code: mailed, byCode, db } = createMailed({ options: { rateLimits } });
      const id = await signUp(ADA);
      const typed = await mailed(ADA);
      const guesses = Array.from({ length: 99 }, (_, by) => codeOf(byCode(ADA, wrong(typed, by + 1))));
      await Promise.all([...guesses, codeOf(byCode(ADA, typed))]);
      expect(await db.sessions.findByUser(id)).toEqual([]);
    });
  }

  test('S10 wrong codes spend the guesses of the account, which a password shares, in every spelling', async () => {
    const { signUp, code: mailed, byCode, byPassword, clock } = createMailed();
    await signUp(ADA, { username: 'ada' });
    const codes: string[] = [];
    for (let request = 0; request < 2; request++) {
      const typed = await mailed(ADA);
      for (let by = 1; by <= 5; by++)
        codes.push(await codeOf(byCode(by % 2 ? ADA : 'Ada@Example.com', wrong(typed, by))));
    }
    expect(codes).toEqual([...Array<string>(9).fill('INVALID_CODE'), 'RATE_LIMITED']);
    expect(await codeOf(byPassword('ada'))).toBe('RATE_LIMITED');
    clock.pass(MINUTE);
    expect(await codeOf(byPassword('ada'))).toBe('not refused');
  });

  test('S10 an unknown address is delayed alike', async () => {
    const { byCode } = createMailed();
    const codes: string[] = [];
    for (let by = 1; by <= 10; by++) codes.push(await codeOf(byCode('nobody@example.com', '123456')));
    expect(codes).toEqual([...Array<string>(9).fill('INVALID_CODE'), 'RATE_LIMITED']);
  });

  test('S29 works for ten minutes at most; a newer one, a new password and another address void it', async () => {
    const m = createMailed();
    const id = await m.signUp(ADA, { username: 'ada' });
    await m.verify(ADA);
    const late = await m.code(ADA);
    m.clock.pass(10 * MINUTE);
    expect(await codeOf(m.byCode(ADA, late))).toBe('INVALID_CODE');
    const older = await m.code(ADA);
    const newer = await m.code(ADA);
    if (older !== newer) expect(await codeOf(m.byCode(ADA, older))).toBe('INVALID_CODE');
    await m.service.changePassword(id, PASSWORD, 'another good password');
    expect(await codeOf(m.byCode(ADA, newer))).toBe('INVALID_CODE');
    m.clock.pass(HOUR);
    const last = await m.code(ADA);
    await m.service.removeEmail(id, ADA);
    expect(await codeOf(m.byCode(ADA, last))).toBe('INVALID_CODE');
    await m.service.addEmail(id, ADA, true);
    expect(await codeOf(m.byCode(ADA, last))).toBe('INVALID_CODE');
  });

  test('is bound to its user and address', async () => {
    const m = createMailed();
    await m.signUp(ADA);
    await m.signUp('bob@example.com');
    const typed = await m.code(ADA);
    expect(await codeOf(m.byCode('bob@example.com', typed))).toBe('INVALID_CODE');
    expect(await codeOf(m.byCode(ADA, typed))).toBe('not refused');
  });

  test('S13 lies in the store as nothing from which it could be guessed without the key', async () => {
    const { signUp, code: mailed, db, byCode } = createMailed();
    await signUp(ADA);
    const records: OneTimeTokenRecord[] = [];
    const { put } = db.oneTimeTokens;
    db.oneTimeTokens.put = (record) => {
      records.push(record);
      return put.call(db.oneTimeTokens, record);
    };
    const typed = await mailed(ADA);
    expect(JSON.stringify(records)).not.toContain(typed);
    const [record] = records.filter(({ purpose }) => purpose === 'loginCode');
    expect(Object.keys(record?.data ?? {}).sort()).toEqual(['generation', 'hmac', 'salt']);
    // The same record under another key opens nothing: the key is part of it.
    const other = createMailed({ options: { db, encryptionKey: 'another key of 32 bytes or more, random' } });
    expect(await codeOf(other.byCode(ADA, typed))).toBe('INVALID_CODE');
    expect(await codeOf(byCode(ADA, typed))).toBe('not refused');
  });

  test('goes on working while the key is replaced', async () => {
    const db = memoryDatabase();
    const { now } = createClock();
    const old = 'the old key of 32 bytes or more, random';
    const before = createMailed({ options: { db, encryptionKey: old }, now });
    await before.signUp(ADA);
    const typed = await before.code(ADA);
    const encryptionKey = ['a new key of 32 bytes or more, random', old];
    const after = createMailed({ options: { db, encryptionKey }, now });
    expect(await codeOf(after.byCode(ADA, typed))).toBe('not refused');
  });

  test('is never tried as the code of a second factor', async () => {
    const { db, server, signUp, verify, code: mailed, byCode } = createMailed();
    const id = await signUp(ADA);
    await verify(ADA);
    await plant(db, { service: 'totp', subject: id, userId: id });
    const refused = await byCode(ADA, await mailed(ADA)).catch((error: unknown) => error);
    if (!(refused instanceof AccountsError)) throw new Error('nobody asked for the second factor');
    expect(refused.code).toBe('TWO_FACTOR_REQUIRED');
    const { challenge } = refused.extensions;
    // Nor the other way round: what the second factor takes is no mailed code.
    expect(await codeOf(byCode(ADA, SECOND_CODE))).toBe('INVALID_CODE');
    const login = await server.loginWithService('factor', { token: challenge, code: SECOND_CODE }, FROM);
    const { session } = await server.resumeLiveSession(login.tokens.accessToken);
    expect(session.amr).toEqual(['code', 'otp', 'mfa']);
  });

  test('S10 a right code whose second factor is outstanding neither spends nor resets', async () => {
    const {
      db,
      signUp,
      verify,
      code: mailed,
      byCode,
    } = createMailed({
      options: { rateLimits: { recipientMails: 100 } },
    });
    const id = await signUp(ADA);
    await verify(ADA);
    await plant(db, { service: 'totp', subject: id, userId: id });
    const answers: string[] = [];
    for (let round = 0; round < 9; round++) {
      const typed = await mailed(ADA);
      answers.push(await codeOf(byCode(ADA, wrong(typed))), await codeOf(byCode(ADA, typed)));
    }
    expect(answers.slice(0, 16)).toEqual(Array(8).fill(['INVALID_CODE', 'TWO_FACTOR_REQUIRED']).flat());
    expect(answers.slice(16)).toEqual(['INVALID_CODE', 'RATE_LIMITED']);
  });

  test.each([
    [undefined, 'INVALID_CODE'],
    [123456, 'INVALID_CODE'],
    ['12345', 'INVALID_CODE'],
    ['1234567', 'INVALID_CODE'],
    ['１２３４５６', 'INVALID_CODE'],
    ['12345a', 'INVALID_CODE'],
    [{ $ne: null }, 'INVALID_CODE'],
    ['1'.repeat(100), 'INVALID_CODE'],
  ])('is refused as %j', async (typed, refusal) => {
    const { signUp, code: mailed, byCode } = createMailed();
    await signUp(ADA);
    await mailed(ADA);
    expect(await codeOf(byCode(ADA, typed))).toBe(refusal);
  });

  test.each([
    [undefined, 'BAD_USER_INPUT'],
    [null, 'BAD_USER_INPUT'],
    [{}, 'BAD_USER_INPUT'],
    [{ username: 'ada' }, 'BAD_USER_INPUT'],
    [{ email: ADA, id: '1' }, 'BAD_USER_INPUT'],
    [{ email: { $ne: null } }, 'BAD_USER_INPUT'],
    [{ email: ADA, $where: '1' }, 'BAD_USER_INPUT'],
    [{ email: 'no address' }, 'INVALID_EMAIL'],
  ])('is refused for the user %j', async (user, refusal) => {
    const { server } = createMailed();
    expect(await codeOf(server.loginWithService('code', { user, code: '123456' }))).toBe(refusal);
  });

  test('has no option but its life, of ten minutes at most, and needs a key', () => {
    expect(() => code({ expiration: 10 * MINUTE + 1 })).toThrow(TypeError);
    expect(() => code({ tries: 6 } as object)).toThrow(TypeError);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const options = { db: memoryDatabase(), tokenSecret: { publicKey, privateKey } };
    expect(() => new AccountsServer(options, { code: code() })).toThrow(/encryptionKey/);
  });
});

describe('S7 who guesses or asks for a code', () => {
  test('learns nothing from what is done for a known and an unknown address', async () => {
    const { counted, queries } = countQueries(memoryDatabase());
    const m = createMailed({ options: { db: counted } });
    await m.signUp(ADA);
    await m.verify(ADA);
    await m.signUp('silent@example.com');
    await m.code(ADA);
    const workFor = async (work: () => Promise<unknown>): Promise<string[]> => {
      await m.server.settled();
      queries.length = 0;
      await work();
      await m.server.settled();
      return [...queries];
    };
    const guess = (email: string) =>
      workFor(async () => expect(await codeOf(m.byCode(email, '000000'))).toBe('INVALID_CODE'));
    const withCode = await guess(ADA);
    expect(await guess('nobody@example.com')).toEqual(withCode);
    expect(await guess('silent@example.com')).toEqual(withCode);
    const ask = (email: string) => workFor(() => m.loginCodes.requestLoginCode(email));
    expect(await ask('nobody@example.com')).toEqual(await ask(ADA));
    expect(m.mails.filter(({ to }) => to === 'nobody@example.com')).toEqual([]);
  });

  test('is told without ambiguous errors', async () => {
    const { loginCodes } = createMailed({ options: { ambiguousErrorMessages: false } });
    expect(await codeOf(loginCodes.requestLoginCode(ADA))).toBe('USER_NOT_FOUND');
  });

  test('gets none for a deactivated user, and a code from before is refused like a wrong one', async () => {
    const { server, loginCodes, signUp, code: mailed, byCode, mails } = createMailed();
    const id = await signUp(ADA);
    const typed = await mailed(ADA);
    await server.deactivateUser(id);
    mails.length = 0;
    await loginCodes.requestLoginCode(ADA);
    await server.settled();
    expect(mails).toEqual([]);
    expect(await codeOf(byCode(ADA, typed))).toBe('INVALID_CODE');
  });

  test('shares five mails an hour to one recipient with the links', async () => {
    const { server, links, loginCodes, service, signUp, mails } = createMailed();
    await signUp(ADA);
    for (let round = 0; round < 3; round++) {
      await links.requestMagicLinkEmail(ADA);
      await loginCodes.requestLoginCode(ADA);
      await service.sendResetPasswordEmail(ADA);
    }
    await server.settled();
    expect(mails.filter(({ to }) => to === ADA)).toHaveLength(5);
  });

  test('is RATE_LIMITED after 30 mails from one address of a client', async () => {
    const { server } = createMailed();
    const schema = makeExecutableSchema(accountsModule(server));
    const fields = Array.from(
      { length: 31 },
      (_, n) => `a${n}: requestLoginCode(email: "a${n}@example.com")`,
    );
    const { errors } = await graphql({ schema, source: `mutation { ${fields.join(' ')} }` });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['RATE_LIMITED']);
  });

  test('S46 leaves no code in an event or a report', async () => {
    const { server, signUp, code: mailed, byCode, errors } = createMailed();
    const told: unknown[] = [];
    for (const name of ['LoginSuccess', 'LoginError'] as const) server.on(name, (event) => told.push(event));
    await signUp(ADA);
    const typed = await mailed(ADA);
    await codeOf(byCode(ADA, typed));
    await codeOf(byCode(ADA, typed));
    expect(told).toHaveLength(2);
    expect(JSON.stringify([told, errors])).not.toContain(typed);
  });
});

describe('S36 a verified address', () => {
  test('is a way in that is not given away as the last one', async () => {
    const { server, service, db, signUp, verify } = createMailed();
    const id = await signUp(ADA, { username: 'ada' });
    await verify(ADA);
    const identity = await db.identities.find('password', id);
    await db.identities.remove('password', id, identity?.version ?? 0);
    expect(await codeOf(service.removeEmail(id, ADA))).toBe('LAST_WAY_IN');
    expect((await server.findUserById(id))?.emails).toEqual([{ address: ADA, verified: true }]);
    await service.addEmail(id, 'second@example.com', true);
    expect(await codeOf(service.removeEmail(id, ADA))).toBe('not refused');
    expect(await codeOf(service.removeEmail(id, 'second@example.com'))).toBe('LAST_WAY_IN');
  });

  test('comes back when another process has taken the other way in at the same time', async () => {
    const { service, db, server, signUp, verify, link, byLink } = createMailed();
    const id = await signUp(ADA, { username: 'ada' });
    await verify(ADA);
    const { update } = db.users;
    db.users.update = async (user) => {
      const identity = await db.identities.find('password', id);
      if (identity) await db.identities.remove('password', id, identity.version);
      return update.call(db.users, user);
    };
    expect(await codeOf(service.removeEmail(id, ADA))).toBe('LAST_WAY_IN');
    expect((await server.findUserById(id))?.emails).toEqual([{ address: ADA, verified: true }]);
    expect((await byLink(await link(ADA))).user.id).toBe(id);
  });
});
