import { afterEach, describe, expect, test, vi } from 'vitest';
import { Background } from '../../src/core/background.ts';
import type { AccountsServerOptions, Mail } from '../../src/index.ts';
import { codeOf, createAccounts, PASSWORD } from '../accounts.ts';
import { turns, watchUnhandled } from './unhandled.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LINK = /^(\S+)\/verify-email\/([\w-]{43})$/m;

describe('work that goes on after the answer', () => {
  const start = () => {
    const reports: unknown[][] = [];
    return { reports, background: new Background((...report) => reports.push(report)) };
  };

  test('does not begin before the answer', async () => {
    const { background } = start();
    const order: string[] = [];
    background.run('a', async () => order.push('work'));
    await Promise.resolve();
    order.push('answer');
    await background.settled();
    expect(order).toEqual(['answer', 'work']);
  });

  test('goes on in the order in which it came, for one key, and side by side for others', async () => {
    const { background } = start();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    background.run('a', async () => {
      await gate.promise;
      order.push('a1');
    });
    background.run('a', async () => order.push('a2'));
    background.run('b', async () => order.push('b1'));
    background.run('a', async () => order.push('a3'));
    await turns();
    expect(order).toEqual(['b1']);
    expect(background.pending).toBe(3);
    gate.resolve();
    await background.settled();
    expect(order).toEqual(['b1', 'a1', 'a2', 'a3']);
    expect(background.pending).toBe(0);
  });

  test('goes on after a failure, which is reported', async () => {
    const unhandled = watchUnhandled();
    const { background, reports } = start();
    const done = vi.fn(async () => {});
    const failures = [new Error('first'), 'second', undefined];
    background.run('a', () => Promise.reject(failures[0]));
    background.run('a', () => failWith(failures[1]));
    background.run('a', () => Promise.reject(failures[2]));
    background.run('a', done);
    await background.settled();
    expect(done).toHaveBeenCalledTimes(1);
    expect(reports).toEqual(failures.map((failure) => [failure, 'work after the answer']));
    expect(unhandled).toEqual([]);
  });

  test('settles also what it has begun itself', async () => {
    const { background } = start();
    const order: number[] = [];
    const again = (left: number): void =>
      background.run('a', async () => {
        order.push(left);
        if (left > 0) again(left - 1);
      });
    again(3);
    await background.settled();
    expect(order).toEqual([3, 2, 1, 0]);
  });

  test('S57 is never more than 10,000 tasks: what is too much is dropped and reported, and later there is room', async () => {
    const { background, reports } = start();
    const gate = Promise.withResolvers<void>();
    let done = 0;
    for (let count = 0; count < 10_005; count++) {
      background.run(`key ${count % 100}`, async () => {
        await gate.promise;
        done++;
      });
    }
    expect(background.pending).toBe(10_000);
    expect(reports).toHaveLength(5);
    expect(reports[0]).toEqual([expect.any(Error), 'work after the answer was dropped']);
    gate.resolve();
    await background.settled();
    expect([done, background.pending]).toEqual([10_000, 0]);
    background.run('a', async () => done++);
    await background.settled();
    expect(done).toBe(10_001);
  });
});

