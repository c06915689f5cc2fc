import type { AccountsDatabase } from '../../database/ports.ts';
import { sqlDatabase } from '../../database/sql/index.ts';
import { BadConfiguration } from '../bad-configuration.ts';
import type { OpenStore } from './open-store.ts';
import { serverOf } from './server-name.ts';

/** PostgreSQL, MySQL or MariaDB, with a pool of its own. Throws BadConfiguration under the name of the setting. */
export function openSql(url: string, name: string): OpenStore<AccountsDatabase> {
  const db = open(url, name);
  return { store: db, place: serverOf(url), close: async () => db.close?.() };
}

function open(url: string, name: string): AccountsDatabase {
  try {
    return sqlDatabase(url);
  } catch (error) {
    if (error instanceof TypeError) throw new BadConfiguration(`${name}: ${error.message}`);
    throw error;
  }
}
