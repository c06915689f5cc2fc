import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { AccountsDatabase } from '../../database/ports.ts';
import { sqliteDatabase } from '../../database/sqlite/index.ts';
import { BadConfiguration, reasonOf } from '../bad-configuration.ts';

/** Opens a file to look into it. Null where it, or its tables, would have to be made. Throws BadConfiguration. */
export async function openUnchanged(
  path: string,
): Promise<{ store: AccountsDatabase; close(): Promise<void> } | null> {
  if (!existsSync(path) || isEmpty(path)) return null;
  const store = sqliteDatabase(path);
  const close = async (): Promise<void> => store.close?.();
  try {
    // Not a ping: that writes.
    await store.users.findMany([]);
    return { store, close };
  } catch (error) {
    await close();
    throw new BadConfiguration(`--to: ${reasonOf(error)}`);
  }
}

/** What is no file of SQLite, somebody else's, or locked, is left to whoever opens it then. */
function isEmpty(path: string): boolean {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {};
    const { application_id: owner } = db.prepare('PRAGMA application_id').get() ?? {};
    return tables === 0 && owner === 0;
  } catch {
    return false;
  } finally {
    db?.close();
  }
}
