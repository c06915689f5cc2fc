import { describe, expect, test } from 'vitest';
import { DAY } from '../../../src/core/time.ts';
import { codeOf, createAccounts, PASSWORD } from '../../accounts.ts';

describe('the verification of an address', () => {
  test('S28 has a link that works once, for 16 at once too', async () => {
    const { service, signUp, linkTo } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    await service.sendVerificationEmail('ada@example.com');
    const token = await linkTo('ada@example.com', 'verify-email');
    const codes = await Promise.all(Array.from({ length: 16 }, () => codeOf(service.verifyEmail(token))));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
    expect(codes.filter((code) => code === 'INVALID_TOKEN')).toHaveLength(15);
    expect(await codeOf(service.verifyEmail(token))).toBe('INVALID_TOKEN');
    expect(await service.findUserByEmail('ada@example.com')).toMatchObject({ emails: [{ verified: true }] });
  });

  test('S29 voids the older link by a newer request, and both are mailed', async () => {
    const { service, server, signUp, linkTo, mails } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    await service.sendVerificationEmail('ada@example.com');
    const older = await linkTo('ada@example.com', 'verify-email');
    await service.sendVerificationEmail('ADA@example.com');
    await service.sendVerificationEmail('ada@example.com');
    await server.settled();
    expect(mails.map(({ to }) => to)).toEqual(Array(3).fill('ada@example.com'));
    expect(await codeOf(service.verifyEmail(older))).toBe('INVALID_TOKEN');
    await service.verifyEmail(await linkTo('ada@example.com', 'verify-email'));
  });

  test('S29 has a link that lives for 3 days', async () => {
    const { service, signUp, linkTo, clock } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    await service.sendVerificationEmail('ada@example.com');
    const token = await linkTo('ada@example.com', 'verify-email');
    clock.pass(3 * DAY);
    expect(await codeOf(service.verifyEmail(token))).toBe('INVALID_TOKEN');
  });

  test('S28 has a link that is void once the address was taken off, and for another purpose', async () => {
    const { service, signUp, linkTo } = createAccounts();
    const id = await signUp({ email: 'ada@example.com', username: 'ada' });
    await service.sendVerificationEmail('ada@example.com');
    const token = await linkTo('ada@example.com', 'verify-email');
    expect(await codeOf(service.resetPassword(token, 'another good password'))).toBe('INVALID_TOKEN');
    await service.removeEmail(id, 'ada@example.com');
    expect(await codeOf(service.verifyEmail(token))).toBe('INVALID_TOKEN');
  });

  test('S7 is asked for with the same answer for known, verified and unknown addresses', async () => {
    const { service, server, signUp, mails } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      expect(await service.sendVerificationEmail(email)).toBeUndefined();
      expect(await service.sendResetPasswordEmail(email)).toBeUndefined();
    }
    await server.settled();
    expect(mails.map(({ to }) => to)).toEqual(['ada@example.com', 'ada@example.com']);
  });

  test('S8 looks nothing up and writes nothing before the answer', async () => {
    const { counted, queries } = await import('../../accounts.ts').then(({ countQueries }) =>
      import('../../../src/database/memory/index.ts').then(({ memoryDatabase }) =>
        countQueries(memoryDatabase()),
      ),
    );
    const { service, server } = createAccounts({ db: counted });
    await service.sendVerificationEmail('ada@example.com');
    await service.sendResetPasswordEmail('ada@example.com');
    expect(queries).toEqual([]);
    await server.settled();
    expect(queries).toEqual(expect.arrayContaining(['identities.find', 'oneTimeTokens.put']));
  });

  test('tells that nobody is known when errors are not ambiguous', async () => {
    const { service } = createAccounts({ ambiguousErrorMessages: false });
    expect(await codeOf(service.sendVerificationEmail('nobody@example.com'))).toBe('USER_NOT_FOUND');
    expect(await codeOf(service.sendResetPasswordEmail('nobody@example.com'))).toBe('USER_NOT_FOUND');
  });

  test.each(['', 'ada', 'a@b@example.com', 7, null, { $ne: null }, 'a'.repeat(100_000)])(
    'refuses %j as address',
    async (email) => {
      const { service } = createAccounts();
      expect(await codeOf(service.sendVerificationEmail(email as string))).toBe('INVALID_EMAIL');
      expect(await codeOf(service.sendResetPasswordEmail(email as string))).toBe('INVALID_EMAIL');
    },
  );

  test.each(['', 'x', 'a'.repeat(100_000), 7, null, { $ne: null }, '\uD800', '__proto__'])(
    'refuses %j as token',
    async (token) => {
      const { service } = createAccounts();
      expect(await codeOf(service.verifyEmail(token as string))).toBe('INVALID_TOKEN');
      expect(await codeOf(service.resetPassword(token as string, 'another good password'))).toBe(
        'INVALID_TOKEN',
      );
    },
  );
});

