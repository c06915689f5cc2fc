import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as elapse } from 'node:timers/promises';
import { expect } from 'vitest';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { type RunningStore, SQLITE, STORES, type StoreSettings } from '../servers/stores.ts';
import { describeEachStore, type On } from './each-store.ts';
import { type Order, openAccounts, openStores } from './fixtures/operations.ts';

const OLD = 'correct horse battery staple';
const NEW = 'another good password';
/** More boundaries than any operation has: past this the loop is broken. */
const MOST_BOUNDARIES = 80;
/** Kills at random moments, on each store. `KILLS=2000 npx vitest run test/stores/kills.test.ts` does more. */
const KILLS = { SQLite: Number(process.env.KILLS ?? 200), other: Number(process.env.KILLS ?? 20) };
/** What a sign-up that was cut off had taken is free again after this. */
const TAKEOVER = 10_000;

interface Stores extends ReturnType<typeof openAccounts> {
  db: AccountsDatabase;
}

/** What is done before a kill, and what must hold after it. */
interface Operation {
  prepare(stores: Stores, email: string): Promise<Order['input']>;
  check(stores: Stores, input: Order['input'], acknowledged: boolean): Promise<void>;
}

const OPERATIONS: { readonly [name in Order['operation']]: Operation } = {
  // The user is wholly there or not at all, and a retry succeeds.
  register: {
    prepare: async (_, email) => ({ email, username: email.replace(/@.*/, ''), typed: OLD }),
    async check({ service, server, db }, { email = '', username = '' }, acknowledged) {
      const byEmail = await service.findUserByEmail(email);
      expect(await service.findUserByUsername(username)).toEqual(byEmail);
      if (acknowledged) expect(byEmail).not.toBeNull();
      if (!byEmail) {
        expect(await db.identities.find('email', email)).toBeNull();
        await service.createUser({ email, username, password: OLD });
      }
      await server.loginWithService('password', { user: email, password: OLD });
    },
  },
  // The session goes on, and nothing forks.
  refresh: {
    async prepare({ server, service }, email) {
      await service.createUser({ email, password: OLD });
      return { ...(await server.loginWithService('password', { user: email, password: OLD })).tokens };
    },
    async check({ server }, { accessToken = '', refreshToken = '' }) {
      const next = await server.refreshTokens(accessToken, refreshToken);
      const after = await server.refreshTokens(next.tokens.accessToken, next.tokens.refreshToken);
      expect(await server.resumeSession(after.tokens.accessToken)).toBeTruthy();
    },
  },
  // The old password with a link that works, or the new one with every session gone.
  reset: {
    async prepare({ server, service, mails }, email) {
      await service.createUser({ email, password: OLD });
      const { tokens } = await server.loginWithService('password', { user: email, password: OLD });
      await service.sendResetPasswordEmail(email);
      await server.settled();
      const token = mails.at(-1)?.text.match(/reset-password\/([\w-]+)/)?.[1] ?? '';
      return { email, token, typed: NEW, accessToken: tokens.accessToken };
    },
    async check({ server, service }, { email = '', token = '', accessToken = '' }, acknowledged) {
      const mayLogIn = (typed: string) =>
        server.loginWithService('password', { user: email, password: typed }).then(
          () => true,
          () => false,
        );
      const changed = await mayLogIn(NEW);
      expect(await mayLogIn(OLD)).toBe(!changed);
      if (acknowledged) expect(changed).toBe(true);
      if (changed) {
        await expect(server.resumeSession(accessToken)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
        await expect(service.resetPassword(token, OLD)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
      } else {
        await service.resetPassword(token, NEW);
        expect(await mayLogIn(NEW)).toBe(true);
      }
    },
  },
  // A link that works, or an address that is verified.
  verify: {
    async prepare({ server, service, mails }, email) {
      await service.createUser({ email, password: OLD });
      await service.sendVerificationEmail(email);
      await server.settled();
      return { email, token: mails.at(-1)?.text.match(/verify-email\/([\w-]+)/)?.[1] ?? '' };
    },
    async check({ service }, { email = '', token = '' }) {
      await service
        .verifyEmail(token)
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'INVALID_TOKEN' }));
      expect(await service.findUserByEmail(email)).toMatchObject({ emails: [{ verified: true }] });
    },
  },
};

describeEachStore('kill -9 on $name (S54)', [SQLITE, ...STORES], ({ name }) => {
  let settings: StoreSettings;
  let opened: Awaited<ReturnType<typeof openStores>> | undefined;
  let stores: Stores;
  let spare: ChildProcess | undefined;
  /** Ahead of the real time, so that what a dead process has claimed is free. */
  let ahead = 0;

  const prepare = async (store: RunningStore): Promise<void> => {
    settings = await store.newSettings();
    const now = (): number => Date.now() + ahead;
    opened = await openStores(settings, now);
    stores = { ...openAccounts(opened.db, now), db: opened.db };
    spare = newProcess();
  };

  const finish = async (): Promise<void> => {
    spare?.kill();
    await opened?.close();
  };

  /** Does the operation in a process that dies in it, and looks at what is left. Whether it was acknowledged. */
  const round = async (
    operation: Order['operation'],
    email: string,
    end: { killAt: number } | { killAfter: number },
  ): Promise<boolean> => {
    const { prepare, check } = OPERATIONS[operation];
    const input = await prepare(stores, email);
    const child = spare ?? newProcess();
    // The next one starts while this one dies.
    spare = newProcess();
    const killAt = 'killAt' in end ? end.killAt : 0;
    const acknowledged = await dies(
      child,
      { settings, operation, input, killAt },
      'killAfter' in end ? end.killAfter : null,
    );
    ahead += TAKEOVER;
    try {
      await check(stores, input, acknowledged);
    } finally {
      ahead -= TAKEOVER;
    }
    return acknowledged;
  };

  const tests = (on: On): void => {
    for (const operation of ['register', 'refresh', 'reset', 'verify'] as const) {
      on(`at each step of ${operation}`, async () => {
        for (let killAt = 1; ; killAt++) {
          expect(killAt).toBeLessThan(MOST_BOUNDARIES);
          if (await round(operation, `${operation}${killAt}@example.com`, { killAt })) {
            // Otherwise nothing was killed, and nothing shown.
            expect(killAt).toBeGreaterThan(2);
            return;
          }
        }
      });
    }

    on('at random moments', async () => {
      const kills = name === 'SQLite' ? KILLS.SQLite : KILLS.other;
      let died = 0;
      for (let n = 0; n < kills; n++) {
        const operation = (['register', 'refresh', 'reset'] as const)[n % 3] ?? 'register';
        const email = `random-${operation}-${n}@example.com`;
        if (!(await round(operation, email, { killAfter: Math.random() * 25 }))) died++;
      }
      expect(died).toBeGreaterThan(0);
    });
  };

  return { prepare, finish, tests };
});

function newProcess(): ChildProcess {
  const script = join(import.meta.dirname, 'fixtures/operations.ts');
  // Hundreds of them load the same files.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, '../../.tmp/compiled') };
  return spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Whether the operation was acknowledged before the process died. It is killed `killAfter` ms after it is ready. */
function dies(child: ChildProcess, order: Order, killAfter: number | null): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', async (chunk) => {
      const wasReady = output !== '';
      output += chunk;
      if (wasReady || killAfter === null) return;
      await elapse(killAfter);
      child.kill('SIGKILL');
    });
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`the operation failed with ${code}`));
      else resolve(output.includes('acknowledged'));
    });
    child.stdin?.end(`${JSON.stringify(order)}\n`);
  });
}
