import { createServer, type Server } from 'node:net';
import { setTimeout as elapse } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../servers/process.ts';
import { STORES, type StoreSettings } from '../servers/stores.ts';
import { describeEachStore } from './each-store.ts';
import { StoreProgram, TOKEN_SECRET } from './program.ts';

const program = new StoreProgram();
let mute: Server;
let mutePort = 0;
let closedPort = 0;

beforeAll(async () => {
  mute = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const address = mute.address();
  mutePort = typeof address === 'object' && address ? address.port : 0;
  closedPort = await freePort();
});

afterAll(async () => {
  await program.close();
  mute.close();
});

/** Ends with one line that names the variable and not the password, within the time that a start may take. */
async function expectRefusal(
  args: readonly string[],
  settings: Partial<StoreSettings>,
  told: RegExp,
): Promise<void> {
  const [{ code, stdout, stderr, took }, idle] = await Promise.all([
    timed(() => program.run(args, { PORT: '0', TOKEN_SECRET, ...settings })),
    timed(() => program.run(['--version'], {})),
  ]);
  expect(stderr).toMatch(/^graphql-accounts: [^\n]+\n$/);
  expect(stderr).toMatch(told);
  expect(stderr + stdout).not.toContain('hunter2');
  expect(stdout).not.toContain('listening');
  expect(code).toBe(1);
  // Where the machine is so busy that a program which does nothing takes seconds, so does the beginning of this one.
  expect(took).toBeLessThan(15_000 + 4 * idle.took);
}

async function timed<T extends object>(work: () => Promise<T>): Promise<T & { took: number }> {
  const started = performance.now();
  return { ...(await work()), took: performance.now() - started };
}

describe.concurrent.each(['mongodb', 'postgres', 'mysql', 'redis'])('a server of %s', (scheme) => {
  const settings = (port: number): Partial<StoreSettings> => {
    const url = `${scheme}://ada:hunter2@127.0.0.1:${port}`;
    return scheme === 'redis'
      ? { DATABASE_URL: 'sqlite::memory:', SESSIONS_URL: url }
      : { DATABASE_URL: `${url}/accounts` };
  };
  const named = scheme === 'redis' ? /SESSIONS_URL: redis:/ : /DATABASE_URL: \w+:\/\/127\.0\.0\.1:\d+/;

  test('that is not there ends the start', { timeout: 90_000 }, async () => {
    await expectRefusal(['serve'], settings(closedPort), named);
  });

  test('that never answers ends the start', { timeout: 90_000 }, async () => {
    await expectRefusal(['serve'], settings(mutePort), named);
  });

  test.skipIf(scheme === 'redis')('that never answers ends migrate', { timeout: 90_000 }, async () => {
    await expectRefusal(['migrate'], settings(mutePort), named);
  });

  test.skipIf(scheme === 'redis')('that is not there ends migrate', { timeout: 90_000 }, async () => {
    await expectRefusal(['migrate'], settings(closedPort), named);
  });
});

const DATABASES = STORES.filter(({ name }) => !name.startsWith('Redis'));

describeEachStore('the tables on $name', DATABASES, () => ({
  tests(on) {
    on('are needed to serve, and the refusal names migrate', async (store) => {
      const settings = await store.newSettings();
      await expectRefusal(['serve'], settings, /DATABASE_URL: .*graphql-accounts migrate/);
      // It has not made them by looking.
      await expectRefusal(['serve'], settings, /DATABASE_URL: .*graphql-accounts migrate/);
    });

    on('are made once, by a flag too', async (store) => {
      const settings = await store.newSettings();
      for (let n = 0; n < 2; n++) {
        const answer = await program.run(['migrate', '--database-url', settings.DATABASE_URL]);
        expect(answer).toMatchObject({ code: 0, stderr: '' });
        expect(answer.stdout).toMatch(/^\S+ is up to date\n$/);
        expect(answer.stdout).not.toContain('secret');
      }
      const { stop } = await program.serve(settings);
      await stop();
    });
  },
}));

test.each([
  'postgres://ada:12345/hunter2@127.0.0.1/accounts',
  'postgres://ada:12?hunter2@127.0.0.1/accounts',
  'postgres://ada:12#hunter2@127.0.0.1/accounts',
  'mysql://ada:p@12/hunter2@127.0.0.1/accounts',
  'mongodb://ada:12345/hunter2@127.0.0.1/accounts',
])('a password that ends its URL too early is not told: %s', async (url) => {
  await expectRefusal(['migrate'], { DATABASE_URL: url }, /DATABASE_URL: .* write \/ as %2F/);
});

describeEachStore(
  'a migration on $name',
  STORES.filter(({ name }) => name === 'PostgreSQL'),
  () => ({
    tests(on) {
      on('waits for another one that takes longer than a start may', async (store) => {
        const { DATABASE_URL } = await store.newSettings();
        const other = new pg.Client({ connectionString: DATABASE_URL });
        await other.connect();
        await other.query('SELECT pg_advisory_lock(7378123390467043)');
        const migrating = program.run(['migrate'], { DATABASE_URL });
        // A start may take 15 s: only what is longer shows that this is none.
        await Promise.race([migrating, elapse(16_000)]);
        await other.end();
        expect(await migrating).toMatchObject({ code: 0, stderr: '' });
      });
    },
  }),
);

test.each(['sqlite::memory:', 'sqlite:./migrated.db'])('migrate makes the tables of %s', async (url) => {
  for (let n = 0; n < 2; n++) {
    const { code, stderr } = await program.run(['migrate'], { DATABASE_URL: url });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});
