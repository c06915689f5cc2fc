// npm run bench:fill -- --url URL --users N: fills a database with users `user<i>@example.com`, named `user<i>`, whose
// password is `correct horse battery staple 9`. It is hashed once: the same record for all.
import { parseArgs } from 'node:util';
import { mapAtOnce } from '../src/cli/import/at-once.ts';
import { openDatabase } from '../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../src/cli/stores/urls.ts';
import type { AccountsDatabase, NewUser, UserStore } from '../src/database/ports.ts';
import { createHasher } from '../src/services/password/hasher.ts';
import { PASSWORD } from './requests.ts';

const BATCH = 500;
/** Users that are made up at a time, and whose batches are stored side by side. */
const AT_ONCE = 4 * BATCH;
/** Where each user is stored alone: so few that none waits in vain for a connection of the pool. */
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
  for (let start = from; start < to; start += AT_ONCE) {
    const users = Array.from({ length: Math.min(AT_ONCE, to - start) }, (_, index) => make(start + index));
    if (!(await storeAll(db.users, users))) throw new Error('some of these users are there already');
  }
}

/** False when some are there already. */
async function storeAll(store: UserStore, users: readonly NewUser[]): Promise<boolean> {
  if (store.createAll) {
    const batches = Array.from({ length: Math.ceil(users.length / BATCH) }, (_, n) =>
      users.slice(n * BATCH, (n + 1) * BATCH),
    );
    const answers = await Promise.all(batches.map((batch) => store.createAll?.(batch)));
    return !answers.includes(false);
  }
  const conflicts = await mapAtOnce(IN_FLIGHT, users, ({ user, identities }) =>
    store.create(user, identities),
  );
  return conflicts.every((conflict) => conflict === null);
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