describe('an added address', () => {
  const withAda = async () => {
    const accounts = createAccounts();
    return { ...accounts, ada: await accounts.signUp({ email: 'ada@example.com' }) };
  };

  test('is listed unverified, and allows neither login nor reset until it is confirmed', async () => {
    const { service, server, ada, logIn, linkTo, mails } = await withAda();
    await service.addEmail(ada, 'New@example.com');
    expect((await server.findUserById(ada))?.emails).toEqual([
      { address: 'ada@example.com', verified: false },
      { address: 'New@example.com', verified: false },
    ]);
    expect(await codeOf(logIn('new@example.com'))).toBe('INVALID_CREDENTIALS');
    const token = await linkTo('New@example.com', 'verify-email');
    await service.sendResetPasswordEmail('new@example.com');
    await server.settled();
    expect(mails).toHaveLength(1);
    await service.verifyEmail(token);
    expect((await logIn('new@example.com')).user.id).toBe(ada);
  });

  test('S7 is answered and listed alike when it is taken, and its holder gets a mail instead of the link', async () => {
    const { service, server, ada, signUp, mails } = await withAda();
    const eve = await signUp({ username: 'eve' });
    await service.addEmail(eve, 'ADA@example.com');
    await server.settled();
    expect((await server.findUserById(eve))?.emails).toEqual([
      { address: 'ADA@example.com', verified: false },
    ]);
    expect(mails.map(({ to, subject }) => ({ to, subject }))).toEqual([
      { to: 'ada@example.com', subject: 'Somebody used your e-mail address' },
    ]);
    expect((await service.findUserByEmail('ada@example.com'))?.id).toBe(ada);
  });

  test('reserves nothing: somebody else may sign up with it', async () => {
    const { service, ada, signUp, linkTo } = await withAda();
    await service.addEmail(ada, 'bob@example.com');
    const link = await linkTo('bob@example.com', 'verify-email');
    const bob = await signUp({ email: 'bob@example.com' });
    expect(await codeOf(service.verifyEmail(link))).toBe('EMAIL_TAKEN');
    expect((await service.findUserByEmail('bob@example.com'))?.id).toBe(bob);
  });

  test('belongs to the first who confirms it', async () => {
    const { service, server, ada, signUp, linkTo, logIn } = await withAda();
    const bob = await signUp({ username: 'bob' });
    await service.addEmail(ada, 'both@example.com');
    const first = await linkTo('both@example.com', 'verify-email');
    await service.addEmail(bob, 'both@example.com');
    const second = await linkTo('both@example.com', 'verify-email');
    await service.verifyEmail(second);
    expect(await codeOf(service.verifyEmail(first))).toBe('EMAIL_TAKEN');
    expect((await logIn('both@example.com')).user.id).toBe(bob);
    expect((await server.findUserById(ada))?.emails.at(-1)).toEqual({
      address: 'both@example.com',
      verified: false,
    });
  });

  test('can have its link sent again by its user', async () => {
    const { service, server, ada, linkTo, db } = await withAda();
    await service.addEmail(ada, 'new@example.com');
    const older = await linkTo('new@example.com', 'verify-email');
    await service.sendVerificationEmail(
      'new@example.com',
      async () => (await db.users.findMany([ada]))[0] ?? null,
    );
    const newer = await linkTo('new@example.com', 'verify-email');
    expect(newer).not.toBe(older);
    expect(await codeOf(service.verifyEmail(older))).toBe('INVALID_TOKEN');
    await service.verifyEmail(newer);
    expect((await server.findUserById(ada))?.emails.at(-1)?.verified).toBe(true);
  });

  test('can be confirmed at once by the application, and is not listed when somebody has it', async () => {
    const { service, server, ada, signUp, logIn } = await withAda();
    const bob = await signUp({ email: 'bob@example.com' });
    expect(await codeOf(service.addEmail(ada, 'bob@example.com', true))).toBe('EMAIL_TAKEN');
    await service.addEmail(ada, 'New@example.com', true);
    expect((await server.findUserById(ada))?.emails.map(({ address }) => address)).toEqual([
      'ada@example.com',
      'New@example.com',
    ]);
    expect((await logIn('new@example.com')).user.id).toBe(ada);
    expect((await logIn('bob@example.com')).user.id).toBe(bob);
  });

  test('is one of 20 at most', async () => {
    const { service, ada } = await withAda();
    for (let n = 1; n < 20; n++) await service.addEmail(ada, `ada${n}@example.com`);
    expect(await codeOf(service.addEmail(ada, 'ada20@example.com'))).toBe('TOO_MANY_EMAILS');
  });
});

