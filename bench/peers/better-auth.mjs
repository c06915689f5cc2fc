// better-auth as published, on node:http and SQLite: node bench/peers/better-auth.mjs FILE cache=on|off
//
// Its own guide to performance names one thing that applies here: the cookie cache, which answers `get-session` from a
// signed cookie without asking the database, and learns of a revocation only when that ends. It is measured with and
// without. Its limits are off, as ours are, and it renews no session while it is measured.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { serveBench } from '../children.ts';

const [file, cache] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
const options = {
  database,
  secret: 'a secret of the benchmark, long enough',
  baseURL: 'http://localhost',
  emailAndPassword: { enabled: true },
  session: {
    disableSessionRefresh: true,
    cookieCache: { enabled: cache === 'cache=on', maxAge: 15 * 60 },
  },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  advanced: { useSecureCookies: false, ipAddress: { disableIpTracking: true } },
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const auth = betterAuth(options);
const server = createServer({ keepAliveTimeout: 600_000 }, toNodeHandler(auth));
server.listen(0, '127.0.0.1', () => {
  serveBench(server.address().port, {
    /** Users who have signed up; it hashes each password. */
    users: (users) =>
      Promise.all(
        users.map(({ email, password }) => auth.api.signUpEmail({ body: { name: email, email, password } })),
      ).then(() => undefined),
    /** The cookies of a new session of each. */
    sessions: ({ users }) =>
      Promise.all(
        users.map(async ({ email, password }) => {
          const { headers } = await auth.api.signInEmail({ body: { email, password }, returnHeaders: true });
          return headers
            .getSetCookie()
            .map((cookie) => cookie.split(';')[0])
            .join('; ');
        }),
      ),
  });
});
