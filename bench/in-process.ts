// Within one process: what it takes to resolve a session, beside what nobody can do without; and memory.
//
// The floor is written by hand for this one purpose: the HMAC of a token is compared, its payload parsed, its expiry
// looked at, and the user found in a Map, or session and user read from SQLite as one row.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sqliteDatabase } from '../src/database/sqlite/index.ts';
import { AccountsServer } from '../src/index.ts';
import { serveBench } from './children.ts';
import { fill } from './fill.ts';

const SECRET = 'a secret of the benchmark, long enough';
const USERS = 1_000;
const SESSIONS = 2_000;
const AT_ONCE = 50;
const STEPS = 10;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-in-process-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'accounts.db');
const db = sqliteDatabase(file);
await db.migrate?.();
await fill(db, 0, USERS);
const make = (useStatelessSession: boolean) =>
  new AccountsServer({ db, tokenSecret: SECRET, useStatelessSession, rateLimits: false });
const [stateful, stateless] = [make(false), make(true)];
const tokens = await logIn();

const raw = new DatabaseSync(file);
const row = raw.prepare(
  'SELECT * FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = ?',
);
const key = createSecretKey(Buffer.from(SECRET));
const users = new Map(Array.from({ length: USERS }, (_, n) => [`id-${n}`, { id: `id-${n}` }]));

async function logIn(): Promise<string[]> {
  const made: string[] = [];
  for (let n = 0; n < SESSIONS; n++)
    made.push((await stateful.loginWithUser({ id: `id-${n % USERS}` })).tokens.accessToken);
  return made;
}

interface Payload {
  sub: string;
  sid: string;
  exp: number;
}

function verify(token: string): Payload {
  const end = token.lastIndexOf('.');
  const expected = createHmac('sha256', key).update(token.slice(0, end)).digest();
  if (!timingSafeEqual(expected, Buffer.from(token.slice(end + 1), 'base64url'))) throw new Error('forged');
  const start = token.indexOf('.') + 1;
  const payload: Payload = JSON.parse(Buffer.from(token.slice(start, end), 'base64url').toString());
  if (payload.exp * 1000 <= Date.now()) throw new Error('expired');
  return payload;
}

const tokenOf = (n: number): string => tokens[n % SESSIONS] ?? '';

/** Microseconds of processor time that one of so many takes. */
async function spent(count: number, work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function resolve(server: AccountsServer, count: number): Promise<void> {
  for (let n = 0; n < count; n += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => server.resumeRequester(tokenOf(n + i))));
}

const work: { [name: string]: (count: number) => unknown } = {
  stateful: (count) => resolve(stateful, count),
  statefulFloor: (count) => {
    for (let n = 0; n < count; n++) if (!row.get(verify(tokenOf(n)).sid)) throw new Error('no session');
  },
  stateless: (count) => {
    for (let n = 0; n < count; n++) stateless.resumeRequester(tokenOf(n));
  },
  statelessFloor: (count) => {
    for (let n = 0; n < count; n++) if (!users.has(verify(tokenOf(n)).sub)) throw new Error('no user');
  },
};

/** A token of another session, which nobody has seen before. */
function unseen(n: number): string {
  const [head = '', body = ''] = tokenOf(0).split('.');
  const payload = JSON.parse(Buffer.from(body, 'base64url').toString());
  const sid = `unseen-${n}`;
  const other = Buffer.from(JSON.stringify({ ...payload, sid, data: { ...payload.data, token: sid } }));
  const signed = `${head}.${other.toString('base64url')}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

serveBench(0, {
  /** Microseconds of each, by name. */
  resolving: async ({ count, reversed }: { count: number; reversed: boolean }) => {
    const found: { [name: string]: number } = {};
    const entries = Object.entries(work);
    for (const [name, each] of reversed ? entries.toReversed() : entries)
      found[name] = await spent(count, () => each(count));
    return found;
  },
  /** Of the cache of verified tokens: what one takes in it, and what stays after so many different ones. */
  memory: async ({ count }: { count: number }) => {
    const server = make(true);
    server.resumeRequester(unseen(0));
    const heaps = [heap()];
    const marks = [10_000, ...Array.from({ length: STEPS }, (_, step) => ((step + 1) * count) / STEPS)];
    let n = 0;
    for (const mark of marks) {
      for (; n < mark; n++) server.resumeRequester(unseen(n));
      heaps.push(heap());
    }
    const [empty = 0, full = 0, ...later] = heaps;
    return {
      bytesPerSession: Math.round((full - empty) / 10_000),
      tokens: count,
      heapsMB: later.map((bytes) => Math.round(bytes / 1e4) / 100),
      grown: (later.at(-1) ?? 0) / (later[1] ?? Number.NaN),
    };
  },
});
