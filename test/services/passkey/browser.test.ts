// The page of examples/passkeys in a real browser, whose authenticator Chromium plays (WebDriver's virtual one).
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SECRET } from '../../accounts.ts';
import { collect, end, printed } from '../../program.ts';
import { HAS_CHROMIUM, launchBrowser } from '../../servers/browser.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PASSWORD = 'correct horse battery staple';

/** A device of a user's: its authenticator, and the page. */
interface Device {
  context: BrowserContext;
  page: Page;
  cdp: CDPSession;
  authenticatorId: string;
}

describe.skipIf(!HAS_CHROMIUM)('the example, in Chromium', { timeout: 60_000 }, () => {
  let folder: string;
  let child: ChildProcess;
  let origin: string;
  let browser: Browser;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    mkdirSync(join(ROOT, '.tmp'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.tmp/passkeys-'));
    // Without its package.json: here `graphql-accounts` is this checkout.
    for (const file of ['server.ts', 'index.html', 'page.js']) {
      cpSync(join(ROOT, 'examples/passkeys', file), join(folder, file));
    }
    const port = await freePort();
    child = spawn(process.execPath, ['--conditions=graphql-accounts-source', 'server.ts'], {
      cwd: folder,
      env: { PATH: process.env.PATH, TOKEN_SECRET: SECRET, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    [browser] = await Promise.all([
      launchBrowser(),
      printed(child, collect(child), /listening at (http\S+)/),
    ]);
    origin = `http://localhost:${port}`;
  }, 60_000);

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  afterAll(async () => {
    await browser?.close();
    if (child) await end(child);
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** A browser of its own, with an authenticator that holds discoverable credentials. */
  async function device({ backedUp = false } = {}): Promise<Device> {
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
        ...{ defaultBackupEligibility: backedUp, defaultBackupState: backedUp },
      },
    });
    await page.goto(origin);
    return { context, page, cdp, authenticatorId };
  }

  async function signUp({ page }: Device, email: string): Promise<void> {
    await page.fill('#email', email);
    await page.fill('#password', PASSWORD);
    await page.click('#sign-up');
    await page.waitForSelector('#inside:not([hidden])');
  }

  async function addPasskey({ page }: Device): Promise<void> {
    await page.click('#add');
    await told(page, 'The passkey was added.');
  }

  const told = (page: Page, text: string) =>
    page.waitForFunction((sought) => document.getElementById('told')?.textContent === sought, text);
  const items = (page: Page) => page.locator('#passkeys li').allTextContents();
  const credentials = async ({ cdp, authenticatorId }: Device) =>
    (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;

  /** Asks GraphQL as the page does. */
  async function ask(query: string, variables: object, token?: string) {
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as {
      data?: { [field: string]: never };
      errors?: { extensions: { code: string } }[];
    };
  }

  test('signs up, adds a passkey, logs in with it by the button, renames and removes it', async () => {
    const phone = await device();
    const { page } = phone;
    await signUp(phone, 'ada@example.com');
    await addPasskey(phone);
    expect(await items(page)).toEqual([expect.stringContaining('Passkey, never used')]);

    const [credential] = await credentials(phone);
    expect(credential).toMatchObject({
      isResidentCredential: true,
      rpId: 'localhost',
      userName: 'ada@example.com',
    });

    // A second one of the same account on the same device is refused by the device itself: it knows the first one.
    await page.click('#add');
    await page.waitForFunction(() =>
      /already registered|previously registered/.test(document.getElementById('told')?.textContent ?? ''),
    );

    // Nothing is offered by itself this time: only the button is to be tried.
    await page.evaluate(() => {
      Object.assign(PublicKeyCredential, { isConditionalMediationAvailable: async () => false });
    });
    await page.click('#log-out');
    await page.click('#use-passkey');
    await page.waitForSelector('#inside:not([hidden])');
    expect(await page.textContent('#who')).toBe('ada@example.com');
    expect(await items(page)).toEqual([expect.stringContaining('Passkey, last used')]);

    page.once('dialog', (dialog) => dialog.accept('My phone'));
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.waitForFunction(() =>
      document.querySelector('#passkeys li')?.textContent?.startsWith('My phone,'),
    );
    await page.getByRole('button', { name: 'Remove' }).click();
    await told(page, 'The passkey was removed.');
    expect(await items(page)).toEqual([]);

    await page.click('#log-out');
    await page.click('#use-passkey');
    await told(page, 'This passkey is not known here.');
  });

  test('logs in from the autofill, without a click on any button (conditional UI)', async () => {
    const phone = await device({ backedUp: true });
    const { page } = phone;
    await signUp(phone, 'grace@example.com');
    await addPasskey(phone);
    expect(await items(page)).toEqual([expect.stringContaining('synchronised')]);
    const mediations = page.evaluate(
      () =>
        new Promise<unknown>((resolve) => {
          const { get } = navigator.credentials;
          navigator.credentials.get = (options) => {
            resolve(options?.mediation);
            return get.call(navigator.credentials, options);
          };
        }),
    );
    await page.click('#log-out');
    expect(await mediations).toBe('conditional');
    await page.waitForSelector('#inside:not([hidden])');
    expect(await page.textContent('#who')).toBe('grace@example.com');
  });

  test('the counter of the device grows, and a copy of the passkey is found out', async () => {
    const phone = await device();
    await signUp(phone, 'copied@example.com');
    await addPasskey(phone);
    const [before] = await credentials(phone);
    await phone.page.click('#log-out');
    await phone.page.waitForFunction(() =>
      document.querySelector('#passkeys li')?.textContent?.includes('last used'),
    );
    const [after] = await credentials(phone);
    expect(after?.signCount).toBeGreaterThan(before?.signCount ?? 0);

    const thief = await device();
    if (!before) throw new Error('there is no credential');
    const credential = { ...before, signCount: 0 };
    await thief.cdp.send('WebAuthn.addCredential', { authenticatorId: thief.authenticatorId, credential });
    await thief.page.click('#use-passkey');
    await told(thief.page, 'This passkey is not known here.');
  });

  test.each([
    { userVerification: 'preferred', amr: ['hwk', 'user', 'mfa'] },
    { userVerification: 'discouraged', amr: ['hwk', 'user'] },
  ])('a page that asks with $userVerification proves $amr', async ({ userVerification, amr }) => {
    const phone = await device();
    const { page } = phone;
    await signUp(phone, `factors-${userVerification}@example.com`);
    await addPasskey(phone);
    // Whatever the server asks for, a page asks the authenticator for what it likes.
    await page.evaluate((asked) => {
      const { get } = navigator.credentials;
      navigator.credentials.get = (options) => {
        Object.assign(options?.publicKey ?? {}, { userVerification: asked });
        return get.call(navigator.credentials, options);
      };
      Object.assign(PublicKeyCredential, { isConditionalMediationAvailable: async () => false });
    }, userVerification);
    const answer = page.waitForResponse(async (response) => (await response.text()).includes('accessToken'));
    await page.click('#log-out');
    await page.click('#use-passkey');
    const { data } = (await (await answer).json()) as {
      data: { authenticate: { tokens: { accessToken: string } } };
    };
    const [, claims = ''] = data.authenticate.tokens.accessToken.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).amr).toEqual(amr);
  });

  test('what a browser sent once is refused the second time, and changed', async () => {
    const phone = await device();
    const { page } = phone;
    await signUp(phone, 'replayed@example.com');
    await addPasskey(phone);
    const request = page.waitForRequest((sent) =>
      (sent.postData() ?? '').includes('authenticate(serviceName'),
    );
    await page.click('#log-out');
    const sent = JSON.parse((await request).postData() ?? '') as {
      query: string;
      variables: { params: { token: string; response: { response: object } } };
    };
    await page.waitForSelector('#inside:not([hidden])');
    const replayed = await ask(sent.query, sent.variables);
    expect(replayed.errors?.[0]?.extensions.code).toBe('INVALID_TOKEN');

    const fresh = await ask('mutation { passkeyLoginOptions { challenge } }', {});
    const { challenge: token } = (fresh.data?.passkeyLoginOptions ?? {}) as { challenge?: string };
    expect(token).toMatch(/^[\w-]{43}$/);
    const later = await ask(sent.query, { ...sent.variables, params: { ...sent.variables.params, token } });
    expect(later.errors?.[0]?.extensions.code).toBe('INVALID_PASSKEY');
  });
});

function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once('error', reject).listen(0, 'localhost', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
