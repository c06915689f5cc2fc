import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { within } from '../core/deadline.ts';
import { SECOND } from '../core/time.ts';
import type { AccountsDatabase } from '../database/ports.ts';
import { sqliteDatabase } from '../database/sqlite/index.ts';
import { AccountsError } from '../errors.ts';
import { BadConfiguration, reasonOf } from './bad-configuration.ts';
import type { Config } from './config.ts';
import { newSecret, readOrMakeSecret } from './token-secret.ts';

const START_TIMEOUT = 12 * SECOND;

/** A database that has answered once, and the secret that goes with it. */
export interface OpenDatabase {
  db: AccountsDatabase;
  tokenSecret: string;
  /** Where the data lies, for people. */
  place: string;
}

/** Opens the database, and makes its tables and its token secret where they are missing. Throws BadConfiguration. */
export async function openDatabase({
  database,
  tokenSecret,
}: Pick<Config, 'database' | 'tokenSecret'>): Promise<OpenDatabase> {
  if (database === 'memory') {
    const db = await opened(':memory:');
    return { db, tokenSecret: tokenSecret ?? newSecret(), place: 'in memory, and gone when it stops' };
  }
  const path = resolve(database.path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new BadConfiguration(
      `DATABASE_URL: the folder ${dirname(path)} cannot be made: ${reasonOf(error)}`,
    );
  }
  const db = await opened(path);
  return { db, tokenSecret: tokenSecret ?? (await readOrMakeSecret(`${path}.token-secret`)), place: path };
}

async function opened(path: string): Promise<AccountsDatabase> {
  try {
    const db: AccountsDatabase = sqliteDatabase(path);
    await within(START_TIMEOUT, db.ping?.(), () => {
      throw new BadConfiguration(`DATABASE_URL: ${path} did not answer within ${START_TIMEOUT / SECOND} s`);
    });
    return db;
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    // The path is checked already: what the adapter rejects as misuse is an error of ours.
    if (error instanceof TypeError) throw error;
    const isLocked = error instanceof AccountsError;
    const reason = isLocked ? `another process does not let go of ${path}` : reasonOf(error);
    throw new BadConfiguration(`DATABASE_URL: ${reason}`);
  }
}