describe('a removed address', () => {
  test('S28 S29 takes its links with it, so that their number is capped', async () => {
    const { service, signUp, linkTo, db } = createAccounts();
    const ada = await signUp({ username: 'ada' });
    const links: string[] = [];
    for (let round = 0; round < 3; round++) {
      await service.addEmail(ada, `ada${round}@example.com`);
      links.push(await linkTo(`ada${round}@example.com`, 'verify-email'));
      await service.removeEmail(ada, `ada${round}@example.com`);
    }
    await service.addEmail(ada, 'ada0@example.com');
    for (const link of links) expect(await codeOf(service.verifyEmail(link))).toBe('INVALID_TOKEN');
    expect(await db.identities.find('email', 'ada0@example.com')).toBeNull();
  });

  test('is free for others, unless it is the last way in', async () => {
    const { service, server, signUp, logIn } = createAccounts();
    const ada = await signUp({ email: 'ada@example.com' });
    await service.addEmail(ada, 'pending@example.com');
    expect(await codeOf(service.removeEmail(ada, 'ada@example.com'))).toBe('LAST_IDENTITY');
    await service.setUsername(ada, 'ada');
    await service.removeEmail(ada, 'ADA@example.com');
    expect(await codeOf(logIn('ada@example.com'))).toBe('INVALID_CREDENTIALS');
    const bob = await signUp({ email: 'ada@example.com' });
    expect((await logIn('ada@example.com')).user.id).toBe(bob);
    expect((await server.findUserById(ada))?.emails).toEqual([
      { address: 'pending@example.com', verified: false },
    ]);
    expect(await codeOf(service.removeEmail(ada, 'ada@example.com'))).toBe('EMAIL_NOT_FOUND');
  });
});

describe('a username', () => {
  test('can be set and changed, which frees the former one', async () => {
    const { service, signUp, logIn } = createAccounts();
    const ada = await signUp({ email: 'ada@example.com' });
    await service.setUsername(ada, 'Ada');
    await service.setUsername(ada, 'lovelace');
    expect((await logIn('LOVELACE')).user).toMatchObject({ id: ada, username: 'lovelace' });
    await service.createUser({ username: 'ada', password: PASSWORD });
    const bob = await service.findUserByUsername('ada');
    expect(bob?.id).not.toBe(ada);
    expect(await codeOf(service.setUsername(ada, 'ADA'))).toBe('USERNAME_TAKEN');
    await service.setUsername(ada, 'LoveLace');
    expect(await service.findUserByUsername('lovelace')).toMatchObject({ username: 'LoveLace' });
  });

  test('belongs to nobody else while its user shows it, however often it was changed at once', async () => {
    const { service, server, signUp, db } = createAccounts();
    const ada = await signUp({ username: 'one' });
    for (let round = 0; round < 10; round++) {
      const names = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'one' : 'two'));
      await Promise.all(names.map((name) => codeOf(service.setUsername(ada, name))));
      const shown = (await server.findUserById(ada))?.username ?? '';
      expect(await db.identities.find('username', shown)).toMatchObject({ userId: ada });
    }
  });

  test('goes to one of 20 who want it at once', async () => {
    const { service, signUp } = createAccounts();
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => signUp({ email: `user${n}@example.com` })),
    );
    const codes = await Promise.all(ids.map((id) => codeOf(service.setUsername(id, 'ada'))));
    expect(codes.filter((code) => code === 'not refused')).toHaveLength(1);
  });
});
