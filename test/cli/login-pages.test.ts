// The pages that log in, in a real browser.
import { AccountsClient } from '@accounts/client';
import { generate } from 'otplib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, startProgram } from '../program.ts';
import { HAS_CHROMIUM, launchBrowser } from '../servers/browser.ts';
import { ask, emailsOf, LOG_IN, PASSWORD, SIGN_UP, tokensOf } from './child.ts';

describe.skipIf(!HAS_CHROMIUM)('in a browser', () => {
  let program: Program;
  let browser: Browser;
  beforeAll(async () => {
    [program, browser] = await Promise.all([
      startProgram({ RETURN_TO_ORIGINS: 'https://app.example.com' }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await program?.stop();
  });

  async function open(path: string) {
    const page = await (await browser.newContext()).newPage();
    const problems: string[] = [];
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${program.origin}${path}`);
    const stored = async (key: string) => page.evaluate((name) => localStorage.getItem(name), key);
    return { page, problems, stored };
  }

  async function signUp(email: string): Promise<string> {
    await ask(program.url, SIGN_UP, { user: { email, password: PASSWORD } });
    await ask(program.url, `mutation { sendVerificationEmail(email: "${email}") }`);
    await ask(
      program.url,
      `mutation { verifyEmail(token: "${await program.linkTo(email, 'verify-email')}") }`,
    );
    return tokensOf(await ask(program.url, LOG_IN, { user: { email }, password: PASSWORD })).accessToken;
  }

  async function linkFor(email: string): Promise<string> {
    await ask(program.url, `mutation { requestMagicLinkEmail(email: "${email}") }`);
    return `/magic-link/${await program.linkTo(email, 'magic-link')}`;
  }

  test('a magic link logs in, and clients of accounts-js on the same origin are logged in', async () => {
    const email = 'ada@example.com';
    await signUp(email);
    const link = await linkFor(email);
    const { page, problems, stored } = await open(`${link}?returnTo=https%3A%2F%2Fapp.example.com%2Fdiary`);
    expect(await stored('accounts:accessToken')).toBeNull();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(await page.getByText(`As ${email}.`).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Continue' }).getAttribute('href')).toBe(
      'https://app.example.com/diary',
    );
    expect(await page.getByRole('alert').count()).toBe(0);
    const tokenStorage = {
      getItem: stored,
      setItem: async () => {},
      removeItem: async () => {},
    };
    const tokens = await new AccountsClient({ tokenStorage }, {} as never).getTokens();
    if (!tokens) throw new Error('the client finds no tokens');
    expect(await emailsOf(program.url, tokens.accessToken)).toEqual([{ address: email, verified: true }]);
    // Nothing of a token stays in the page or stands in an address.
    expect(await page.content()).not.toContain(tokens.accessToken);
    expect(page.url()).not.toContain(tokens.accessToken.slice(0, 20));
    expect(problems).toEqual([]);
    const again = await open(link);
    await again.page.getByRole('button', { name: 'Log in' }).click();
    await again.page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
    expect(await again.stored('accounts:accessToken')).toBeNull();
  });

  test('an account with a second factor is asked for its code', async () => {
    const email = 'grace@example.com';
    const authorization = `Bearer ${await signUp(email)}`;
    const secret = await ask(program.url, '{ twoFactorSecret { base32 } }', {}, { authorization });
    const found = secret.data?.twoFactorSecret as { base32: string } | undefined;
    const base32 = found?.base32 ?? '';
    const set = `mutation ($code: String!) { twoFactorSet(secret: { ascii: "", base32: "", hex: "" }, code: $code) }`;
    const epoch = Math.floor(Date.now() / 1000);
    const used = await ask(
      program.url,
      set,
      { code: await generate({ secret: base32, epoch }) },
      { authorization },
    );
    expect(used.errors).toBeUndefined();
    const { page, problems, stored } = await open(`${await linkFor(email)}?returnTo=/home`);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Code').fill('000000');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'The code is wrong' }).waitFor();
    expect(await stored('accounts:accessToken')).toBeNull();
    // The code of the next step: that of this one was used up when the factor was set.
    await page.getByLabel('Code').fill(await generate({ secret: base32, epoch: epoch + 30 }));
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(await page.getByRole('link', { name: 'Continue' }).getAttribute('href')).toMatch(
      /^http:\/\/localhost:\d+\/home$/,
    );
    const accessToken = (await stored('accounts:accessToken')) ?? '';
    expect(await emailsOf(program.url, accessToken)).toEqual([{ address: email, verified: true }]);
    expect(problems.filter((problem) => !problem.includes('422'))).toEqual([]);
  });

  test('the longest address fits on a narrow screen, and links can be read in the dark', async () => {
    const email = `${'a'.repeat(64)}@${'b'.repeat(60)}.example.com`;
    await signUp(email);
    const context = await browser.newContext({
      colorScheme: 'dark',
      viewport: { width: 320, height: 600 },
    });
    const page = await context.newPage();
    await page.goto(`${program.origin}${await linkFor(email)}?returnTo=/home`);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    const colors = await page.evaluate(() => [
      getComputedStyle(document.querySelector('a') ?? document.body).color,
      getComputedStyle(document.querySelector('main') ?? document.body).backgroundColor,
    ]);
    // WCAG 2.2, 1.4.3.
    expect(contrastOf(colors)).toBeGreaterThanOrEqual(4.5);
  });

  test('S39 the page of a verification offers both answers', async () => {
    const email = 'victim@example.com';
    await ask(program.url, SIGN_UP, { user: { email, password: PASSWORD } });
    await ask(program.url, `mutation { sendVerificationEmail(email: "${email}") }`);
    const { page, problems } = await open(`/verify-email/${await program.linkTo(email, 'verify-email')}`);
    expect(await page.getByRole('button').allTextContents()).toEqual(['Confirm', 'This was not me']);
    await page.getByRole('button', { name: 'This was not me' }).click();
    await page.getByRole('heading', { name: 'The address is free' }).waitFor();
    const { errors } = await ask(program.url, LOG_IN, { user: { email }, password: PASSWORD });
    expect(errors?.[0]?.extensions.code).toBe('INVALID_CREDENTIALS');
    expect(problems).toEqual([]);
  });
});

/** Of two colours as browsers compute them (WCAG 2.2, "contrast ratio"). */
function contrastOf(colors: string[]): number {
  const [dark = 0, light = 0] = colors.map(luminanceOf).sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
