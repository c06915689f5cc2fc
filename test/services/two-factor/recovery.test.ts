import { describe, expect, test } from 'vitest';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { codeOf } from '../../accounts.ts';
import { newPath } from '../../database/fixtures/paths.ts';
import { type Accounts, codeAt, createTwoFactor, STEP, tally } from './accounts.ts';

async function begin(accounts: Accounts = createTwoFactor()) {
  const person = await accounts.enrolled('ada');
  const codes = await accounts.generate(person.token);
  const enter = async (code: string) => (await accounts.logIn('ada', { code })).code;
  return { ...accounts, ...person, codes, enter };
}

const LOW = 'You have two recovery codes left';

describe('S35 recovery codes', () => {
  test('are ten, all different, of 64 bits or more, and none lies readable in the database', async () => {
    const { codes, db, id, token, generate } = await begin();
    expect(codes).toHaveLength(10);
    const all = [...codes, ...(await generate(token))];
    expect(new Set(all).size).toBe(20);
    for (const code of all) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    const stored = JSON.stringify(await db.identities.findByUser(id)).toUpperCase();
    for (const code of all)
      for (const part of [code, code.replaceAll('-', '')]) expect(stored).not.toContain(part);
  });

  test('take the place of the authenticator once each, in one step and in two', async () => {
    const { codes, enter, logIn, authenticate, server } = await begin();
    const [first = '', second = ''] = codes;
    const { accessToken } = await logIn('ada', { code: first });
    expect((await server.resumeLiveSession(accessToken)).session.amr).toEqual(['pwd', 'recovery', 'mfa']);
    expect(await enter(first)).toBe('INVALID_CODE');
    const { challenge } = await logIn('ada');
    expect((await authenticate('twoFactor', { token: challenge, code: second })).code).toBe(null);
    expect(await enter(second)).toBe('INVALID_CODE');
  });

  test.each([
    ['in lower case', (code: string) => code.toLowerCase()],
    ['without dashes', (code: string) => code.replaceAll('-', '')],
    ['with spaces', (code: string) => ` ${code.replaceAll('-', ' ')}\n`],
    ['with the dashes of a word processor', (code: string) => code.replaceAll('-', '–')],
    ['with letters for digits', (code: string) => code.replaceAll('0', 'o').replaceAll('1', 'l')],
  ])('may be typed %s', async (_how, typed) => {
    const { codes, enter } = await begin();
    for (const code of codes.slice(0, 4)) expect(await enter(typed(code))).toBe(null);
  });

  test.each([
    ['memory', undefined],
    ['SQLite', () => sqliteDatabase(newPath())],
  ])('are used once by 16 at once, on %s', async (_store, open) => {
    const { codes, enter } = await begin(createTwoFactor(open ? { options: { db: open() } } : {}));
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => enter(codes[0] ?? '')));
    expect(tally(outcomes).null).toBe(1);
  });

  test('are each used once when all are used at once', async () => {
    const { codes, server, id } = await begin(createTwoFactor({ options: { rateLimits: false } }));
    const enter = async (code: string) => {
      const { challenge } = await server
        .loginWithUser({ id }, { ip: `192.0.2.${Math.trunc(codes.indexOf(code))}` })
        .catch((error) => error.extensions);
      return codeOf(server.loginWithService('twoFactor', { token: challenge, code }));
    };
    const outcomes = await Promise.all([...codes, ...codes].map((code) => enter(code)));
    expect(tally(outcomes)['not refused']).toBe(10);
  });

  test('new ones void the old ones, and are shown this once', async () => {
    const { codes, generate, token, enter } = await begin();
    const [renewed = ''] = await generate(token);
    for (const code of codes.slice(0, 3)) expect(await enter(code)).toBe('INVALID_CODE');
    expect(await enter(renewed)).toBe(null);
  });

  test('of 16 who make new ones at once, those of one count', async () => {
    const { generate, token, server, id } = await begin(createTwoFactor({ options: { rateLimits: false } }));
    const sets = await Promise.all(Array.from({ length: 16 }, () => generate(token)));
    const outcomes = [];
    for (const [code = ''] of sets) {
      const { challenge } = await server.loginWithUser({ id }).catch((error) => error.extensions);
      outcomes.push(await codeOf(server.loginWithService('twoFactor', { token: challenge, code })));
    }
    expect(tally(outcomes)).toEqual({ 'not refused': 1, INVALID_CODE: 15 });
  });

  test('the owner gets a mail when two are left, once', async () => {
    const { codes, enter, mailsTo } = await begin();
    for (const code of codes.slice(0, 7)) expect(await enter(code)).toBe(null);
    expect(await mailsTo('ada')).not.toContain(LOW);
    expect(await enter(codes[7] ?? '')).toBe(null);
    expect((await mailsTo('ada')).filter((subject) => subject === LOW)).toHaveLength(1);
    for (const code of codes.slice(8)) expect(await enter(code)).toBe(null);
    expect((await mailsTo('ada')).filter((subject) => subject === LOW)).toHaveLength(1);
  });

  test('are named whether or not there are any left: that is no business of whoever has one factor only', async () => {
    const { codes, enter, logIn } = await begin();
    for (const code of codes) expect(await enter(code)).toBe(null);
    expect((await logIn('ada')).factors).toEqual(['totp', 'recovery']);
  });

  test('the owner is told when new ones are made', async () => {
    const { mailsTo } = await begin();
    expect(await mailsTo('ada')).toContain('You have new recovery codes');
  });

  test('count for the enrolment for which they were made, also where their removal was cut off', async () => {
    const { codes, enter, unset, newSecret, set, token, code, clock, db, id } = await begin();
    const left = await db.identities.find('recovery', id);
    if (!left) throw new Error('there are no codes');
    await unset(token, code());
    await set(token, codeAt(await newSecret(token), clock.now()));
    await db.identities.insert(left);
    expect(await enter(codes[0] ?? '')).toBe('INVALID_CODE');
  });

  test('are of their user', async () => {
    const { codes, enrolled, logIn } = await begin();
    await enrolled('mallory');
    expect((await logIn('mallory', { code: codes[0] ?? '' })).code).toBe('INVALID_CODE');
  });

  test('that were copied into the record of another user open nothing there', async () => {
    const { codes, enrolled, generate, logIn, db, id } = await begin();
    const mallory = await enrolled('mallory');
    await generate(mallory.token);
    const [mine, theirs] = [
      await db.identities.find('recovery', id),
      await db.identities.find('recovery', mallory.id),
    ];
    if (!mine || !theirs) throw new Error('there are no codes');
    await db.identities.update({ ...theirs, data: { ...theirs.data, codes: mine.data.codes ?? null } });
    expect((await logIn('mallory', { code: codes[0] ?? '' })).code).toBe('INVALID_CODE');
  });

  test('are put back when the session that asks for new ones has ended meanwhile', async () => {
    const { codes, service, id, enter, server } = await begin();
    const stillThere = () => Promise.reject(new Error('the session has ended'));
    expect(await codeOf(service.generateRecoveryCodes(id, { stillThere }))).toBe('INTERNAL_SERVER_ERROR');
    await server.settled();
    expect(await enter(codes[0] ?? '')).toBe(null);
  });

  test('a login by one that is void by the time it is done gives no session', async () => {
    const { codes, enter, server, service, id } = await begin();
    const stop = server.on('ValidateLogin', () => service.generateRecoveryCodes(id));
    expect(await enter(codes[0] ?? '')).toBe('INVALID_CREDENTIALS');
    stop();
  });

  test('an empty code, as forms send it, is as good as no code: the factor is outstanding', async () => {
    const { enter } = await begin();
    expect(await enter('')).toBe('TWO_FACTOR_REQUIRED');
  });

  test.each([' ', '----', 'AAAA-AAAA-AAAA-AAAA', '__proto__', 'A'.repeat(65), '\u0000'])(
    '%j is none',
    async (code) => {
      const { enter } = await begin();
      expect(await enter(code)).toBe('INVALID_CODE');
    },
  );

  test('events tell who made them', async () => {
    const { generate, token, server, id, service } = await begin();
    const events: unknown[] = [];
    server.on('GenerateRecoveryCodesSuccess', ({ user }) => events.push(user.id));
    server.on('GenerateRecoveryCodesError', ({ userId, error }) => events.push([userId, error.code]));
    await generate(token);
    await service.generateRecoveryCodes('nobody').catch(() => {});
    expect(events).toEqual([id, ['nobody', 'USER_NOT_FOUND']]);
  });
});