describe('S58 a mailer that', () => {
  /** What the same calls answer, whatever the mailer does. */
  const answers = async (sendMail: AccountsServerOptions['sendMail']) => {
    const accounts = createAccounts({ sendMail }, { ...fast, sendVerificationEmailAfterSignup: true });
    const { service } = accounts;
    const calls = [
      () => service.createUser({ email: 'ada@example.com', password: PASSWORD }),
      () => service.createUser({ email: 'ada@example.com', password: PASSWORD }),
      () => service.sendVerificationEmail('ada@example.com'),
      () => service.sendResetPasswordEmail('ada@example.com'),
      () => service.sendResetPasswordEmail('nobody@example.com'),
    ];
    const results: unknown[] = [];
    for (const call of calls) results.push(await call().catch((error: unknown) => error));
    await turns(50);
    return { ...accounts, results };
  };
  const fast = {
    hashPassword: async (typed: string) => `plain ${typed}`,
    verifyPassword: async (typed: string, hash: string) => hash === `plain ${typed}`,
  };

  const mailers: [string, AccountsServerOptions['sendMail'], number][] = [
    ['never ends', () => new Promise(() => {}), 0],
    ['throws', () => failWith(new Error('SMTP is down')), 4],
    ['rejects', async () => failWith(new Error('SMTP is down')), 4],
    ['rejects with nothing', () => Promise.reject(), 4],
  ];
  for (const [name, sendMail, reports] of mailers) {
    test(`${name} changes no answer`, async () => {
      const unhandled = watchUnhandled();
      const good = await answers(() => {});
      const bad = await answers(sendMail);
      expect(bad.results).toEqual(good.results);
      expect(bad.errors).toHaveLength(reports);
      expect(bad.errors.every(({ where }) => where === 'work after the answer')).toBe(true);
      expect(unhandled).toEqual([]);
    });
  }

  test('never ends holds up the next mail to that address for half a minute, and no other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const sent: string[] = [];
    const sendMail = ({ to, subject }: Mail) => {
      sent.push(`${to}: ${subject}`);
      return sent.length === 1 ? new Promise(() => {}) : undefined;
    };
    const { service, signUp, errors } = createAccounts({ sendMail });
    await signUp({ email: 'ada@example.com' });
    await signUp({ email: 'grace@example.com' });
    for (const address of ['ada@example.com', 'ada@example.com', 'grace@example.com']) {
      await service.sendResetPasswordEmail(address);
    }
    await turns(50);
    expect(sent).toEqual(['ada@example.com: Reset your password', 'grace@example.com: Reset your password']);
    vi.advanceTimersByTime(30_000);
    await turns(50);
    expect(sent).toHaveLength(3);
    expect(errors).toEqual([{ error: new Error('sendMail did not finish'), where: 'work after the answer' }]);
    vi.advanceTimersByTime(60_000);
    await turns();
    expect(errors).toHaveLength(1);
  });

  test('is missing is missed once, and prints neither address nor link', async () => {
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { service, server, signUp } = createAccounts({ sendMail: undefined });
    await signUp({ email: 'ada@example.com' });
    for (let count = 0; count < 3; count++) await service.sendResetPasswordEmail('ada@example.com');
    await server.settled();
    expect(printed.mock.calls).toEqual([[expect.stringContaining('no sendMail option is given')]]);
    expect(JSON.stringify(printed.mock.calls)).not.toMatch(/ada@|reset-password/);
    // By each server that lacks it.
    const another = createAccounts({ sendMail: undefined });
    await another.signUp({ email: 'ada@example.com' });
    await another.service.sendResetPasswordEmail('ada@example.com');
    await another.server.settled();
    expect(printed).toHaveBeenCalledTimes(2);
  });
});

