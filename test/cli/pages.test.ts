import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHttpServer, listen } from '../../src/cli/http/server.ts';
import { type LinkActions, linkPages } from '../../src/cli/pages/link-pages.ts';
import type { LoginResult } from '../../src/core/login.ts';
import { AccountsError } from '../../src/errors.ts';
import { type Program, startProgram } from '../program.ts';
import { ask, emailsOf, LOG_IN, PASSWORD, SIGN_UP, send, tokensOf } from './child.ts';

const NEW_PASSWORD = 'wrong donkey accumulator nail';
const TOKEN = 'abcdefghijabcdefghijabcdefghijabcdefghijabc';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the links of mails', () => {
  let program: Program;
  let number = 0;
  let email: string;
  beforeAll(async () => {
    program = await startProgram();
  });
  afterAll(() => program.stop());

  async function signUp(): Promise<void> {
    email = `ada${++number}@example.com`;
    await ask(program.url, SIGN_UP, { user: { email, password: PASSWORD } });
  }

  async function linkFor(page: string, request: string): Promise<string> {
    await ask(program.url, `mutation { ${request}(email: "${email}") }`);
    return `${program.origin}/${page}/${await program.linkTo(email, page)}`;
  }

  const logIn = (password: string) => ask(program.url, LOG_IN, { user: { email }, password });
  const set = (link: string, password: string, repetition = password) =>
    send(link, {
      method: 'POST',
      headers: FORM,
      body: new URLSearchParams({ password, repetition }).toString(),
    });

  test('S30 to look at a verification uses nothing up; the button does', async () => {
    await signUp();
    const link = await linkFor('verify-email', 'sendVerificationEmail');
    for (const method of ['GET', 'HEAD', 'GET']) expect((await send(link, { method })).status).toBe(200);
    expect((await logIn(PASSWORD)).data).toBeTruthy();
    expect(await isVerified()).toBe(false);

    const done = await send(link, { method: 'POST', headers: FORM });
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('is confirmed') });
    expect(await isVerified()).toBe(true);
    const again = await send(link, { method: 'POST', headers: FORM });
    expect(again).toMatchObject({ status: 404, text: expect.stringContaining('not valid') });
  });

  test('what is no browser presses the button without naming a type', async () => {
    await signUp();
    const link = await linkFor('magic-link', 'requestMagicLinkEmail');
    const done = await send(link, { method: 'POST' });
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('accounts:accessToken') });
  });

  test('S39 “This was not me” frees the address, and to look at the page does nothing', async () => {
    await signUp();
    const link = await linkFor('verify-email', 'sendVerificationEmail');
    const form = await send(link);
    expect(form.text).toContain('An account was made');
    expect(form.text).toContain(
      '<button class="other" name="answer" value="not-me">This was not me</button>',
    );
    const body = 'answer=not-me';
    const foreign = { ...FORM, 'sec-fetch-site': 'cross-site' };
    expect((await send(link, { method: 'POST', headers: foreign, body })).status).toBe(400);
    expect((await logIn(PASSWORD)).data?.authenticate).toBeTruthy();
    const done = await send(link, { method: 'POST', headers: FORM, body });
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('The address is free') });
    expect((await logIn(PASSWORD)).errors?.[0]?.extensions.code).toBe('INVALID_CREDENTIALS');
    expect((await send(link, { method: 'POST', headers: FORM, body })).status).toBe(404);
  });

  test('a reset sets the password, once', async () => {
    await signUp();
    const link = await linkFor('reset-password', 'sendResetPasswordEmail');
    const form = await send(link);
    expect(form.text).toContain('type="password"');
    expect(await set(link, NEW_PASSWORD)).toMatchObject({
      status: 200,
      text: expect.stringContaining('Your password is changed'),
    });
    expect((await logIn(PASSWORD)).errors?.[0]?.extensions.code).toBe('INVALID_CREDENTIALS');
    expect((await logIn(NEW_PASSWORD)).data?.authenticate).toBeTruthy();
    expect((await set(link, PASSWORD)).status).toBe(404);
  });

  test.each([
    ['too short', 'short', 'short', 'between 8 and 128 characters'],
    ['common', 'password123', 'password123', 'used so often'],
    ['not the same', NEW_PASSWORD, PASSWORD, 'not the same'],
    ['too long', 'x'.repeat(1025), 'x'.repeat(1025), 'between 8 and 128 characters'],
  ])(
    'a new password that is %s brings the form again, and the link stays good',
    async (_, first, second, told) => {
      await signUp();
      const link = await linkFor('reset-password', 'sendResetPasswordEmail');
      const again = await set(link, first, second);
      expect(again.status).toBe(422);
      expect(again.text).toContain(told);
      expect(again.text).toContain('<form method="post">');
      expect(again.text).not.toContain(first);
      expect((await set(link, NEW_PASSWORD)).status).toBe(200);
    },
  );

  test('a password is taken as typed', async () => {
    await signUp();
    const typed = ' +&=%20<"ä̈𝒳🐎> ';
    await set(await linkFor('reset-password', 'sendResetPasswordEmail'), typed);
    expect((await logIn(typed)).data?.authenticate).toBeTruthy();
  });

  test.each([
    '/verify-email/',
    '/verify-email',
    '/reset-password/short',
    `/enroll-account/${TOKEN}x`,
    `/verify-email/${TOKEN}/x`,
    `/verify-email/${encodeURIComponent('<script>alert(1)</script>')}`,
    `/verify-email/${TOKEN.slice(1)}%0a`,
  ])('%s is no valid link', async (path) => {
    const { status, text } = await send(program.origin + path);
    expect(status).toBe(404);
    expect(text).toContain('not valid');
    expect(text).not.toMatch(/<form|alert\(/);
  });

  test('a form of another site, of another type or too large is refused and uses nothing up', async () => {
    await signUp();
    const link = await linkFor('reset-password', 'sendResetPasswordEmail');
    const body = new URLSearchParams({ password: NEW_PASSWORD, repetition: NEW_PASSWORD }).toString();
    const refused = [
      send(link, { method: 'POST', headers: { ...FORM, 'sec-fetch-site': 'cross-site' }, body }),
      send(link, { method: 'POST', headers: { ...FORM, 'sec-fetch-site': 'same-site' }, body }),
      // Without TLS browsers tell nothing but this.
      send(link, { method: 'POST', headers: { ...FORM, origin: 'http://evil.example' }, body }),
      send(link, { method: 'POST', headers: { ...FORM, origin: 'no origin' }, body }),
      send(link, { method: 'POST', headers: { 'content-type': 'text/plain' }, body }),
    ];
    for (const { status } of await Promise.all(refused)) expect(status).toBe(400);
    const large = send(link, { method: 'POST', headers: FORM, body: `${body}&x=${'x'.repeat(10_240)}` });
    expect((await large).status).toBe(413);
    expect((await send(link, { method: 'PUT', headers: FORM, body })).status).toBe(405);
    const own = { ...FORM, 'sec-fetch-site': 'same-origin', origin: 'null' };
    expect((await send(link, { method: 'POST', headers: own, body })).status).toBe(200);
  });

  test('every page runs nothing, tells nobody where it was and stays in no cache', async () => {
    const form = { method: 'POST', headers: FORM, body: 'password=a&repetition=b' };
    const pages = await Promise.all([
      send(`${program.origin}/verify-email/${TOKEN}`),
      send(`${program.origin}/verify-email/${TOKEN}`, { method: 'POST', headers: FORM }),
      send(`${program.origin}/reset-password/${TOKEN}`, form),
      send(`${program.origin}/enroll-account/x`),
      send(`${program.origin}/magic-link/${TOKEN}`),
      send(`${program.origin}/magic-link/${TOKEN}`, { method: 'POST', headers: FORM }),
    ]);
    for (const { headers, text } of pages) {
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-type': 'text/html; charset=utf-8',
      });
      expect(text).not.toMatch(/<script|javascript:|\son\w+=|\b(src|href)=/);
      expect(text).not.toContain(TOKEN);
    }
  });

  async function isVerified(): Promise<boolean> {
    const { accessToken } = tokensOf(await logIn(PASSWORD));
    const [first] = await emailsOf(program.url, accessToken);
    return first?.verified === true;
  }
});

