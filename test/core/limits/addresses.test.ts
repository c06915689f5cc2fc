import { describe, expect, test } from 'vitest';
import { networkOf } from '../../../src/core/limits/network.ts';
import { HOUR, MINUTE } from '../../../src/core/time.ts';
import { codeOf, createAccounts } from '../../accounts.ts';
import { atOnce, createGuessing, tally, times, told } from './guessing.ts';

const INVALID = 'INVALID_CREDENTIALS';

describe('S12 what of an address is counted', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::ffff:192.0.2.1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [null, 'unknown'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('S10 wrong guesses from one address', () => {
  /** At another account each time, so that no account is delayed. */
  const spread = async (options = {}) => {
    const guessing = await createGuessing(options);
    let count = 0;
    const from = (ip: string | null) => guessing.guess(`nobody${count++}`, { ip }, { remote: true });
    return { ...guessing, from };
  };

  test('are 100 in 15 minutes; the next is refused, and so is a right password, until they are over', async () => {
    const { from, enter, clock } = await spread();
    expect(tally(await times(100, () => from('192.0.2.1')))).toEqual({ [INVALID]: 100 });
    clock.pass(5 * MINUTE);
    expect(await from('192.0.2.1')).toBe('RATE_LIMITED 600');
    expect(await enter()).toBe('RATE_LIMITED 600');
    expect(await enter('ada', { ip: '192.0.2.2' })).toBe('in');
    clock.pass(10 * MINUTE);
    expect(await from('192.0.2.1')).toBe(INVALID);
    expect(await enter()).toBe('in');
  });

  test('are 100 also when 200 come at once', async () => {
    const { from } = await spread();
    expect(tally(await atOnce(200, () => from('192.0.2.1')))).toEqual({ [INVALID]: 100, RATE_LIMITED: 100 });
    expect(await from('192.0.2.1')).toMatch(/^RATE_LIMITED/);
  });

  test('S12 are those of a /64 network with IPv6, and of the IPv4 address that one stands for', async () => {
    const { from } = await spread();
    const six = await times(101, (n) => from(`2001:db8:0:1:${n.toString(16)}::${n.toString(16)}`));
    expect(tally(six)).toEqual({ [INVALID]: 100, RATE_LIMITED: 1 });
    expect(await from('2001:db8:0:2::1')).toBe(INVALID);
    const spellings = ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201'];
    const four = await times(102, (n) => from(spellings[n % 3] ?? null));
    expect(tally(four)).toEqual({ [INVALID]: 100, RATE_LIMITED: 2 });
  });

  test('S12 are limited also where the address is not known, and not for the application itself', async () => {
    const { from, guess } = await spread();
    expect(tally(await times(101, () => from(null)))).toEqual({ [INVALID]: 100, RATE_LIMITED: 1 });
    expect(await from('192.0.2.1')).toBe(INVALID);
    const own = await times(150, (n) => guess(`somebody${n}`, {}));
    expect(tally(own)).toEqual({ [INVALID]: 150 });
  });

  test('are not spent by right logins, nor by what is refused', async () => {
    const { from, enter, guess } = await spread();
    await times(150, () => enter());
    await times(150, () => guess());
    // Nine of those were verified.
    expect(tally(await times(92, () => from('192.0.2.1')))).toEqual({ [INVALID]: 91, RATE_LIMITED: 1 });
  });

  test('have the numbers of the options', async () => {
    const { from, clock } = await spread({
      rateLimits: { addressGuesses: 2, addressGuessWindow: MINUTE },
    });
    expect(await times(3, () => from('192.0.2.1'))).toEqual([INVALID, INVALID, 'RATE_LIMITED 60']);
    clock.pass(MINUTE);
    expect(await from('192.0.2.1')).toBe(INVALID);
  });
});

describe('S10 sign-ups and mails', () => {
  test('from one address are 30 an hour each, and the recipient’s are 5', async () => {
    const { service, clock } = createAccounts();
    const { Mutation = {} } = service.operations;
    const caller = (ip: string | null) => ({ connection: { ip, userAgent: null }, accessToken: null });
    const run = (field: string, args: object, ip: string | null = '192.0.2.1') =>
      told(Promise.resolve().then(() => Mutation[field]?.(args as never, caller(ip) as never)));
    let count = 0;
    const signUp = (ip?: string | null) =>
      run('createUser', { user: { username: `user${count++}`, password: 'correct horse battery' } }, ip);
    const mail = (ip?: string | null) =>
      run('sendResetPasswordEmail', { email: `x${count++}@example.com` }, ip);
    for (const ask of [signUp, mail]) {
      expect(tally(await times(31, () => ask()))).toEqual({ in: 30, RATE_LIMITED: 1 });
      expect(await ask()).toBe('RATE_LIMITED 3600');
      expect(await ask('192.0.2.2')).toBe('in');
      expect(tally(await times(31, () => ask(null)))).toEqual({ in: 30, RATE_LIMITED: 1 });
      clock.pass(HOUR);
      expect(await ask()).toBe('in');
    }
  });

  test('to one recipient are five an hour, in all spellings; the sixth is answered as the first and not sent', async () => {
    const { service, server, mails, signUp, clock } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    const spellings = ['ada@example.com', 'ADA@example.com', ' Ada@Example.com '];
    const send = async (email: string) => {
      const answer = await service.sendResetPasswordEmail(email);
      await server.settled();
      return answer;
    };
    const answers = await times(9, (n) => send(spellings[n % 3] ?? ''));
    answers.push(await send('nobody@example.com'));
    expect(new Set(answers)).toEqual(new Set([undefined]));
    expect(mails).toHaveLength(5);
    clock.pass(HOUR);
    await send('ada@example.com');
    expect(mails).toHaveLength(6);
  });

  test('to one recipient: without ambiguous errors the sixth is answered as for an unknown address', async () => {
    const { service, mails, server, signUp } = createAccounts({ ambiguousErrorMessages: false });
    await signUp({ email: 'ada@example.com' });
    const code = (email: string) => codeOf(service.sendResetPasswordEmail(email));
    expect(await times(6, () => code('ada@example.com'))).toEqual([
      ...Array(5).fill('not refused'),
      'USER_NOT_FOUND',
    ]);
    expect(await code('nobody@example.com')).toBe('USER_NOT_FOUND');
    await server.settled();
    expect(mails).toHaveLength(5);
  });

  test('to one recipient are five also where somebody adds the address again and again', async () => {
    const { service, server, mails, signUp } = createAccounts();
    const ada = await signUp({ username: 'ada' });
    await times(8, async () => {
      await service.addEmail(ada, 'victim@example.com');
      await server.settled();
      await service.removeEmail(ada, 'victim@example.com');
    });
    expect(mails.filter(({ to }) => to === 'victim@example.com')).toHaveLength(5);
  });

  test('that are notices do not count', async () => {
    const { service, server, mails, signUp } = createAccounts();
    await signUp({ email: 'ada@example.com' });
    const input = { email: 'ada@example.com', password: 'correct horse battery' };
    await times(7, () => service.createUser(input, {}));
    await server.settled();
    expect(mails).toHaveLength(7);
    await times(6, () => service.sendResetPasswordEmail('ada@example.com'));
    await server.settled();
    expect(mails).toHaveLength(12);
  });

  test('are not limited when rates are not', async () => {
    const { service, server, mails, signUp } = createAccounts({ rateLimits: false });
    await signUp({ email: 'ada@example.com' });
    await times(50, () => service.sendResetPasswordEmail('ada@example.com'));
    await server.settled();
    expect(mails).toHaveLength(50);
  });
});