test('S46 no secret and no code is in an event, an error or a log', async () => {
  const accounts = createTwoFactor();
  const told: unknown[] = [];
  const names = [
    'LoginSuccess',
    'LoginError',
    'TwoFactorSetSuccess',
    'TwoFactorSetError',
    'TwoFactorUnsetSuccess',
    'TwoFactorUnsetError',
    'GenerateRecoveryCodesSuccess',
  ] as const;
  for (const name of names) accounts.server.on(name, (event) => told.push([name, event]));
  const { token, secret, code } = await accounts.enrolled('ada');
  const codes = await accounts.generate(token);
  const challenge = (await accounts.logIn('ada')).challenge;
  const answers = [
    await accounts.logIn('ada', { code: codes[0] ?? '' }),
    await accounts.unset(token, 'AAAA-AAAA-AAAA-AAAA'),
    await accounts.set(token, code()),
  ];
  const used = code();
  await accounts.logIn('ada', { code: used });
  accounts.clock.pass(STEP);
  await accounts.unset(token, codes[1] ?? '');
  const text = JSON.stringify([
    told,
    accounts.errors,
    answers.map((answer) => ({ ...answer, accessToken: '', refreshToken: '' })),
    await accounts.mailsTo('ada'),
    accounts.mails,
  ]);
  expect(told.length).toBeGreaterThan(5);
  for (const canary of [secret, challenge, ...codes]) expect(text).not.toContain(canary);
  expect(JSON.stringify(told)).not.toContain(used);
});