describe('what the accounts answer', () => {
  let close: () => void = () => {};
  afterEach(() => close());

  test.each([
    [new AccountsError('EMAIL_TAKEN'), 409, 'another account'],
    [new AccountsError('BUSY'), 503, 'did not work'],
    [new AccountsError('SERVICE_UNAVAILABLE'), 503, 'did not work'],
    [new Error('canary'), 500, 'did not work'],
  ])('%o', async (error, status, told) => {
    const reported: unknown[] = [];
    const origin = await serve({ verifyEmail: () => Promise.reject(error) }, reported);
    const answer = await send(`${origin}/verify-email/${TOKEN}`, { method: 'POST', headers: FORM });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(told);
    expect(answer.text).not.toContain('canary');
    expect(reported).toEqual(status === 500 ? [error] : []);
  });

  test('an enrolment sets the first password, also where the path of SITE_URL reaches the server', async () => {
    const set: string[][] = [];
    const origin = await serve({
      resetPassword: async (token, password) => void set.push([token, password]),
    });
    const body = new URLSearchParams({ password: PASSWORD, repetition: PASSWORD }).toString();
    for (const path of ['/accounts/enroll-account/', '/enroll-account/']) {
      const { status, text } = await send(origin + path + TOKEN, { method: 'POST', headers: FORM, body });
      expect(status).toBe(200);
      expect(text).toContain('Your password is set');
    }
    expect(set).toEqual([
      [TOKEN, PASSWORD],
      [TOKEN, PASSWORD],
    ]);
  });

  const LOGIN = {
    sessionId: '1',
    tokens: { accessToken: 'an-access"<token>', refreshToken: 'a-refresh-token' },
    user: { id: '1', username: null, emails: [{ address: '<b>@example.com', verified: true }] },
  } as unknown as LoginResult;
  const challenged = (challenge: string) =>
    new AccountsError('TWO_FACTOR_REQUIRED', undefined, {
      extensions: { challenge, factors: ['totp', 'recovery'] },
    });
  const post = (origin: string, body: object = {}, query = '') =>
    send(`${origin}/magic-link/${TOKEN}${query}`, {
      method: 'POST',
      headers: FORM,
      body: new URLSearchParams({ ...body }).toString(),
    });

  test('S30 a magic link shows a button, and logs in when it is pressed', async () => {
    const asked: unknown[] = [];
    const origin = await serve({
      logIn: async (...given) => {
        asked.push(given);
        return LOGIN;
      },
    });
    for (const method of ['GET', 'HEAD']) {
      const { status, text } = await send(`${origin}/magic-link/${TOKEN}`, { method });
      expect(status).toBe(200);
      if (method === 'GET') expect(text).toMatch(/<form method="post">\s*<button>Log in<\/button>/);
    }
    expect(asked).toEqual([]);
    const { status, text, headers } = await post(origin);
    expect(status).toBe(200);
    expect(asked).toEqual([['magicLink', { token: TOKEN }, { ip: null, userAgent: null }]]);
    expect(text).toContain('You are logged in');
    expect(text).toContain('As &#60;b&#62;@example.com.');
    expect(text).toContain('data-access-token="an-access&#34;&#60;token&#62;"');
    expect(text.match(/<script/g)).toHaveLength(1);
    const script = /<script[^>]*>([\s\S]*)<\/script>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(headers['content-security-policy']).toContain(`script-src 'sha256-${hash}';`);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    expect(JSON.stringify(headers)).not.toContain('token');
  });

  test('S34 a second factor is asked for in the same page, and a wrong code again', async () => {
    const asked: unknown[] = [];
    const answers = [
      () => Promise.reject(challenged('the-challenge')),
      () => Promise.reject(new AccountsError('INVALID_CODE')),
      () => Promise.reject(new AccountsError('RATE_LIMITED', undefined, { extensions: { retryAfter: 60 } })),
      () => Promise.reject(new AccountsError('INVALID_TOKEN')),
      async () => LOGIN,
    ];
    const origin = await serve({
      logIn: (service, params) => {
        asked.push([service, params]);
        return answers.shift()?.() ?? Promise.reject(new Error('too often'));
      },
    });
    const form = await post(origin);
    expect(form.status).toBe(200);
    expect(form.headers['content-security-policy']).not.toContain('script-src');
    expect(form.text).toContain('<input type="hidden" name="challenge" value="the-challenge">');
    expect(form.text).toContain('recovery codes');
    const sent = { challenge: 'the-challenge', factors: 'totp recovery', code: '123456' };
    const wrong = await post(origin, sent);
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('<p role="alert">The code is wrong');
    expect(wrong.text).toContain('value="the-challenge"');
    expect(wrong.text).toContain('recovery codes');
    expect(wrong.text).not.toContain('123456');
    const limited = await post(origin, sent);
    expect(limited).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
    expect(limited.text).toContain('value="the-challenge"');
    expect(await post(origin, sent)).toMatchObject({
      status: 404,
      text: expect.stringContaining('Begin again'),
    });
    expect((await post(origin, sent)).text).toContain('You are logged in');
    const second = ['twoFactor', { token: 'the-challenge', code: '123456' }];
    expect(asked).toEqual([['magicLink', { token: TOKEN }], second, second, second, second]);
  });

  test.each([
    ['INVALID_TOKEN', 404, 'not valid'],
    ['INVALID_CREDENTIALS', 403, 'You cannot log in'],
    ['LOGIN_REFUSED', 403, 'You cannot log in'],
    ['RATE_LIMITED', 429, 'Too many attempts'],
    ['TWO_FACTOR_REQUIRED', 403, 'needs a second factor'],
    ['SERVICE_UNAVAILABLE', 503, 'did not work'],
    ['SERVICE_NOT_FOUND', 500, 'did not work'],
  ] as const)('a magic link that ends in %s', async (code, status, told) => {
    const extensions = code === 'RATE_LIMITED' ? { retryAfter: 7 } : {};
    const error = new AccountsError(code, 'canary', { extensions });
    const origin = await serve({ logIn: () => Promise.reject(error) });
    const answer = await post(origin);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(told);
    expect(answer.text).not.toContain('canary');
    expect(answer.headers['retry-after']).toBe(code === 'RATE_LIMITED' ? '7' : undefined);
  });

  test.each([
    ['/diary?a=1&b=2', 'https://example.com/diary?a=1&#38;b=2'],
    ['https://example.com/diary', 'https://example.com/diary'],
    ['https://app.example.com', 'https://app.example.com/'],
    ['https://evil.example.com/', null],
    ['//evil.example.com/', null],
    ['/\\evil.example.com/', null],
    ['http://example.com/', null],
    ['https://example.com.evil.com/', null],
    ['https://example.com@evil.com/', null],
    ['https://ada@example.com/', null],
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['', 'https://example.com/accounts'],
  ])('the page of who is logged in leads on to %j: %j', async (returnTo, href) => {
    const origin = await serve({ logIn: async () => LOGIN });
    const { text } = await post(origin, {}, `?${new URLSearchParams({ returnTo })}`);
    if (href === null) expect(text).not.toMatch(/<a |evil|alert\(|ada/);
    else expect(text).toContain(`<a href="${href}">Continue</a>`);
  });

  async function serve(actions: Partial<LinkActions>, reported: unknown[] = []): Promise<string> {
    const pages = linkPages({
      actions: {
        verifyEmail: async () => {},
        rejectEmail: async () => {},
        resetPassword: async () => null,
        logIn: () => Promise.reject(new AccountsError('INVALID_TOKEN')),
        ...actions,
      },
      connectionOf: () => ({ ip: null, userAgent: null }),
      siteUrl: 'https://example.com/accounts',
      returnToOrigins: ['https://app.example.com'],
      report: (error) => reported.push(error),
    });
    const server = createHttpServer((req, res) => pages(req, res) || undefined);
    close = () => server.close();
    return `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
  }
});
