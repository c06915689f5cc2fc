import type { AccountsDatabase } from '../../database/ports.ts';
import { sqlDatabase } from '../../database/sql/index.ts';
import { serverOf } from './server-name.ts';

/** PostgreSQL, MySQL or MariaDB, with a pool of its own. */
export function openSql(url: string): { store: AccountsDatabase; place: string; close(): Promise<void> } {
  const db = sqlDatabase(url);
  return { store: db, place: serverOf(url), close: async () => db.close?.() };
}
