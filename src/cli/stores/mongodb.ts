import mongoose from 'mongoose';
import { HOUR, SECOND } from '../../core/time.ts';
import { mongooseDatabase } from '../../database/mongoose/index.ts';
import type { AccountsDatabase } from '../../database/ports.ts';
import type { OpenStore } from './open-store.ts';
import { serverOf } from './server-name.ts';

/** What a URL without a database means. */
const DATABASE = 'accounts';

/** Shorter than a call may take: what is refused can be tried again, and the pool is not held by a silent server. */
const ANSWER = 5 * SECOND;

/** An index over a large collection takes its time to be made. */
const MIGRATION = HOUR;

export function openMongo(url: string, now?: () => number): OpenStore<AccountsDatabase> {
  const connection = connect(url, ANSWER);
  const store: AccountsDatabase = {
    ...mongooseDatabase(connection, { now }),
    migrate: async () => {
      const patient = connect(url, MIGRATION);
      try {
        await mongooseDatabase(patient).migrate?.();
      } finally {
        await patient.close(true);
      }
    },
  };
  return { store, place: serverOf(url), close: () => connection.close(true) };
}

/** Connects, with so many milliseconds for each answer. */
function connect(url: string, answer: number): mongoose.Connection {
  const named = /:\/\/[^/]*\/[^?]/.test(serverOf(url));
  const connection = mongoose.createConnection(url, {
    ...(!named && { dbName: DATABASE }),
    serverSelectionTimeoutMS: ANSWER,
    connectTimeoutMS: ANSWER,
    socketTimeoutMS: answer,
    waitQueueTimeoutMS: ANSWER,
    heartbeatFrequencyMS: 2 * SECOND,
    maxPoolSize: 20,
    autoIndex: false,
    autoCreate: false,
  });
  // Whoever calls the database learns of it; without this it would be an unhandled rejection as well.
  connection.asPromise().catch(() => {});
  return connection;
}
