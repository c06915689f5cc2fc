import { generate } from 'otplib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, startProgram } from '../program.ts';
import { HAS_CHROMIUM, launchBrowser } from '../servers/browser.ts';
import { CLIENT, type OidcServer, startOidc } from '../servers/oidc.ts';
import { freePort } from '../servers/process.ts';
import { ask, send } from './child.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const START = 'mutation ($provider: String!) { oauthStart(provider: $provider) { url state } }';

let oidc: OidcServer;
let program: Program;
/** The name by which the provider knows the site. */
let site: string;
beforeAll(async () => {
  const port = await freePort();
  site = `http://localhost:${port}`;
  oidc = await startOidc({ redirectUris: [`${site}/oauth/callback`] });
  oidc.know('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada' });
  program = await startProgram({
    PORT: String(port),
    OAUTH_SHOP_ISSUER: oidc.issuer,
    OAUTH_SHOP_CLIENT_ID: CLIENT.clientId,
    OAUTH_SHOP_CLIENT_SECRET: CLIENT.clientSecret,
    RETURN_TO_ORIGINS: 'https://app.example.com',
  });
});
afterAll(async () => {
  await program?.stop();
  await oidc?.close();
});

/** Begins at the page for it, without a browser: where the provider is, and the cookie. */
async function begin(query = '') {
  const { status, headers } = await send(`${site}/oauth/shop${query}`, { method: 'POST', headers: FORM });
  expect(status).toBe(303);
  const [cookie = ''] = headers['set-cookie']?.[0]?.split(';') ?? [];
  return { url: headers.location ?? '', cookie };
}

const finish = (back: URL, cookie?: string, more: object = {}) =>
  send(`${site}${back.pathname}${back.search}`, {
    method: 'POST',
    headers: { ...FORM, ...(cookie && { cookie }), ...more },
  });

async function startByApi(headers: object = {}) {
  const { data } = await ask(program.url, START, { provider: 'shop' }, headers);
  return data?.oauthStart as { url: string; state: string };
}

