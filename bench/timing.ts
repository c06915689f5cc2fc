// npm run bench:timing: whether the time of an answer tells a stranger what its words do not (S8).
//
// Samples of the classes that must look alike are taken in turn, so that the machine's moods fall on all of them, and
// compared by the two-sample Kolmogorov–Smirnov distance: below the threshold the distributions cannot be told apart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteDatabase } from '../src/database/sqlite/index.ts';
import { AccountsServer, password } from '../src/index.ts';
import { startServer } from './children.ts';
import { PASSWORD } from './requests.ts';

const SAMPLES = Number(process.env.BENCH_SAMPLES ?? 1000);

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-timing-'));
await prepare(join(folder, 'accounts.db'));
// A thousand guesses from one address: past the limits there would be nothing to measure.
const settings = [`MAIL_URL=file:${folder}/mails`, 'RATE_LIMITS=off'];
const server = await startServer('accounts-server.ts', folder, ...settings);

const ask = (query: string, variables?: object) => () =>
  fetch(`http://127.0.0.1:${server.port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  }).then((response) => response.text());
const logIn = (email: string) =>
  ask(
    `mutation { authenticate(serviceName: "password", params: { user: { email: "${email}" }, password: "another password" }) { sessionId } }`,
  );
// One document for all: each that is new has to be parsed, and an address that is new would be one.
const signUp = (email: string) =>
  ask('mutation SignUp($user: CreateUserInput!) { createUser(user: $user) { userId } }', {
    user: { email, password: PASSWORD },
  });
const forget = (email: string) => ask(`mutation { sendResetPasswordEmail(email: "${email}") }`);
let count = 0;
const questions: { name: string; classes: { [name: string]: () => Promise<unknown> } }[] = [
  {
    name: 'login',
    classes: {
      'wrong password': logIn('known@example.com'),
      'unknown user': logIn('nobody@example.com'),
      'no password': logIn('passwordless@example.com'),
      deactivated: logIn('gone@example.com'),
    },
  },
  {
    name: 'sign-up',
    classes: {
      'new address': () => signUp(`new${10_000 + count++}@example.com`)(),
      'taken address': signUp('known000@example.com'),
    },
  },
  {
    name: 'reset mail',
    classes: { known: forget('known@example.com'), unknown: forget('strng@example.com') },
  },
  {
    // What a stranger could ask next, to see what the server is busy with after its answer.
    name: 'the request after a reset mail',
    classes: { known: after('known@example.com'), unknown: after('strng@example.com') },
  },
];

try {
  for (const { name, classes } of questions) {
    const samples = await sample(Object.entries(classes));
    const [first = [], ...others] = samples;
    // 1.95 · √(2/n): a chance of 0.1 % that equal distributions lie further apart.
    const threshold = 1.95 * Math.sqrt(2 / SAMPLES);
    console.table(
      Object.keys(classes).map((label, index) => ({
        question: name,
        class: label,
        'median ms': round(at(samples[index] ?? [], 0.5)),
        'p95 ms': round(at(samples[index] ?? [], 0.95)),
        'distance to the first': index === 0 ? '' : round(distance(first, others[index - 1] ?? [])),
        threshold: round(threshold),
      })),
    );
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

function after(email: string): () => Promise<unknown> {
  return async () => {
    await forget(email)();
    await ask('{ __typename }')();
  };
}

/** Somebody with a password, somebody without and somebody who was deactivated. */
async function prepare(file: string): Promise<void> {
  const db = sqliteDatabase(file);
  const accounts = new AccountsServer(
    { db, tokenSecret: 'a secret of the benchmark, long enough' },
    { password: password() },
  );
  const { password: service } = accounts.services;
  for (const name of ['known', 'gone', 'known000']) {
    await service.createUser({ email: `${name}@example.com`, password: PASSWORD });
  }
  await service.createUser({ email: 'passwordless@example.com' });
  await accounts.deactivateUser((await service.findUserByEmail('gone@example.com'))?.id ?? '');
  await db.close?.();
}

async function sample(classes: [string, () => Promise<unknown>][]): Promise<number[][]> {
  const times = classes.map((): number[] => []);
  for (let round = 0; round < SAMPLES + 20; round++) {
    // In another order each round: what comes after what is no class either.
    for (const index of classes.keys()) {
      const turn = (index + round) % classes.length;
      const started = performance.now();
      await classes[turn]?.[1]();
      const spent = performance.now() - started;
      if (round >= 20) times[turn]?.push(spent);
      // What goes on after the answer is over before the next sample begins.
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }
  return times.map((own) => own.toSorted((a, b) => a - b));
}

/** The largest distance between the two empirical distributions. Both are sorted. */
function distance(one: readonly number[], other: readonly number[]): number {
  let largest = 0;
  let seen = 0;
  for (const [index, value] of one.entries()) {
    while (seen < other.length && (other[seen] ?? 0) <= value) seen++;
    largest = Math.max(largest, Math.abs((index + 1) / one.length - seen / other.length));
  }
  return largest;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
