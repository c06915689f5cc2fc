import bcrypt from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import { codeOf, countQueries, createAccounts, fastHashes, PASSWORD } from '../../accounts.ts';

describe('a login with a password', () => {
  test('takes the address in any spelling, the username in any case, and the id', async () => {
    const { server, signUp } = createAccounts();
    const id = await signUp({ email: 'Ada@Example.com', username: 'Ada' });
    const ways = [
      'ada@example.com',
      'ADA@EXAMPLE.COM',
      'ada',
      'ADA',
      { id },
      { email: ' ada@example.com' },
      { username: 'aDa' },
    ];
    for (const user of [...ways, { username: null, email: 'ada@example.com', id: null }]) {
      const { user: found } = await server.loginWithService('password', { user, password: PASSWORD }, {});
      expect(found.id).toBe(id);
    }
  });

  test('S7 tells nobody why: unknown, wrong password, no password and deactivated are one refusal', async () => {
    const { server, service, logIn, signUp } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    await service.createUser({ email: 'passwordless@example.com' });
    await server.deactivateUser(await signUp({ email: 'gone@example.com' }));
    const refusals = [
      logIn('nobody@example.com'),
      logIn('ada@example.com', 'another password'),
      logIn('passwordless@example.com'),
      logIn('gone@example.com'),
      logIn('ada@example.com', 'x'.repeat(200)),
      logIn('ada@example.com', ''),
    ].map((login) =>
      login.then(
        () => null,
        ({ code, message, extensions }) => ({ code, message, extensions }),
      ),
    );
    const [first, ...others] = await Promise.all(refusals);
    expect(first).toMatchObject({ code: 'INVALID_CREDENTIALS' });
    for (const other of others) expect(other).toEqual(first);
  });

  test('S8 costs one hash for every kind of refusal', async () => {
    let hashes = 0;
    const { counted } = countQueries(memoryDatabase());
    const counting = {
      hashPassword: async (typed: string) => {
        hashes++;
        return fastHashes.hashPassword(typed);
      },
      verifyPassword: async (typed: string, hash: string) => {
        hashes++;
        return fastHashes.verifyPassword(typed, hash);
      },
    };
    const { service, server, logIn, signUp } = createAccounts({ db: counted }, counting);
    await signUp({ email: 'ada@example.com' });
    await service.createUser({ email: 'passwordless@example.com' });
    await server.deactivateUser(await signUp({ email: 'gone@example.com' }));
    for (const user of [
      'nobody@example.com',
      'ada@example.com',
      'passwordless@example.com',
      'gone@example.com',
      'not a name',
    ]) {
      hashes = 0;
      expect(await codeOf(logIn(user, 'another password'))).toBe('INVALID_CREDENTIALS');
      expect(hashes).toBe(1);
    }
  });

  test.each([
    ['no user', { password: PASSWORD }],
    ['no password', { user: 'ada' }],
    ['a password that is an object', { user: 'ada', password: { $ne: null } }],
    ['S43 an operator as id', { user: { id: { $ne: null } }, password: PASSWORD }],
    ['an unknown key', { user: { email: 'ada@example.com', $where: '1' }, password: PASSWORD }],
    ['an empty object', { user: {}, password: PASSWORD }],
    ['an array', { user: ['ada'], password: PASSWORD }],
    ['a number', { user: 7, password: PASSWORD }],
    ['a lone surrogate', { user: '\uDC00', password: PASSWORD }],
    ['a name of 2,000 characters', { user: 'a'.repeat(2000), password: PASSWORD }],
  ])('S9 refuses %s before anything is looked up', async (_, params) => {
    const { counted, queries } = countQueries(memoryDatabase());
    const { server } = createAccounts({ db: counted });
    expect(await codeOf(server.loginWithService('password', params, {}))).toBe('BAD_USER_INPUT');
    expect(queries).toEqual([]);
  });

  test('S9 tells that the address is not verified only after the right password, and mails the link again', async () => {
    const { server, service, logIn, signUp, mails, linkTo } = createAccounts(
      {},
      { ...fastHashes, requireEmailVerification: true },
    );
    await signUp({ email: 'ada@example.com', username: 'ada' });
    await server.settled();
    expect(mails).toHaveLength(1);
    expect(await codeOf(logIn('ada@example.com', 'another password'))).toBe('INVALID_CREDENTIALS');
    await server.settled();
    expect(mails).toHaveLength(1);
    for (const name of ['ada@example.com', 'ada'])
      expect(await codeOf(logIn(name))).toBe('EMAIL_NOT_VERIFIED');
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
    expect(mails).toHaveLength(3);
    expect(await logIn('ada')).toBeTruthy();
  });

  test('does not tell a deactivated user with the right password that the address is not verified', async () => {
    const { server, logIn, signUp } = createAccounts({}, { ...fastHashes, requireEmailVerification: true });
    await server.deactivateUser(await signUp({ email: 'ada@example.com' }));
    expect(await codeOf(logIn('ada@example.com'))).toBe('INVALID_CREDENTIALS');
  });

  test('S2 verifies an imported bcrypt hash and replaces it by argon2id', async () => {
    const { db, service, logIn, errors } = createAccounts({}, {});
    await service.createUser({ email: 'ada@example.com' });
    const user = await service.findUserByEmail('ada@example.com');
    const data = { hash: await bcrypt.hash('short', 4), normalization: null };
    const createdAt = 0;
    await db.identities.insert({
      service: 'password',
      subject: user?.id ?? '',
      userId: user?.id ?? '',
      version: 1,
      data,
      createdAt,
    });
    expect(await codeOf(logIn('ada@example.com', 'shorT'))).toBe('INVALID_CREDENTIALS');
    await logIn('ada@example.com', 'short');
    const renewed = await db.identities.find('password', user?.id ?? '');
    expect(renewed?.data.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await logIn('ada@example.com', 'short');
    expect((await db.identities.find('password', user?.id ?? ''))?.version).toBe(renewed?.version);
    expect(errors).toEqual([]);
  });

  test('S2 goes on when the re-hash cannot be stored', async () => {
    const db = memoryDatabase();
    let failing = false;
    const update: typeof db.identities.update = async (identity) => {
      if (failing) throw new Error('disk full');
      return db.identities.update(identity);
    };
    const { service, logIn, errors } = createAccounts(
      { db: { ...db, identities: { ...db.identities, update } } },
      {},
    );
    await service.createUser({ email: 'ada@example.com' });
    const { id = '' } = (await service.findUserByEmail('ada@example.com')) ?? {};
    const data = { hash: await bcrypt.hash(PASSWORD, 4), normalization: null };
    await db.identities.insert({
      service: 'password',
      subject: id,
      userId: id,
      version: 1,
      data,
      createdAt: 0,
    });
    failing = true;
    expect(await logIn('ada@example.com')).toBeTruthy();
    expect(errors.length).toBeGreaterThan(0);
  });

  test('proves an identity without a session', async () => {
    const { server, db, signUp } = createAccounts();
    const id = await signUp({ email: 'ada@example.com' });
    const params = { user: 'ada@example.com', password: PASSWORD };
    expect(await server.authenticateWithService('password', params)).toBe(true);
    expect(await codeOf(server.authenticateWithService('password', { ...params, password: 'no' }))).toBe(
      'INVALID_CREDENTIALS',
    );
    expect(await db.sessions.findByUser(id)).toEqual([]);
  });
});
