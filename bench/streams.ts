// npm run bench:streams: what ten thousand open subscriptions cost that wait for nothing but their session's end.
//
// In one process, each stream with a session of its own; SQLite in a file, and stateless. Nothing happens in them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { AccountsDatabase } from '../src/database/ports.ts';
import { sqliteDatabase } from '../src/database/sqlite/index.ts';
import { createContext } from '../src/graphql/context.ts';
import { liveResults } from '../src/graphql/live/live-results.ts';
import { AccountsServer } from '../src/index.ts';

const STREAMS = Number(process.env.BENCH_STREAMS ?? 10_000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A source in which nothing ever happens. */
class Idle implements AsyncIterable<object> {
  [Symbol.asyncIterator](): AsyncIterator<object> {
    return { next: () => new Promise(() => undefined) };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-streams-'));
try {
  for (const useStatelessSession of [false, true]) await measure(useStatelessSession);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(useStatelessSession: boolean): Promise<void> {
  const db = sqliteDatabase(join(folder, `${useStatelessSession}.db`));
  await db.migrate?.();
  const { counted, count } = countLookUps(db);
  const server = new AccountsServer({
    db: counted,
    tokenSecret: 'a secret of the benchmark, long enough',
    useStatelessSession,
    // Otherwise the streams would end in the middle.
    tokenConfigs: { accessToken: { expiresIn: '1h' } },
  });
  const contextOf = createContext(server);
  const contexts: unknown[] = [];
  for (const tokens of await logIn(server, db)) {
    const headers = { authorization: `Bearer ${tokens}` };
    contexts.push(await contextOf(new Request('http://localhost', { headers })));
  }

  const idle = await cpu();
  const before = heap();
  // What any stream costs: an iterator, and a reader that waits.
  const plain = contexts.map(() => new Idle()[Symbol.asyncIterator]());
  const readers = plain.map((stream) => stream.next());
  const withSources = heap();
  const streams = contexts.map((context) => liveResults(new Idle(), context));
  const waiting = streams.map((stream) => stream?.next());
  const withStreams = heap();

  count();
  const busy = await cpu();
  const lookUps = count();
  console.log(
    `${useStatelessSession ? 'stateless' : 'stateful, SQLite'}: ${STREAMS} streams, ${SECONDS} s\n` +
      `  bytes for each stream, beyond its source and its reader: ${Math.round((withStreams - withSources - (withSources - before)) / STREAMS)}\n` +
      `  look-ups: ${lookUps.calls}, of ${lookUps.ids} sessions, ${Math.round(lookUps.ids / SECONDS)} sessions a second\n` +
      `  processor: ${percent(busy)} of one core, ${percent(idle)} without streams`,
  );
  for (const stream of streams) await stream?.return();
  await db.close?.();
  void [readers, waiting];
}

/** Access tokens of as many sessions, of as many users. */
async function logIn(server: AccountsServer, db: AccountsDatabase): Promise<string[]> {
  const tokens: string[] = [];
  const now = Date.now();
  for (let index = 0; index < STREAMS; index++) {
    const id = `user-${index}`;
    const user = { id, version: 1, username: null, emails: [], deactivated: false, profile: {} };
    await db.users.create({ ...user, createdAt: now, updatedAt: now }, []);
    tokens.push((await server.loginWithUser({ id })).tokens.accessToken);
  }
  return tokens;
}

function countLookUps(db: AccountsDatabase) {
  let told = { calls: 0, ids: 0 };
  const { findWithUsers } = db.sessions;
  const counted: AccountsDatabase = {
    ...db,
    sessions: {
      ...db.sessions,
      findWithUsers: async (ids) => {
        told.calls++;
        told.ids += ids.length;
        return (await findWithUsers?.(ids)) ?? [];
      },
    },
  };
  return {
    counted,
    /** Since it was asked last. */
    count() {
      const since = told;
      told = { calls: 0, ids: 0 };
      return since;
    },
  };
}

/** The share of one core that this process takes. */
async function cpu(): Promise<number> {
  const before = process.cpuUsage();
  await sleep(SECONDS * 1000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (SECONDS * 1e6);
}

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
