import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mongoose';
import { needPackage } from '../../need-package.ts';
import { checkedDatabase } from '../checked.ts';
import type { AccountsDatabase } from '../ports.ts';
import { collectionsOf, createOpener, type Database } from './connection.ts';
import { explain } from './failures.ts';
import { checkIndexes, checkVersion, migrate, touch } from './migration.ts';
import { registerModels } from './models.ts';
import type { Collections } from './schema.ts';
import { mongooseStores } from './stores.ts';

needPackage('mongoose', 'graphql-accounts/database/mongoose');

export interface MongooseOptions {
  /** Whether `close()` closes the connection too. Otherwise, by default, that is left to whoever has opened it. */
  closeConnection?: boolean | undefined;
  /**
   * The time in milliseconds since 1970-01-01 UTC, by which a sign-up is taken for dead that has not been completed in
   * 5 s. `Date.now` by default.
   */
  now?: (() => number) | undefined;
}

/**
 * A database on a connection of mongoose, which may still be connecting: a standalone server, a replica set or a sharded
 * cluster, of MongoDB 4.4 or newer. It needs no transactions.
 *
 * The collections are `accounts_users`, `accounts_identities`, `accounts_sessions`, `accounts_one_time_tokens`,
 * `accounts_counters` and `accounts_meta`. They are made by `migrate()`, or by `graphql-accounts migrate`; every call before that is refused.
 * What was acknowledged was written by a majority of the replica set, and reads go to the primary, whatever the
 * connection says.
 *
 * ```ts
 * await mongoose.connect('mongodb://127.0.0.1:27017/shop');
 * const db = mongooseDatabase(mongoose.connection);
 * await db.migrate?.();
 * const accountsServer = new AccountsServer({ db, tokenSecret }, services);
 * ```
 *
 * @throws TypeError when the connection or an option cannot be meant.
 */
export function mongooseDatabase(connection: Connection, options: MongooseOptions = {}): AccountsDatabase {
  const { closeConnection = false, now = Date.now } = options;
  if (typeof connection?.asPromise !== 'function' || typeof connection.base?.Schema !== 'function')
    throw new TypeError('connection must be a connection of mongoose, such as mongoose.connection');
  if (typeof closeConnection !== 'boolean') throw new TypeError('closeConnection must be a boolean');
  if (typeof now !== 'function') throw new TypeError('now must be a function');

  registerModels(connection);
  const database = createOpener(connection);
  const stores = mongooseStores(createReadiness(database), { now, wait });
  const onDatabase = (work: (db: Database) => Promise<void>) => async (): Promise<void> => {
    try {
      await work(await database());
    } catch (error) {
      throw explain(error);
    }
  };
  return checkedDatabase(stores, {
    ping: onDatabase(async (db) => {
      await checkVersion(db);
      await checkIndexes(db);
      await touch(db);
    }),
    migrate: onDatabase(migrate),
    close: async () => {
      if (closeConnection) await connection.close();
    },
  });
}

/**
 * Gives the collections, once the database is known to be that of this version: without indexes a look-up would read
 * whole collections, and a newer version may mean something else by what it stores.
 */
function createReadiness(database: () => Promise<Database>): () => Promise<Collections> {
  const known = new WeakMap<Database, Promise<Collections>>();
  return async () => {
    const db = await database();
    let collections = known.get(db);
    if (!collections) {
      collections = checkVersion(db).then(() => collectionsOf(db));
      known.set(db, collections);
      collections.catch(() => known.delete(db));
    }
    return collections;
  };
}

/** Longer from time to time, and never the same in two processes that wait for each other. */
async function wait(attempt: number): Promise<void> {
  await sleep(Math.min(5 * 2 ** attempt, 100) * (0.5 + Math.random() / 2));
}
