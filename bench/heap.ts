// npm run bench:heap: whether the memory of a process grows with the logins it has seen (S57).
//
// A million logins, each with a look-up and a refresh, by a hasher that costs nothing. The clock runs ahead, so that
// sessions end and are forgotten as they would be over months.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sqliteDatabase } from '../src/database/sqlite/index.ts';
import { AccountsServer, password } from '../src/index.ts';

const LOGINS = Number(process.env.BENCH_LOGINS ?? 1_000_000);
const STEPS = 10;
const AT_ONCE = 50;
const USERS = 1_000;
const DAY = 24 * 60 * 60 * 1000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let time = Date.UTC(2026, 0, 1);
const server = new AccountsServer(
  { db: sqliteDatabase(':memory:'), tokenSecret: 'a secret of the benchmark, long enough', now: () => time },
  {
    password: password({
      hashPassword: async (typed) => `plain ${typed}`,
      verifyPassword: async (typed, hash) => hash === `plain ${typed}`,
    }),
  },
);
for (let index = 0; index < USERS; index++) {
  await server.services.password.createUser({ username: `user${index}`, password: 'correct horse battery' });
}

const heaps: number[] = [];
for (let step = 1; step <= STEPS; step++) {
  for (let done = 0; done < LOGINS / STEPS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => visit((done + index) % USERS)));
    time += DAY / 100;
    if (done % (100 * AT_ONCE) === 0) await server.removeExpired();
  }
  time += 40 * DAY;
  await server.removeExpired();
  await server.settled();
  collectGarbage();
  heaps.push(process.memoryUsage().heapUsed);
  console.log(
    `${(step * LOGINS) / STEPS} logins: ${megabytes(heaps.at(-1) ?? 0)} MB of heap after collection`,
  );
}
// The first step fills the caches, which are bounded.
const [, second = 0] = heaps;
console.log(`grown since the second step: ${megabytes((heaps.at(-1) ?? 0) - second)} MB`);

async function visit(user: number): Promise<void> {
  const params = { user: `user${user}`, password: 'correct horse battery' };
  const { tokens } = await server.loginWithService('password', params);
  await server.resumeSession(tokens.accessToken);
  await server.refreshTokens(tokens.accessToken, tokens.refreshToken);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e4) / 100;
}
