// npm run bench:import [-- STORE …]: how fast users come over from accounts-js, and in how much memory.
//
// IMPORT_USERS (1,000,000) users that a source makes up go into SQLite and PostgreSQL, as the program imports them: each
// with a username, an address, a password and a profile. What is printed is the time of both
// readings and of the writing, and the largest resident memory and heap of this process in each tenth.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportProgress, importUsers, summaryOf } from '../src/cli/import/accounts-js.ts';
import type { ForeignUser, UserSource } from '../src/cli/import/foreign-user.ts';
import { openDatabase } from '../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../src/cli/stores/urls.ts';
import { STORES } from '../test/servers/stores.ts';

const USERS = Number(process.env.IMPORT_USERS ?? 1_000_000);
const WANTED = process.argv.length > 2 ? process.argv.slice(2) : ['SQLite', 'PostgreSQL'];
const BATCH = 1_000;
const TENTHS = 10;
/** Between two looks at the memory, in milliseconds. */
const INTERVAL = 100;
/** Of a memory that is flat the last tenths take no more than the second by this factor. */
const FLAT = 1.5;
const HASH = `$2a$10$${'a'.repeat(53)}`;
const MADE = Date.UTC(2020, 0, 1);

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-bench-import-'));

/** In the order of their ids, which are those of MongoDB. */
function userOf(n: number): ForeignUser {
  const id = `65f0c0ff${n.toString(16).padStart(16, '0')}`;
  return {
    ...{ key: `ObjectId:${id}`, id, label: id, username: `user${n}`, deactivated: false },
    emails: [{ address: `user${n}@example.com`, verified: n % 2 === 0 }],
    services: [['password', { bcrypt: HASH }]],
    ...{ createdAt: MADE + n, updatedAt: MADE + n },
    custom: { profile: { firstName: 'User', lastName: String(n), newsletter: true }, plan: 'gold' },
  };
}

const SOURCE: UserSource = {
  async *users() {
    for (let from = 0; from < USERS; from += BATCH)
      yield Array.from({ length: Math.min(BATCH, USERS - from) }, (_, n) => userOf(from + n));
  },
  close: async () => {},
};

/** The largest memory in each tenth of a phase. */
function watchMemory() {
  const peaks = new Map<string, { rss: number; heap: number }>();
  let at = 'reading 1';
  const look = (): void => {
    const { rss, heapUsed } = process.memoryUsage();
    const peak = peaks.get(at) ?? { rss: 0, heap: 0 };
    peaks.set(at, { rss: Math.max(peak.rss, rss), heap: Math.max(peak.heap, heapUsed) });
  };
  const timer = setInterval(look, INTERVAL);
  return {
    enter({ phase, users }: ImportProgress): void {
      const next = `${phase} ${Math.min(TENTHS, Math.floor((users / USERS) * TENTHS) + 1)}`;
      // A source that needs not wait leaves the timer no turn.
      if (next !== at) look();
      at = next;
    },
    stop: () => {
      clearInterval(timer);
      return peaks;
    },
  };
}

async function measure(name: string, url: string): Promise<boolean> {
  console.log(`\n${name}`);
  const { store, close } = await openDatabase(parseDatabaseUrl(url, 'URL'), { name: 'URL', migrate: true });
  const memory = watchMemory();
  const started = performance.now();
  let read = started;
  const result = await importUsers(SOURCE, {
    target: store,
    report: join(folder, 'report.ndjson'),
    encryptionKeys: [],
    progress: (progress) => {
      if (progress.phase === 'reading') read = performance.now();
      memory.enter(progress);
    },
  });
  const seconds = (performance.now() - started) / 1_000;
  const peaks = memory.stop();
  await close();
  const rate = Math.round(USERS / seconds);
  console.log(`  ${summaryOf(result, false)}`);
  console.log(`  ${seconds.toFixed(1)} s, of them ${((read - started) / 1_000).toFixed(1)} s reading first`);
  console.log(`  ${rate} users a second (5000 wanted)`);
  for (const [tenth, { rss, heap }] of peaks)
    console.log(`  ${tenth.padEnd(12)} ${megabytes(rss)} MB resident, ${megabytes(heap)} MB of heap`);
  const [second, ...later] = [...peaks].flatMap(([tenth, { rss }]) =>
    tenth.startsWith('importing ') && tenth !== 'importing 1' ? [rss] : [],
  );
  const grown = Math.max(...later) / (second ?? Number.NaN);
  console.log(
    `  memory after the second tenth: ${grown.toFixed(2)} times that of it (${FLAT} at most wanted)`,
  );
  return rate >= 5_000 && grown <= FLAT && result.imported === USERS;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

try {
  const met: boolean[] = [];
  if (WANTED.includes('SQLite')) met.push(await measure('SQLite', `sqlite:${join(folder, 'accounts.db')}`));
  for (const { name, start } of STORES.filter((store) => WANTED.includes(store.name))) {
    const running = await start();
    if (!running) throw new Error(`${name} is not on this machine`);
    try {
      met.push(await measure(name, (await running.newSettings()).DATABASE_URL));
    } finally {
      await running.close();
    }
  }
  if (met.includes(false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
