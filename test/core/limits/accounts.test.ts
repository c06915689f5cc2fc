import { describe, expect, test } from 'vitest';
import { DAY, MINUTE, SECOND } from '../../../src/core/time.ts';
import { memoryDatabase } from '../../../src/database/memory/index.ts';
import type { AccountsService, ServiceFactory } from '../../../src/index.ts';
import { AccountsError, AccountsServer, password } from '../../../src/index.ts';
import { createClock, fastHashes, PASSWORD, SECRET } from '../../accounts.ts';
import { atOnce, createGuessing, tally, times, told, WRONG } from './guessing.ts';

const INVALID = 'INVALID_CREDENTIALS';

describe('S10 wrong guesses at one account', () => {
  for (const [who, user] of [
    ['somebody', 'ada'],
    ['nobody', 'nobody-has-this-name'],
    ['an address that nobody has', 'nobody@example.com'],
    ['an id that nobody has', { id: 'no-such-id' }],
  ] as const) {
    test(`of ${who}: nine are verified, the tenth waits a minute, and each later one twice as long up to 15`, async () => {
      const { guess, guesses, clock } = await createGuessing();
      expect(await times(9, () => guess(user))).toEqual(Array(9).fill(INVALID));
      // Where there is nothing to verify, a hash is made in its place (S8).
      expect(guesses.verified).toBe(user === 'ada' ? 9 : 0);
      for (const minutes of [1, 2, 4, 8, 15, 15, 15]) {
        expect(await guess(user)).toBe(`RATE_LIMITED ${minutes * 60}`);
        clock.pass(minutes * MINUTE - SECOND);
        expect(await guess(user)).toBe('RATE_LIMITED 1');
        clock.pass(SECOND);
        expect(await guess(user)).toBe(INVALID);
      }
      expect(guesses.verified).toBe(user === 'ada' ? 16 : 0);
    });
  }

  test('are refused while the account is delayed also where they are right, and let in when that has ended', async () => {
    const { guess, enter, clock } = await createGuessing();
    await times(9, () => guess());
    expect(await enter()).toBe('RATE_LIMITED 60');
    clock.pass(MINUTE);
    expect(await enter()).toBe('in');
  });

  test('are forgotten by a login, which spends nothing itself', async () => {
    const { guess, enter, clock } = await createGuessing();
    await times(20, () => enter());
    for (let round = 0; round < 3; round++) {
      expect(await times(8, () => guess())).toEqual(Array(8).fill(INVALID));
      expect(await enter()).toBe('in');
    }
    await times(9, () => guess());
    clock.pass(MINUTE);
    expect(await guess()).toBe(INVALID);
    clock.pass(2 * MINUTE);
    // By the guess that a delay lets through as well, and with it how long the delays are.
    expect(await enter()).toBe('in');
    expect(await times(10, () => guess())).toEqual([...Array(9).fill(INVALID), 'RATE_LIMITED 60']);
  });

  test('are forgotten after a day', async () => {
    const { guess, clock } = await createGuessing();
    await times(9, () => guess());
    clock.pass(MINUTE);
    await guess();
    clock.pass(DAY);
    expect(await times(10, () => guess())).toEqual([...Array(9).fill(INVALID), 'RATE_LIMITED 60']);
  });

  test('are one account in all its spellings', async () => {
    const { guess, guesses, ada } = await createGuessing();
    const spellings = [
      'ada',
      'ADA',
      'ada@example.com',
      ' Ada@Example.COM',
      { id: ada },
      { email: 'ADA@example.com' },
      { username: 'aDa' },
      { username: 'ａｄａ' },
    ];
    const answers = await times(16, (n) => guess(spellings[n % spellings.length]));
    expect(tally(answers)).toEqual({ [INVALID]: 9, RATE_LIMITED: 7 });
    expect(guesses.verified).toBe(9);
  });

  test('are one account in all spellings of a name that nobody has', async () => {
    const { guess } = await createGuessing();
    const spellings = ['eve@example.com', 'EVE@example.com', { email: ' Eve@Example.com' }];
    expect(tally(await times(12, (n) => guess(spellings[n % 3])))).toEqual({ [INVALID]: 9, RATE_LIMITED: 3 });
  });

  test('of one account delay no other', async () => {
    const { guess, enter, signUp } = await createGuessing();
    await signUp({ username: 'grace' });
    await times(12, () => guess());
    expect(await guess('grace')).toBe(INVALID);
    expect(await enter('grace')).toBe('in');
  });

  test('S7 of a deactivated account count as those of any other, the right password among them', async () => {
    const { enter, server, ada } = await createGuessing();
    await server.deactivateUser(ada);
    expect(tally(await times(12, () => enter()))).toEqual({ [INVALID]: 9, RATE_LIMITED: 3 });
  });

  test('by verifyAuthentication and changePassword are of the same budget', async () => {
    const { guess, server, service, ada, guesses } = await createGuessing();
    await times(3, () => guess());
    const params = { user: 'ada', password: WRONG };
    await times(3, () => told(server.authenticateWithService('password', params)));
    await times(3, () => told(service.changePassword(ada, WRONG, 'a quite different passphrase')));
    expect(guesses.verified).toBe(9);
    expect(await guess()).toMatch(/^RATE_LIMITED/);
    expect(await told(service.changePassword(ada, PASSWORD, 'a quite different passphrase'))).toMatch(
      /^RATE_LIMITED/,
    );
    expect(guesses.verified).toBe(9);
  });

  test('have the numbers of the options', async () => {
    const rateLimits = { accountGuesses: 2, accountDelay: 10 * SECOND, accountMaxDelay: 25 * SECOND };
    const { guess, clock } = await createGuessing({ rateLimits });
    expect(await times(3, () => guess())).toEqual([INVALID, INVALID, 'RATE_LIMITED 10']);
    for (const seconds of [20, 25, 25]) {
      clock.pass(seconds * SECOND);
      await guess();
      expect(await guess()).toBe(`RATE_LIMITED ${seconds}`);
    }
    const strict = await createGuessing({ rateLimits: { accountGuesses: 1, accountDelay: 1_001 } });
    expect(await times(2, () => strict.guess())).toEqual([INVALID, 'RATE_LIMITED 2']);
  });

  test('are not limited when rates are not', async () => {
    const { guess, guesses } = await createGuessing({ rateLimits: false });
    await times(200, () => guess());
    expect(guesses.verified).toBe(200);
  });
});

