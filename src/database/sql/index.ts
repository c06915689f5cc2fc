import { needPackage } from '../../need-package.ts';
import { checkedDatabase } from '../checked.ts';
import type { AccountsDatabase } from '../ports.ts';
import type { Connection } from './connection.ts';
import { sqlCounters } from './counters.ts';
import { sqlIdentities } from './identities.ts';
import { createSchema } from './migrations.ts';
import { sqlOneTimeTokens } from './one-time-tokens.ts';
import { sqlSessions } from './sessions.ts';
import { connectTo, type SqlSource } from './source.ts';
import { sqlUsers } from './users.ts';

export type { MysqlPoolSource, PgPoolSource, SqlSource } from './source.ts';

needPackage('kysely', 'graphql-accounts/database/sql');

export interface SqlOptions {
  /** How many connections our own pool has at most, where `source` is a URL of a server. 10 by default. */
  poolSize?: number | undefined;
  /**
   * For how long, in milliseconds, a call waits for a connection, for an answer of the server, and for the end of
   * somebody else's lock. After that it is refused with `SERVICE_UNAVAILABLE`, and the connection is thrown away.
   * 5,000 by default. With SQLite or a dialect of Kysely it is the wait for somebody else's lock alone.
   */
  patience?: number | undefined;
}

/**
 * A database in the tables `accounts_*` of PostgreSQL, MySQL, MariaDB or SQLite, which may stand beside those of an
 * application. `accounts_users.id` may be the target of foreign keys.
 *
 * `source` is a URL, or what the application has already: its `pg.Pool`, its pool of mysql2, its `DatabaseSync` of
 * `node:sqlite`, or a dialect of Kysely. What is the application's is used as it is and not closed by `close()`.
 *
 * `migrate()` makes the tables, from the files in the folder `migrations` of the package. Until then, and when they
 * are of a newer version or were changed by hand, every call is refused with one line that says what to do. Nothing is
 * connected before the first call.
 *
 * ```ts
 * const db = sqlDatabase('postgres://accounts:secret@localhost/shop');
 * await db.migrate?.();
 * const accountsServer = new AccountsServer({ db, tokenSecret }, services);
 * ```
 *
 * @throws TypeError when the source or an option cannot be meant.
 * @throws Error when the package of the driver is not installed: one line that names it.
 */
export function sqlDatabase(source: SqlSource, options: SqlOptions = {}): AccountsDatabase {
  const { poolSize = 10, patience = 5_000 } = options;
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) throw new TypeError('poolSize must be 1 or more');
  // Timers of Node end at once when they are to last longer than 2^31 ms.
  if (!Number.isFinite(patience) || patience < 1 || patience > 2 ** 31 - 1)
    throw new TypeError('patience must be a number of milliseconds');

  const connection = connectTo(source, { poolSize, patience });
  const schema = createSchema(connection);
  let ready: Promise<void> | null = null;
  /** Asked until the answer is good: somebody may migrate meanwhile. */
  const whenMigrated = (): Promise<void> => {
    ready ??= schema.check().catch((error: unknown) => {
      ready = null;
      throw error;
    });
    return ready;
  };
  const whenReady: Connection = {
    ...connection,
    run: async (query) => {
      await whenMigrated();
      return connection.run(query);
    },
    transact: async (steps) => {
      await whenMigrated();
      return connection.transact(steps);
    },
  };
  const users = sqlUsers(whenReady);
  return checkedDatabase(
    {
      users,
      identities: sqlIdentities(whenReady),
      sessions: sqlSessions(whenReady, users),
      oneTimeTokens: sqlOneTimeTokens(whenReady),
      counters: sqlCounters(whenReady),
    },
    { ping: schema.check, migrate: schema.migrate, close: connection.close },
  );
}