describe('a mail', () => {
  const mailOf = async (options: Partial<AccountsServerOptions> = {}): Promise<Mail | undefined> => {
    const { service, server, mails, signUp } = createAccounts(options);
    await signUp({ email: ' Ada@Example.com ' });
    await service.sendVerificationEmail('ada@example.com');
    await server.settled();
    return mails.at(-1);
  };

  test('goes to the address as it was written, with the link on a line of its own', async () => {
    const mail = await mailOf();
    expect(mail).toEqual({
      from: 'no-reply@localhost',
      to: 'Ada@Example.com',
      subject: 'Verify your e-mail address',
      text: expect.stringMatching(LINK),
      html: expect.stringMatching(/<a href="http:\/\/localhost:3000\/verify-email\/[\w-]{43}">/),
    });
  });

  test('S30 has a link below siteUrl, with its path and one slash', async () => {
    for (const [siteUrl, base] of [
      ['https://x.example', 'https://x.example'],
      ['https://x.example/', 'https://x.example'],
      ['https://x.example/app', 'https://x.example/app'],
      ['https://x.example/app//', 'https://x.example/app'],
      ['https://x.example/?', 'https://x.example'],
    ]) {
      expect((await mailOf({ siteUrl }))?.text.match(LINK)?.[1]).toBe(base);
    }
  });

  test('is written by the templates that are given, and by ours where they say nothing', async () => {
    const emailTemplates = {
      from: 'Us <us@example.com>',
      verifyEmail: {
        subject: (user: { emails: { address: string }[] }) => `For ${user.emails[0]?.address}`,
        html: undefined,
      },
      resetPassword: { from: 'Help <help@example.com>', text: (_: unknown, url: string) => `<${url}>` },
    };
    const mail = await mailOf({ emailTemplates });
    expect(mail).toMatchObject({ from: 'Us <us@example.com>', subject: 'For Ada@Example.com' });
    expect(mail?.text).toMatch(LINK);
    expect(mail?.html).toContain('<a href=');
    const { service, server, mails, signUp } = createAccounts({ emailTemplates });
    await signUp({ email: 'ada@example.com' });
    await service.sendResetPasswordEmail('ada@example.com');
    await server.settled();
    expect(mails).toMatchObject([{ from: 'Help <help@example.com>', subject: 'Reset your password' }]);
    expect(mails[0]?.text).toMatch(/^<http:\/\/localhost:3000\/reset-password\/[\w-]{43}>$/);
  });

  test('comes from the host of siteUrl, and is text alone where only the text is given', async () => {
    const verifyEmail = { text: (_: unknown, url: string) => `go ${url}` };
    const options = { siteUrl: 'https://shop.example/accounts', emailTemplates: { verifyEmail } };
    const { service, server, signUp, mails } = createAccounts(options);
    await signUp({ email: 'ada@example.com' });
    await service.sendVerificationEmail('ada@example.com');
    await server.settled();
    expect(mails[0]).toMatchObject({
      from: 'no-reply@shop.example',
      text: expect.stringMatching(/^go https/),
    });
    expect(mails[0]?.html).toBeUndefined();
  });

  test('is made by prepareMail, which gets the arguments of accounts-js', async () => {
    for (const asynchronous of [false, true]) {
      const asked: unknown[][] = [];
      const made = { from: 'x', to: 'y', subject: 'z', text: 'made by hand' };
      const { service, server, mails, signUp } = createAccounts({
        emailTemplates: { from: 'Us <us@example.com>', verifyEmail: { subject: () => 'Hello' } },
        userObjectSanitizer: (user) => ({ ...user, profile: { seen: true } }),
        prepareMail: (...args: unknown[]) => {
          asked.push(args);
          return asynchronous ? Promise.resolve(made) : made;
        },
      });
      const id = await signUp({ email: 'Ada@example.com' });
      await service.sendVerificationEmail('ada@example.com');
      await service.changePassword(id, PASSWORD, 'a quite different passphrase');
      await server.settled();
      const user = expect.objectContaining({ id, profile: { seen: true } });
      const words = { subject: expect.any(Function), text: expect.any(Function), html: expect.any(Function) };
      const sorted = asked.toSorted((one, other) => String(other[3]).localeCompare(String(one[3])));
      expect(sorted).toEqual([
        [
          'Ada@example.com',
          expect.stringMatching(/^[\w-]{43}$/),
          user,
          'verify-email',
          words,
          'Us <us@example.com>',
        ],
        ['Ada@example.com', '', user, '', words, 'Us <us@example.com>'],
      ]);
      const subjects = asked.map((args) => (args[4] as { subject(): string }).subject());
      expect(subjects).toContain('Hello');
      expect(mails).toEqual([made, made]);
    }
  });

  test('whose template or prepareMail throws is not sent, and that is reported', async () => {
    for (const options of [
      { prepareMail: () => failWith(new Error('no words')) },
      { emailTemplates: { verifyEmail: { text: () => failWith(new Error('no words')) } } },
    ] as Partial<AccountsServerOptions>[]) {
      const { service, server, mails, errors, signUp } = createAccounts(options);
      await signUp({ email: 'ada@example.com' });
      expect(await codeOf(service.sendVerificationEmail('ada@example.com'))).toBe('not refused');
      await server.settled();
      expect(mails).toEqual([]);
      expect(errors).toEqual([{ error: new Error('no words'), where: 'work after the answer' }]);
    }
  });
});

describe('emailTemplates', () => {
  const making = (emailTemplates: unknown) => () =>
    createAccounts({ emailTemplates } as Partial<AccountsServerOptions>);

  test('refuse a mail that nobody sends, and name those that there are', () => {
    for (const name of ['verifyemail', 'verify', 'magicLnk', 'constructor', 'toString']) {
      expect(making({ [name]: {} })).toThrow(TypeError);
      expect(making({ [name]: {} })).toThrow(/verifyEmail, resetPassword, enrollAccount/);
    }
    expect(making(JSON.parse('{"__proto__":{}}'))).toThrow(TypeError);
  });

  test('refuse what would break a mail when it is due', () => {
    for (const template of [
      ...['Hello', 7, null, true, () => 'Hello', { subject: 'Hello' }, { text: 'Hello' }, { html: '<b>' }],
      ...[{ from: () => 'x' }, { from: 7 }, { subject: null }, { body: () => 'x' }, { Subject: () => 'x' }],
    ]) {
      expect(making({ verifyEmail: template })).toThrow(TypeError);
    }
    for (const from of [7, null, {}, () => 'x']) expect(making({ from })).toThrow(TypeError);
    for (const wrong of ['x', 7, null, true]) expect(making(wrong)).toThrow(TypeError);
  });

  test('may say nothing', () => {
    expect(making({})).not.toThrow();
    expect(making({ from: undefined, verifyEmail: undefined })).not.toThrow();
    expect(making({ verifyEmail: {}, resetPassword: { subject: undefined } })).not.toThrow();
  });
});

function failWith(error: unknown): never {
  throw error;
}