describe('the pages', () => {
  test('begin with a button, lead to the provider and log in', async () => {
    const shown = await send(`${site}/oauth/shop`);
    expect(shown).toMatchObject({ status: 200, text: expect.stringContaining('Log in with Shop') });
    const { url, cookie } = await begin();
    const back = await oidc.logIn(url, 'ada');
    expect(back.origin).toBe(site);
    for (const method of ['GET', 'HEAD', 'GET']) {
      const looked = await send(back.href, { method, headers: { cookie } });
      expect(looked.status).toBe(200);
    }
    const done = await finish(back, cookie);
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in') });
    expect(await finish(back, cookie)).toMatchObject({ status: 404 });
  });

  test('S40 without the cookie nothing is finished, and nothing is lost', async () => {
    const { url, cookie } = await begin();
    const back = await oidc.logIn(url, 'ada');
    expect(await send(back.href)).toMatchObject({
      status: 403,
      text: expect.stringContaining('another browser'),
    });
    expect((await finish(back)).status).toBe(404);
    expect((await finish(back, cookie)).status).toBe(200);
  });

  test('a login that was begun without a browser asks before it goes on, and does not go on by itself', async () => {
    const { url } = await startByApi();
    const back = await oidc.logIn(url, 'ada');
    const { text, headers } = await send(back.href);
    expect(text).toContain('only if you have just begun');
    expect(text).not.toContain('<script');
    expect(headers['content-security-policy']).not.toContain('script-src');
    expect((await finish(back)).text).toContain('You are logged in');
  });

  test('what another site sends is refused', async () => {
    const { url, cookie } = await begin();
    const back = await oidc.logIn(url, 'ada');
    const cross = { 'sec-fetch-site': 'cross-site' };
    expect((await finish(back, cookie, cross)).status).toBe(400);
    const started = await send(`${site}/oauth/shop`, { method: 'POST', headers: { ...FORM, ...cross } });
    expect(started.status).toBe(400);
    expect(started.headers['set-cookie']).toBeUndefined();
    expect((await finish(back, cookie)).status).toBe(200);
  });

  test('an answer by a form of the provider comes again as an address', async () => {
    const body = new URLSearchParams({ code: 'a&b', state: 'c', user: '{}' }).toString();
    const headers = { ...FORM, 'sec-fetch-site': 'cross-site' };
    const answer = await send(`${site}/oauth/callback`, { method: 'POST', headers, body });
    expect(answer).toMatchObject({ status: 303, headers: { location: '?code=a%26b&state=c' } });
  });

  test('RFC 9207 the issuer of the answer is checked', async () => {
    for (const change of [
      (back: URL) => back.searchParams.set('iss', 'https://evil.example'),
      (back: URL) => back.searchParams.delete('iss'),
    ]) {
      const { url, cookie } = await begin();
      const back = await oidc.logIn(url, 'ada');
      expect(back.searchParams.get('iss')).toBe(oidc.issuer);
      change(back);
      expect(await finish(back, cookie)).toMatchObject({
        status: 403,
        text: expect.stringContaining('did not confirm'),
      });
    }
  });

  test('a refusal at the provider is told, and can be tried again', async () => {
    const { state } = await startByApi();
    const { status, text } = await send(
      `${site}/oauth/callback?error=access_denied&error_description=canary&state=${state}`,
    );
    expect(status).toBe(403);
    expect(text).toContain('href="./shop"');
    expect(text).not.toContain('canary');
  });

  test.each(['', '?state=x&code=y', '?code=y', `?state=${'x'.repeat(43)}&code=y`])(
    'callback%s is no login',
    async (query) => {
      const { status, text } = await send(`${site}/oauth/callback${query}`);
      expect(status).toBe(404);
      expect(text).not.toContain('<form');
    },
  );

  test.each([
    '/oauth',
    '/oauth/',
    '/oauth/nobody',
    '/oauth/__proto__',
    '/oauth/shop/x',
    '/oauth/callback/x',
    '/oauth/%3Cscript%3E',
  ])('%s is no page', async (path) => {
    expect((await send(site + path)).status).toBe(404);
    expect((await send(site + path, { method: 'POST', headers: FORM })).status).toBe(404);
  });

  test('lead on to where it is allowed, and nowhere else', async () => {
    for (const [wanted, link] of [
      ['https://app.example.com/home', 'https://app.example.com/home'],
      ['/home', `${site}/home`],
      ['https://evil.example', null],
      ['javascript:alert(1)', null],
    ]) {
      const { url, cookie } = await begin(`?returnTo=${encodeURIComponent(wanted ?? '')}`);
      const { text } = await finish(await oidc.logIn(url, 'ada'), cookie);
      expect(text).toContain('You are logged in');
      if (link === null) expect(text).not.toContain('<a ');
      else expect(text).toContain(`<a href="${link}"`);
    }
  });

  test('ask for the second factor, and lead on after it', async () => {
    oidc.know('two', {});
    const { url, state } = await startByApi();
    const code = (await oidc.logIn(url, 'two')).searchParams.get('code');
    const logIn = `mutation ($code: String, $state: String) { authenticate(serviceName: "oauth", params: { provider: "shop", code: $code, state: $state }) { tokens { accessToken } } }`;
    const { data } = await ask(program.url, logIn, { code, state });
    const { accessToken } = ((data?.authenticate ?? {}) as { tokens: { accessToken: string } }).tokens;
    const me = { authorization: `Bearer ${accessToken}` };
    const secret = await ask(program.url, '{ twoFactorSecret { base32 } }', {}, me);
    const { base32 } = (secret.data?.twoFactorSecret ?? {}) as { base32: string };
    const set = 'mutation ($code: String!) { twoFactorSet(secret: null, code: $code) }';
    expect((await ask(program.url, set, { code: await generate({ secret: base32 }) }, me)).data).toEqual({
      twoFactorSet: true,
    });
    const recovery = await ask(program.url, 'mutation { generateRecoveryCodes }', {}, me);
    const [spare = ''] = (recovery.data?.generateRecoveryCodes ?? []) as string[];

    const { url: again, cookie } = await begin('?returnTo=/home');
    const back = await oidc.logIn(again, 'two');
    const asked = await finish(back, cookie);
    expect(asked).toMatchObject({ status: 200, text: expect.stringContaining('One more step') });
    expect(asked.text).not.toContain('accounts:accessToken');
    const challenge = /name="challenge" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
    const remembered = asked.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const give = (typed: string) => {
      const body = new URLSearchParams({ challenge, code: typed }).toString();
      const headers = { ...FORM, cookie: `${cookie}; ${remembered}` };
      return send(`${site}${back.pathname}${back.search}`, { method: 'POST', headers, body });
    };
    expect((await give('000000')).status).toBe(422);
    const done = await give(spare);
    expect(done).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in') });
    expect(done.text).toContain(`<a href="${site}/home"`);
  });

  test('stand at one name of one’s own machine, that to which the provider leads back', async () => {
    const elsewhere = site.replace('localhost', '127.0.0.1');
    expect(await send(`${elsewhere}/oauth/shop?returnTo=/x`)).toMatchObject({
      status: 303,
      headers: { location: `${site}/oauth/shop?returnTo=/x` },
    });
  });

  test('every page stays in no cache and tells nobody where it was', async () => {
    for (const path of ['/oauth/shop', '/oauth/callback', '/oauth/nobody']) {
      expect((await send(site + path)).headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      });
      expect((await send(site + path, { method: 'PUT' })).status).toBe(405);
    }
  });

  test('S46 the log has neither codes nor states', async () => {
    const { url, cookie } = await begin();
    const back = await oidc.logIn(url, 'ada');
    await finish(back, cookie);
    for (const name of ['code', 'state']) expect(program.output()).not.toContain(back.searchParams.get(name));
  });
});

