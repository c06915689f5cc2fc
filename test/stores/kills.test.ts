import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { type Order, openAccounts } from './fixtures/operations.ts';

const OLD = 'correct horse battery staple';
const NEW = 'another good password';
/** More boundaries than any operation has: past this the loop is broken. */
const MOST_BOUNDARIES = 80;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// Some 60 processes are started and killed, one after the other.
describe('S54 kill -9 at each step', { timeout: 120_000 }, () => {
  test('of a sign-up leaves the user wholly there or not at all, and a retry succeeds', async () => {
    await atEachBoundary('register', async (file, killAt) => {
      const name = { email: `ada${killAt}@example.com`, username: `ada${killAt}` };
      const acknowledged = await dies({
        file,
        operation: 'register',
        input: { ...name, typed: OLD },
        killAt,
      });
      await withAccounts(file, async ({ service, server, db }) => {
        const byEmail = await service.findUserByEmail(name.email);
        const byName = await service.findUserByUsername(name.username);
        expect(byEmail).toEqual(byName);
        if (acknowledged) expect(byEmail).not.toBeNull();
        if (!byEmail) {
          expect(await db.identities.find('email', name.email)).toBeNull();
          await service.createUser({ ...name, password: OLD });
        }
        await server.loginWithService('password', { user: name.email, password: OLD });
      });
      return acknowledged;
    });
  });

  test('of a refresh leaves a session that goes on, and forks nothing', async () => {
    await atEachBoundary('refresh', async (file, killAt) => {
      const email = `ada${killAt}@example.com`;
      const tokens = await withAccounts(file, async ({ server, service }) => {
        await service.createUser({ email, password: OLD });
        return (await server.loginWithService('password', { user: email, password: OLD })).tokens;
      });
      const acknowledged = await dies({ file, operation: 'refresh', input: tokens, killAt });
      await withAccounts(file, async ({ server }) => {
        const next = await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
        const after = await server.refreshTokens(next.tokens.accessToken, next.tokens.refreshToken);
        expect(await server.resumeSession(after.tokens.accessToken)).toBeTruthy();
      });
      return acknowledged;
    });
  });

  test('of a reset leaves the old password with a link that works, or the new one with every session gone', async () => {
    await atEachBoundary('reset', async (file, killAt) => {
      const email = `ada${killAt}@example.com`;
      const { token, tokens } = await withAccounts(file, async ({ server, service, mails }) => {
        await service.createUser({ email, password: OLD });
        const { tokens } = await server.loginWithService('password', { user: email, password: OLD });
        await service.sendResetPasswordEmail(email);
        await server.settled();
        return { tokens, token: mails[0]?.text.match(/reset-password\/([\w-]+)/)?.[1] ?? '' };
      });
      const acknowledged = await dies({ file, operation: 'reset', input: { token, typed: NEW }, killAt });
      await withAccounts(file, async ({ server, service }) => {
        const mayLogIn = (typed: string) =>
          server.loginWithService('password', { user: email, password: typed }).then(
            () => true,
            () => false,
          );
        const changed = await mayLogIn(NEW);
        expect(await mayLogIn(OLD)).toBe(!changed);
        if (acknowledged) expect(changed).toBe(true);
        if (changed) {
          await expect(server.resumeSession(tokens.accessToken)).rejects.toMatchObject({
            code: 'UNAUTHENTICATED',
          });
          await expect(service.resetPassword(token, OLD)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
        } else {
          await service.resetPassword(token, NEW);
          expect(await mayLogIn(NEW)).toBe(true);
        }
      });
      return acknowledged;
    });
  });

  test('of a verification leaves a link that works, or an address that is verified', async () => {
    await atEachBoundary('verify', async (file, killAt) => {
      const email = `ada${killAt}@example.com`;
      const token = await withAccounts(file, async ({ server, service, mails }) => {
        await service.createUser({ email, password: OLD });
        await service.sendVerificationEmail(email);
        await server.settled();
        return mails[0]?.text.match(/verify-email\/([\w-]+)/)?.[1] ?? '';
      });
      const acknowledged = await dies({ file, operation: 'verify', input: { token }, killAt });
      await withAccounts(file, async ({ service }) => {
        await service
          .verifyEmail(token)
          .catch((error: unknown) => expect(error).toMatchObject({ code: 'INVALID_TOKEN' }));
        expect(await service.findUserByEmail(email)).toMatchObject({ emails: [{ verified: true }] });
      });
      return acknowledged;
    });
  });
});

/** Kills the operation at its first boundary, its second, … until it lives through all that it has. */
async function atEachBoundary(
  name: string,
  round: (file: string, killAt: number) => Promise<boolean>,
): Promise<void> {
  const file = join(folder, `${name}.db`);
  for (let killAt = 1; killAt <= MOST_BOUNDARIES; killAt++) {
    if (await round(file, killAt)) {
      // Otherwise nothing was killed, and nothing shown.
      expect(killAt).toBeGreaterThan(2);
      return;
    }
  }
  throw new Error(`${name} has more than ${MOST_BOUNDARIES} boundaries`);
}

/** Whether the operation was acknowledged before the process died. */
function dies(order: Order): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'fixtures/operations.ts');
    const child = spawn(process.execPath, [script, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`the operation failed with ${code}`));
      else resolve(output.includes('acknowledged'));
    });
  });
}

async function withAccounts<T>(
  file: string,
  use: (accounts: ReturnType<typeof openAccounts> & { db: ReturnType<typeof sqliteDatabase> }) => Promise<T>,
): Promise<T> {
  const db = sqliteDatabase(file);
  try {
    return await use({ ...openAccounts(db), db });
  } finally {
    await db.close?.();
  }
}
