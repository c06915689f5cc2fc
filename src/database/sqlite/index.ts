import { resolve } from 'node:path';
import { checkedDatabase } from '../checked.ts';
import { checkNumber, checkString } from '../checks.ts';
import type { AccountsDatabase } from '../ports.ts';
import { createConnection } from './connection.ts';
import { sqliteCounters } from './counters.ts';
import { IN_MEMORY } from './file.ts';
import { sqliteIdentities } from './identities.ts';
import { sqliteOneTimeTokens } from './one-time-tokens.ts';
import { sqliteSessions } from './sessions.ts';
import { sqliteUsers } from './users.ts';

export interface SqliteOptions {
  /**
   * `full`, the default: what was acknowledged survives a power failure. `normal` spares a sync to the disk per
   * commit; after a power failure the last changes may be gone (a revoked session may live again), though the file
   * is whole. A killed process loses nothing either way.
   */
  synchronous?: 'full' | 'normal' | undefined;
  /** For how long, in milliseconds, a call waits for other processes that hold the file. 5,000 by default. */
  patience?: number | undefined;
}

/**
 * A database in one file, through `node:sqlite`: nothing to install, several processes of one machine may share it.
 * `':memory:'` instead of a path keeps it in this process.
 *
 * The file is opened at the first call: then it is created if it is missing (with its folder, for its owner's eyes
 * only) and brought to the newest schema. A file that is damaged, not ours or of a newer version is refused and left
 * as it is. While another process writes, calls wait without holding up the event loop, and are refused with
 * `SERVICE_UNAVAILABLE` after `patience`. When the file is deleted or replaced while it is open, every change is
 * refused. `ping()` writes, so that it fails where changes would, also on a full disk.
 *
 * ```ts
 * const db = sqliteDatabase('./data/accounts.db');
 * await db.ping?.();
 * const accountsServer = new AccountsServer({ db, tokenSecret }, services);
 * ```
 *
 * @throws TypeError when the path or an option cannot be meant.
 */
export function sqliteDatabase(path: string, options: SqliteOptions = {}): AccountsDatabase {
  const { synchronous = 'full', patience = 5_000 } = options;
  checkString(path, 'path');
  if (path === '' || /^[a-z]{2,}:/i.test(path))
    throw new TypeError("path must be a path or ':memory:', no URL");
  if (synchronous !== 'full' && synchronous !== 'normal')
    throw new TypeError("synchronous must be 'full' or 'normal'");
  checkNumber(patience, 'patience');

  const file = path === IN_MEMORY ? IN_MEMORY : resolve(path);
  const connection = createConnection(file, { synchronous, patience });
  const users = sqliteUsers(connection);
  return checkedDatabase(
    {
      users,
      identities: sqliteIdentities(connection),
      sessions: sqliteSessions(connection, users),
      oneTimeTokens: sqliteOneTimeTokens(connection),
      counters: sqliteCounters(connection),
    },
    // A file is brought up to date when it is opened.
    { ping: connection.ping, migrate: connection.ping, close: connection.close },
  );
}
