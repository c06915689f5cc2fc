import type { mongo } from 'mongoose';
import { NotMigrated } from '../not-migrated.ts';
import { collectionsOf, type Database, OPTIONS, PLAIN } from './connection.ts';
import { codeOf, isDuplicateKey, isUnauthorized } from './failures.ts';
import { type Index, SCHEMA, SCHEMA_VERSION } from './schema.ts';

const NAMESPACE_EXISTS = 48;
const INDEX_CONFLICTS: readonly unknown[] = [85, 86];
const NAMESPACE_NOT_FOUND = 26;
const COMMAND_NOT_FOUND = 59;

/**
 * Makes what is missing, and refuses what is not as it should be before it has written anything. Every step is safe when
 * another process does the same at the same time; the version comes last.
 */
export async function migrate(db: Database): Promise<void> {
  await refuseNewer(db);
  await refuseChanged(db);
  await refuseShardedOtherwise(db);
  for (const { collection, indexes } of Object.values(SCHEMA)) {
    await createCollection(db, collection);
    if (indexes.length > 0) await createIndexes(db, collection, indexes);
  }
  const { meta } = collectionsOf(db);
  try {
    await meta.updateOne(
      { _id: 'schema', version: { $lte: SCHEMA_VERSION } },
      { $set: { version: SCHEMA_VERSION } },
      { upsert: true },
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // Another process has written it just now, perhaps of a newer version.
    await refuseNewer(db);
  }
}

/** Throws unless the collections are those of this version. */
export async function checkVersion(db: Database): Promise<void> {
  const version = await versionOf(db);
  if (version === null || version < SCHEMA_VERSION) throw notMigrated(version);
  refuseIfNewer(version);
}

/** Writes, so that it fails where changes would: without a primary, without a majority, on a full disk. */
export async function touch(db: Database): Promise<void> {
  await collectionsOf(db).meta.updateOne(
    { _id: 'schema', version: SCHEMA_VERSION },
    { $set: { pingedAt: new Date() } },
  );
}

/** Throws when an index is missing or another than ours: the queries would read whole collections. */
export async function checkIndexes(db: Database): Promise<void> {
  for (const { collection, indexes } of Object.values(SCHEMA)) {
    const found = await indexesOf(db, collection);
    for (const index of indexes)
      if (!found.some((candidate) => isSame(candidate, index)))
        throw new NotMigrated(
          `the index ${index.name} of ${collection} is missing, or not ours: run \`graphql-accounts migrate\``,
        );
  }
}

/**
 * Throws when a collection is none that keeps what it is given: with a collation of its own two names that differ in case
 * or accents would be one, and one that is capped forgets the oldest.
 */
export function checkCollection({ name, type, options }: Described): void {
  if ((type ?? 'collection') === 'collection' && !options?.collation && !options?.capped) return;
  throw changed(`${name} is no plain collection`, 'Rename it and run `graphql-accounts migrate`');
}

/** As `listCollections` describes a collection. */
interface Described {
  name: string;
  type?: string | undefined;
  options?: mongo.Document | undefined;
}

/**
 * Throws when a collection is sharded by anything but `_id`: then MongoDB would keep no `_id` unique, and an address
 * could be two users'.
 */
export function checkShardKey(collection: string, { key, dropped }: Sharded): void {
  // Until MongoDB 5.0 what was dropped stays in the list.
  if (dropped || !key) return;
  const isById = Object.keys(key).length === 1 && (key._id === 1 || key._id === 'hashed');
  if (!isById)
    throw new Error(
      `the collection ${collection} is sharded by another key than _id: reshard it by { _id: 1 }`,
    );
}

/** As `config.collections` describes a collection. */
interface Sharded {
  key?: { readonly [field: string]: unknown } | undefined;
  dropped?: boolean | undefined;
}

async function versionOf(db: Database): Promise<number | null> {
  const schema = await collectionsOf(db).meta.findOne({ _id: 'schema' });
  if (schema && !Number.isSafeInteger(schema.version))
    throw changed('accounts_meta tells no version', 'Bring accounts_meta back from a backup');
  return schema?.version ?? null;
}

async function refuseNewer(db: Database): Promise<void> {
  const version = await versionOf(db);
  if (version !== null) refuseIfNewer(version);
}

function refuseIfNewer(version: number): void {
  if (version > SCHEMA_VERSION)
    throw new Error(
      `a newer version of graphql-accounts made the collections (schema ${version}, this one knows ${SCHEMA_VERSION}). Install that version`,
    );
}

async function refuseChanged(db: Database): Promise<void> {
  const found = await db.listCollections({}, { ...PLAIN, readPreference: 'primary' }).toArray();
  for (const { collection, indexes } of Object.values(SCHEMA)) {
    const there = found.find(({ name }) => name === collection);
    if (!there) continue;
    checkCollection(there);
    for (const existing of await indexesOf(db, collection)) {
      const ours = indexes.find(({ name, key }) => name === existing.name || isSameKey(key, existing.key));
      if (ours && !isSame(existing, ours))
        throw changed(
          `the index ${existing.name} of ${collection} is not ours`,
          'Drop it and run `graphql-accounts migrate`',
        );
    }
  }
}

/** Only a router of a sharded cluster has something to say about it. */
async function refuseShardedOtherwise(db: Database): Promise<void> {
  if (!(await isRouter(db))) return;
  const sharded = db.client.db('config').collection<Sharded & { _id: string }>('collections', {
    ...PLAIN,
    readPreference: 'primary',
  });
  for (const { collection } of Object.values(SCHEMA)) {
    const entry = await sharded
      .findOne({ _id: `${db.databaseName}.${collection}` })
      .catch((error: unknown) => {
        if (!isUnauthorized(error)) throw error;
        throw new Error(
          'how the collections are sharded cannot be read: run `graphql-accounts migrate` as a user with the role clusterMonitor',
        );
      });
    if (entry) checkShardKey(collection, entry);
  }
}

export async function isRouter(db: Pick<Database, 'command'>): Promise<boolean> {
  // MongoDB knows `hello` from 4.4.2 on.
  for (const command of [{ hello: 1 }, { isMaster: 1 }]) {
    try {
      return (await db.command(command, PLAIN)).msg === 'isdbgrid';
    } catch (error) {
      if (codeOf(error) !== COMMAND_NOT_FOUND) throw error;
    }
  }
  // What speaks MongoDB's protocol without knowing either is no router.
  return false;
}

async function createCollection(db: Database, name: string): Promise<void> {
  try {
    await db.createCollection(name, { writeConcern: OPTIONS.writeConcern });
  } catch (error) {
    if (codeOf(error) !== NAMESPACE_EXISTS) throw error;
  }
}

async function createIndexes(db: Database, collection: string, indexes: readonly Index[]): Promise<void> {
  try {
    await db.collection(collection, OPTIONS).createIndexes([...indexes]);
  } catch (error) {
    if (!INDEX_CONFLICTS.includes(codeOf(error))) throw error;
    throw changed(`an index of ${collection} is not ours`, 'Drop it and run `graphql-accounts migrate`');
  }
}

async function indexesOf(db: Database, collection: string): Promise<mongo.IndexDescriptionInfo[]> {
  try {
    return await db.collection(collection, OPTIONS).indexes();
  } catch (error) {
    if (codeOf(error) === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

function isSame(existing: mongo.IndexDescriptionInfo, ours: Index): boolean {
  return (
    existing.name === ours.name &&
    isSameKey(ours.key, existing.key) &&
    existing.expireAfterSeconds === ours.expireAfterSeconds &&
    JSON.stringify(existing.partialFilterExpression) === JSON.stringify(ours.partialFilterExpression) &&
    !existing.sparse &&
    !existing.unique &&
    !existing.hidden &&
    !existing.collation
  );
}

function isSameKey(key: object, other: object): boolean {
  return JSON.stringify(Object.entries(key)) === JSON.stringify(Object.entries(other));
}

function notMigrated(version: number | null): NotMigrated {
  return new NotMigrated(
    version === null
      ? 'the database has no collections of graphql-accounts: call `db.migrate()`, or run `npx graphql-accounts migrate --database-url …`'
      : 'the collections are those of an older version of graphql-accounts: call `db.migrate()`, or run `npx graphql-accounts migrate --database-url …`',
  );
}

function changed(what: string, advice: string): Error {
  return new Error(`the database was changed by hand, ${what}. ${advice}`);
}