describe('S10 a burst', () => {
  test('of 100 wrong guesses at once stays in the budget, in whatever spelling', async () => {
    const { guess, guesses, ada } = await createGuessing();
    const spellings = ['ada', 'ADA', 'ada@example.com', { id: ada }];
    const answers = await atOnce(100, (n) => guess(spellings[n % 4]));
    expect(tally(answers)).toEqual({ [INVALID]: 9, RATE_LIMITED: 91 });
    expect(guesses.verified).toBe(9);
  });

  test('of 100 at once, when the delay has ended, has one verified, and the next delay is twice as long', async () => {
    const { guess, guesses, clock } = await createGuessing();
    await atOnce(100, () => guess());
    clock.pass(MINUTE);
    expect(tally(await atOnce(50, () => guess()))).toEqual({ [INVALID]: 1, RATE_LIMITED: 49 });
    expect(guesses.verified).toBe(10);
    expect(await guess()).toBe('RATE_LIMITED 120');
  });

  test('of right logins of one user all succeed, also after wrong guesses', async () => {
    const { enter, guess } = await createGuessing();
    expect(tally(await atOnce(200, () => enter()))).toEqual({ in: 200 });
    await times(7, () => guess());
    expect(tally(await atOnce(50, () => enter()))).toEqual({ in: 50 });
    expect(await times(10, () => guess())).toEqual([...Array(9).fill(INVALID), 'RATE_LIMITED 60']);
  });

  test('of right logins of 500 users from one address all succeed, with wrong ones among them', async () => {
    const { enter, guess, signUp } = await createGuessing();
    await times(500, (n) => signUp({ username: `user${n}` }));
    const answers = await atOnce(500, (n) => (n % 10 === 0 ? guess : enter)(`user${n}`));
    expect(tally(answers)).toEqual({ in: 450, [INVALID]: 50 });
  });
});

