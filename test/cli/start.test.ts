import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { printed } from '../program.ts';
import { ask, Bench, emailsOf, LOG_IN, PASSWORD, SIGN_UP, send, tokensOf } from './child.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const SECRET = 'a secret of the tests that is long enough';
const user = { email: 'ada@example.com', password: PASSWORD };

test('a first start with nothing configured says what one wants to know, and its operation works', async () => {
  const { url, output, stop } = await bench.start();
  expect(output()).toContain(`data:  ${join(bench.folder, 'data', 'accounts.db')}`);
  expect(output()).toContain('mails: printed here');
  const [operation = ''] = /^mutation \{[\s\S]+?^\}/m.exec(output()) ?? [];
  expect(await ask(url, operation)).toMatchObject({ status: 200, data: { createUser: { userId: null } } });
  expect(await stop()).toBe(0);

  // What it made is for nobody else on this machine.
  const data = join(bench.folder, 'data');
  expect(statSync(data).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(data)) expect(statSync(join(data, name)).mode & 0o777).toBe(0o600);
  expect(readdirSync(data).sort()).toEqual(['accounts.db', 'accounts.db.token-secret']);
});

test('users and sessions are there after a restart', async () => {
  const first = await bench.start();
  await ask(first.url, SIGN_UP, { user });
  const accessToken = await logIn(first.url);
  await first.stop();

  const second = await bench.start();
  expect(await whoIs(second.url, accessToken)).toEqual('ada@example.com');
});

test('processes that start at once on a missing file agree on one token secret', async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => bench.start({ STATELESS: '1' })));
  const [first] = servers;
  if (!first) throw new Error('no server');
  await ask(first.url, SIGN_UP, { user });
  const accessToken = await logIn(first.url);
  const known = await Promise.all(servers.map(({ url }) => whoIs(url, accessToken)));
  expect(known).toEqual(Array(4).fill('ada@example.com'));
  expect(readdirSync(join(bench.folder, 'data')).filter((name) => name.includes('secret'))).toHaveLength(1);
});

test('a database in memory keeps nothing, and no file is made', async () => {
  const { url } = await bench.start({ DATABASE_URL: 'sqlite::memory:' });
  await ask(url, SIGN_UP, { user });
  expect(await whoIs(url, await logIn(url))).toBe('ada@example.com');
  expect(readdirSync(bench.folder)).toEqual([]);
});

test('mails are printed with the link on a line of its own, under SITE_URL whatever the Host header says', async () => {
  const { child, url, output } = await bench.start({ SITE_URL: 'https://example.com/accounts/' });
  await ask(url, SIGN_UP, { user });
  const headers = {
    'content-type': 'application/json',
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
  };
  const query = 'mutation { sendVerificationEmail(email: "ada@example.com") }';
  await send(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  await printed(child, output, /^https:\/\/example\.com\/accounts\/verify-email\/[\w-]{43}$/m);
  expect(output()).not.toContain('evil.example');
});

test('links lead to the port that was taken', async () => {
  const { child, url, origin, output } = await bench.start();
  await ask(url, SIGN_UP, { user });
  await ask(url, 'mutation { sendResetPasswordEmail(email: "ada@example.com") }');
  const { port } = new URL(origin);
  const [link] = await printed(child, output, /^http:\/\/localhost:\d+\/reset-password\/[\w-]{43}$/m);
  expect(new URL(link).port).toBe(port);
});

test('mails go to files, from an address at the host of the site', async () => {
  const environment = { MAIL_URL: 'file:./mails', SITE_URL: 'https://example.com' };
  const { url, output, stop } = await bench.start(environment);
  await ask(url, SIGN_UP, { user });
  await ask(url, 'mutation { sendVerificationEmail(email: "ada@example.com") }');
  await stop();
  const [name = ''] = readdirSync(join(bench.folder, 'mails'));
  const mail = JSON.parse(readFileSync(join(bench.folder, 'mails', name), 'utf8'));
  expect(mail).toMatchObject({ to: 'ada@example.com', from: 'no-reply@example.com' });
  expect(Object.keys(mail).sort()).toEqual(['from', 'html', 'subject', 'text', 'to']);
  expect(output()).not.toContain('ada@example.com"}');
});

test('without MAIL_URL, production warns at start and prints neither mails nor addresses nor links', async () => {
  const { child, url, output } = await bench.start({ NODE_ENV: 'production', TOKEN_SECRET: SECRET });
  expect(output()).toContain('MAIL_URL is not set: mails are not sent');
  expect(output()).not.toContain('mutation {');
  await ask(url, SIGN_UP, { user });
  await ask(url, 'mutation { sendResetPasswordEmail(email: "ada@example.com") }');
  await printed(child, output, /a mail was not sent/);
  expect(output()).not.toMatch(/ada|example\.com|reset-password/);
});

test('in production, links that would lead to this machine are warned of once', async () => {
  const production = { NODE_ENV: 'production', TOKEN_SECRET: SECRET, DATABASE_URL: 'sqlite::memory:' };
  const [without, withSite, withoutMails] = await Promise.all([
    bench.start({ ...production, MAIL_URL: 'file:./mails' }),
    bench.start({ ...production, MAIL_URL: 'file:./mails', SITE_URL: 'https://example.com' }),
    bench.start(production),
  ]);
  const { port } = new URL(without.origin);
  const warning = `SITE_URL is not set: the links in mails lead to http://localhost:${port}`;
  expect(without.output().split(warning)).toHaveLength(2);
  for (const { output } of [withSite, withoutMails]) expect(output()).not.toContain('SITE_URL');
});

test('with TOKEN_SECRET no secret is written', async () => {
  await bench.start({ TOKEN_SECRET: SECRET });
  expect(readdirSync(join(bench.folder, 'data')).some((name) => name.includes('secret'))).toBe(false);
});

test.each([
  ['AUTOLOGIN', { AUTOLOGIN: '1', AMBIGUOUS_ERRORS: '0' }, 'createUser.loginResult.sessionId'],
  ['AMBIGUOUS_ERRORS=0', { AMBIGUOUS_ERRORS: '0' }, 'createUser.userId'],
])('%s is the option of that meaning', async (_, environment, path) => {
  const { url } = await bench.start({ DATABASE_URL: 'sqlite::memory:', ...environment });
  const query =
    'mutation ($user: CreateUserInput!) { createUser(user: $user) { userId loginResult { sessionId } } }';
  expect((await ask(url, query, { user })).data).toHaveProperty(path, expect.any(String));
});

test('REQUIRE_EMAIL_VERIFICATION lets nobody in before', async () => {
  const { child, url, output } = await bench.start({ REQUIRE_EMAIL_VERIFICATION: '1' });
  await ask(url, SIGN_UP, { user });
  await printed(child, output, /verify-email/);
  const { errors } = await ask(url, LOG_IN, { user: { email: user.email }, password: PASSWORD });
  expect(errors?.[0]?.extensions.code).toBe('EMAIL_NOT_VERIFIED');
});

async function logIn(url: string): Promise<string> {
  const login = { user: { email: user.email }, password: PASSWORD };
  return tokensOf(await ask(url, LOG_IN, login)).accessToken;
}

async function whoIs(url: string, accessToken: string): Promise<string | undefined> {
  const [first] = await emailsOf(url, accessToken);
  return first?.address;
}
