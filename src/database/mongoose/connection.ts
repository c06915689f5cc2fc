import type { Connection, mongo } from 'mongoose';
import { type Collections, SCHEMA } from './schema.ts';

/** For so long, in milliseconds, a call waits for a connection that is not open yet. */
const PATIENCE = 5_000;
/** For so long, in milliseconds, the server waits for the majority of its replica set. */
const MAJORITY_PATIENCE = 5_000;

/** Numbers and documents come as they were given, whatever the host has set for its own. */
export const PLAIN = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  ignoreUndefined: false,
  serializeFunctions: false,
  bsonRegExp: false,
  fieldsAsRaw: {},
  enableUtf8Validation: true,
} as const satisfies mongo.BSONSerializeOptions;

/**
 * Ours for every read and write, whatever the host has set for its own. What was acknowledged outlives the server that
 * has done it, and is seen by every later call: a secondary would show a session that was revoked a moment ago.
 */
export const OPTIONS = {
  ...PLAIN,
  readPreference: 'primary',
  readConcern: { level: 'local' },
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAJORITY_PATIENCE },
} as const satisfies mongo.CollectionOptions;

export type Database = mongo.Db;

/** Gives the database of the host's connection, which may not be open yet, or be opened again elsewhere. */
export function createOpener(connection: Connection): () => Promise<Database> {
  let opening: Promise<void> | null = null;
  return async () => {
    if (!connection.db) {
      opening ??= opened(connection).finally(() => {
        opening = null;
      });
      await opening;
    }
    if (!connection.db) throw notOpen();
    return connection.db;
  };
}

/** The driver's own collections: nothing of the host's mongoose stands between them and us. */
export function collectionsOf(db: Database): Collections {
  const collection = <Document extends mongo.Document>(name: keyof Collections) =>
    db.collection<Document>(SCHEMA[name].collection, OPTIONS);
  return {
    users: collection('users'),
    identities: collection('identities'),
    sessions: collection('sessions'),
    oneTimeTokens: collection('oneTimeTokens'),
    counters: collection('counters'),
    meta: collection('meta'),
  };
}

function opened(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(late);
      connection.off('open', done);
      resolve();
    };
    const refuse = (error: unknown): void => {
      clearTimeout(late);
      connection.off('open', done);
      reject(error);
    };
    const late = setTimeout(() => refuse(notOpen()), PATIENCE);
    connection.on('open', done);
    connection.asPromise().catch(refuse);
  });
}

function notOpen(): Error {
  return new Error(
    'the mongoose connection is not open: connect it, and check that its server can be reached',
  );
}