describe('the API of the program', () => {
  test('lists the providers', async () => {
    const { data } = await ask(program.url, '{ oauthProviders { name label } }');
    expect(data).toEqual({ oauthProviders: [{ name: 'shop', label: 'Shop' }] });
  });

  test('S40 with an Origin it sets a cookie, without which nothing is finished', async () => {
    const headers = { origin: site };
    const { data, headers: answered } = await ask(program.url, START, { provider: 'shop' }, headers);
    const { url, state } = (data?.oauthStart ?? {}) as { url: string; state: string };
    const set = answered.get('set-cookie') ?? '';
    expect(set).toMatch(/^oauth-[\w-]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
    const code = (await oidc.logIn(url, 'ada')).searchParams.get('code');
    const logIn = `mutation ($code: String, $state: String) { authenticate(serviceName: "oauth", params: { provider: "shop", code: $code, state: $state }) {
      user { emails { address verified } linkedAccounts { provider subject label } } } }`;
    for (const without of [{}, headers, { ...headers, cookie: 'oauth-x=y' }]) {
      const { errors } = await ask(program.url, logIn, { code, state }, without);
      expect(errors?.[0]?.extensions.code).toBe('INVALID_TOKEN');
    }
    const [cookie = ''] = set.split(';');
    const done = await ask(program.url, logIn, { code, state }, { ...headers, cookie });
    expect(done.data?.authenticate).toEqual({
      user: {
        emails: [{ address: 'ada@example.com', verified: true }],
        linkedAccounts: [{ provider: 'shop', subject: 'ada', label: 'ada@example.com' }],
      },
    });
  });

  test('without one it sets none', async () => {
    const { headers } = await ask(program.url, START, { provider: 'shop' });
    expect(headers.get('set-cookie')).toBeNull();
  });
});

describe.skipIf(!HAS_CHROMIUM)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function atProvider(page: Page, account: string): Promise<void> {
    await page.getByLabel('Account').fill(account);
    await page.getByRole('button', { name: 'Log in at the provider' }).click();
  }

  const tokensIn = (page: Page) => page.evaluate(() => localStorage.getItem('accounts:accessToken'));

  test('one logs in by the pages alone, and the front end finds the session', async () => {
    const page = await (await browser.newContext()).newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      // The provider has no icon.
      const isOurs = message.type() === 'error' && !message.location().url.startsWith(oidc.issuer);
      if (isOurs) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${site.replace('localhost', '127.0.0.1')}/oauth/shop`);
    await page.getByRole('button', { name: 'Log in with Shop' }).click();
    await atProvider(page, 'ada');
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(problems).toEqual([]);
    const accessToken = await tokensIn(page);
    const { data } = await ask(
      program.url,
      '{ getUser { emails { address } } }',
      {},
      { authorization: `Bearer ${accessToken}` },
    );
    expect(data).toEqual({ getUser: { emails: [{ address: 'ada@example.com' }] } });
  });

  test('a front end of the same origin begins, and the page finishes', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site}/health`);
    const url = await page.evaluate(async (query) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query, variables: { provider: 'shop' } });
      const response = await fetch('/graphql', { method: 'POST', headers, body });
      return ((await response.json()) as { data: { oauthStart: { url: string } } }).data.oauthStart.url;
    }, START);
    await page.goto(url);
    await atProvider(page, 'ada');
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(await tokensIn(page)).toEqual(expect.any(String));
  });

  test('two tabs log in at once', async () => {
    const context = await browser.newContext();
    const tabs = [await context.newPage(), await context.newPage()];
    for (const tab of tabs) {
      await tab.goto(`${site}/oauth/shop`);
      await tab.getByRole('button').click();
      await tab.getByLabel('Account').waitFor();
    }
    for (const tab of tabs) {
      await atProvider(tab, 'ada');
      await tab.getByRole('heading', { name: 'You are logged in' }).waitFor();
    }
  });

  test('S40 whoever is sent somebody else’s callback is not logged in', async () => {
    const { url } = await begin();
    const back = await oidc.logIn(url, 'eve');
    const page = await (await browser.newContext()).newPage();
    await page.goto(back.href);
    await page.getByRole('heading', { name: 'You are not logged in' }).waitFor();
    expect(await tokensIn(page)).toBeNull();
  });

  test('without scripts there is a button', async () => {
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await page.goto(`${site}/oauth/shop`);
    await page.getByRole('button').click();
    await atProvider(page, 'ada');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
  });
});