describe('S10 a known device', () => {
  test('has a budget of its own: a stranger does not shut the owner out', async () => {
    const { enter, guess, attempt, clock } = await createGuessing();
    const { tokens } = await attempt('ada', PASSWORD);
    const proof = { accessToken: tokens.accessToken };
    await times(30, () => guess());
    expect(await enter()).toMatch(/^RATE_LIMITED/);
    expect(await enter('ada', undefined, proof)).toBe('in');
    // A login is a login: what was wrong before it is forgotten.
    expect(await enter()).toBe('in');
    clock.pass(20 * MINUTE);
    // The access token has expired by now; the session lives.
    await times(30, () => guess());
    expect(await enter('ada', undefined, proof)).toBe('in');
  });

  test('is limited as well, and spends nothing of what others have', async () => {
    const { guess, attempt } = await createGuessing();
    const { tokens } = await attempt('ada', PASSWORD);
    const proof = { accessToken: tokens.accessToken };
    const answers = await times(12, () => guess('ada', undefined, proof));
    expect(tally(answers)).toEqual({ [INVALID]: 9, RATE_LIMITED: 3 });
    expect(await guess()).toBe(INVALID);
  });

  test('is none whose session has ended, is another user’s or an impersonator’s, and none with a made-up token', async () => {
    const { guess, attempt, server, signUp, ada } = await createGuessing({
      impersonationAuthorize: () => true,
    });
    await signUp({ username: 'eve' });
    const ended = await attempt('ada', PASSWORD);
    await server.logout(ended.tokens.accessToken);
    const eve = await attempt('eve', PASSWORD);
    const asAda = await server.impersonate(eve.tokens.accessToken, { userId: ada });
    const { accessToken, refreshToken } = (await attempt('ada', PASSWORD)).tokens;
    const noProofs = [
      ended.tokens.accessToken,
      eve.tokens.accessToken,
      asAda.tokens.accessToken,
      refreshToken,
    ];
    const [header, payload] = accessToken.split('.');
    const tokens = [...noProofs, `${header}.${payload}.AAAA`, 'x', '', null];
    const answers = await times(16, (n) => guess('ada', undefined, { accessToken: tokens[n % 8] }));
    expect(tally(answers)).toEqual({ [INVALID]: 9, RATE_LIMITED: 7 });
  });
});

describe('S10 what is no wrong guess', () => {
  /** Says what it is told to, once it has spent a guess. */
  const saying = (code: () => ConstructorParameters<typeof AccountsError>[0] | null) => {
    const factory: ServiceFactory<AccountsService> = {
      create: ({ users }) => ({
        async authenticate(_params, _connection, { guesses }) {
          const user = await users.findByReference({ username: 'ada' });
          if (!user) throw new AccountsError('USER_NOT_FOUND');
          await guesses.spend({ userId: user.id });
          const refusal = code();
          if (refusal) throw new AccountsError(refusal);
          return { user };
        },
      }),
    };
    return factory;
  };

  async function start() {
    let code: Parameters<typeof saying>[0] = () => null;
    const clock = createClock();
    const db = memoryDatabase();
    const server = new AccountsServer(
      { db, tokenSecret: SECRET, now: clock.now, onError: () => {} },
      { password: password(fastHashes), odd: saying(() => code()) },
    );
    await server.services.password.createUser({ username: 'ada', password: PASSWORD });
    const from = { ip: '192.0.2.1' };
    const odd = () => told(server.loginWithService('odd', {}, from));
    const guess = () => told(server.loginWithService('password', { user: 'ada', password: WRONG }, from));
    const enrol = async () => {
      const user = await server.services.password.findUserByUsername('ada');
      const userId = user?.id ?? '';
      const identity = { service: 'totp', subject: userId, userId, version: 1, data: {}, createdAt: 0 };
      await db.identities.insert(identity);
    };
    const say = (value: typeof code): void => {
      code = value;
    };
    return { server, clock, odd, guess, enrol, say };
  }

  test('is given back: neither it nor a first factor without the second spends or resets anything', async () => {
    const { odd, guess, say, enrol } = await start();
    await times(8, () => guess());
    for (const code of [
      'LOGIN_REFUSED',
      'EMAIL_NOT_VERIFIED',
      'BUSY',
      'SERVICE_UNAVAILABLE',
      'FORBIDDEN',
    ] as const) {
      say(() => code);
      expect(await times(20, odd)).toEqual(Array(20).fill(code));
    }
    say(() => null);
    await enrol();
    expect(await times(20, odd)).toEqual(Array(20).fill('TWO_FACTOR_REQUIRED'));
    // The ninth, and no more.
    expect(await guess()).toBe(INVALID);
    expect(await odd()).toBe('RATE_LIMITED 60');
    expect(await guess()).toBe('RATE_LIMITED 60');
  });

  test('leaves an open gate open', async () => {
    const { odd, guess, say, clock } = await start();
    await times(9, () => guess());
    clock.pass(MINUTE);
    say(() => 'LOGIN_REFUSED');
    expect(await times(5, odd)).toEqual(Array(5).fill('LOGIN_REFUSED'));
    expect(await guess()).toBe(INVALID);
    expect(await guess()).toBe('RATE_LIMITED 120');
  });

  test('S11 every service spends from the account’s budget, by each of its refusals that tell of a wrong guess', async () => {
    const { odd, guess, say } = await start();
    const codes = ['INVALID_CODE', 'INVALID_TOKEN', 'INVALID_CREDENTIALS'] as const;
    for (const code of codes) {
      say(() => code);
      await times(2, odd);
    }
    await times(3, () => guess());
    expect(await guess()).toBe('RATE_LIMITED 60');
    expect(await odd()).toBe('RATE_LIMITED 60');
  });
});
