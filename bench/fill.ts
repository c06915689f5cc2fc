// npm run bench:fill -- --url URL --users N: fills a database with users `user<i>@example.com`, named `user<i>`, whose
// password is `correct horse battery staple 9`. It is hashed once: the same record for all.
import { parseArgs } from 'node:util';
import { mapAtOnce } from '../src/cli/import/at-once.ts';
import { openDatabase } from '../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../src/cli/stores/urls.ts';
import type { AccountsDatabase, NewUser } from '../src/database/ports.ts';
import { createHasher } from '../src/services/password/hasher.ts';

export const PASSWORD = 'correct horse battery staple 9';

const BATCH = 500;
/** Fewer than wait in vain for the connections of a pool; SQLite commits what arrives in one turn together. */
const IN_FLIGHT = 256;

/** Puts users number `from` to `to` (not included) into an open database. */
export async function fill(db: AccountsDatabase, from: number, to: number): Promise<void> {
  const hash = await createHasher().hash(PASSWORD);
  const now = Date.now();
  const make = (n: number): NewUser => {
    const [id, email, username] = [`id-${n}`, `user${n}@example.com`, `user${n}`];
    const identity = { userId: id, version: 1, createdAt: now, data: {} };
    return {
      user: {
        ...{ id, version: 1, username, deactivated: false, profile: {}, createdAt: now, updatedAt: now },
        emails: [{ address: email, canonical: email, verified: false, claimed: true }],
      },
      identities: [
        { ...identity, service: 'email', subject: email },
        { ...identity, service: 'username', subject: username },
        { ...identity, service: 'password', subject: id, data: { ...hash, generation: 1, changedAt: now } },
      ],
    };
  };
  for (let start = from; start < to; start += 4 * BATCH) {
    const users = Array.from({ length: Math.min(4 * BATCH, to - start) }, (_, index) => make(start + index));
    await store(db, users);
  }
}

async function store({ users: store }: AccountsDatabase, users: readonly NewUser[]): Promise<void> {
  if (store.createAll) {
    const batches = Array.from({ length: Math.ceil(users.length / BATCH) }, (_, n) =>
      users.slice(n * BATCH, (n + 1) * BATCH),
    );
    const answers = await Promise.all(batches.map((batch) => store.createAll?.(batch)));
    if (answers.includes(false)) throw new Error('some of these users are there already');
    return;
  }
  const conflicts = await mapAtOnce(IN_FLIGHT, users, ({ user, identities }) =>
    store.create(user, identities),
  );
  if (conflicts.some((conflict) => conflict !== null))
    throw new Error('some of these users are there already');
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { url: { type: 'string' }, users: { type: 'string' } } });
  const users = Number(values.users);
  if (!values.url || !Number.isSafeInteger(users) || users < 1)
    throw new Error('usage: npm run bench:fill -- --url URL --users N');
  const { store: db, close } = await openDatabase(parseDatabaseUrl(values.url, '--url'), {
    name: '--url',
    migrate: true,
  });
  const started = performance.now();
  await fill(db, 0, users);
  const seconds = (performance.now() - started) / 1000;
  await close();
  console.log(`${users} users in ${seconds.toFixed(1)} s: ${Math.round(users / seconds)} a second`);
}
