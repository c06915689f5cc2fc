import mongoose from 'mongoose';
import { SECOND } from '../../core/time.ts';
import { mongooseDatabase } from '../../database/mongoose/index.ts';
import type { AccountsDatabase } from '../../database/ports.ts';
import { serverOf } from './server-name.ts';

/** What a URL without a database means. */
const DATABASE = 'accounts';

/** Shorter than a call may take: what is refused can be tried again, and the pool is not held by a silent server. */
const ANSWER = 5 * SECOND;

export function openMongo(
  url: string,
  now?: () => number,
): { store: AccountsDatabase; place: string; close(): Promise<void> } {
  const place = serverOf(url);
  const named = /:\/\/[^/]*\/[^?]/.test(place);
  const connection = mongoose.createConnection(url, {
    ...(!named && { dbName: DATABASE }),
    serverSelectionTimeoutMS: ANSWER,
    connectTimeoutMS: ANSWER,
    socketTimeoutMS: ANSWER,
    waitQueueTimeoutMS: ANSWER,
    heartbeatFrequencyMS: 2 * SECOND,
    maxPoolSize: 20,
    autoIndex: false,
    autoCreate: false,
  });
  // Whoever calls the database learns of it; without this it would be an unhandled rejection as well.
  connection.asPromise().catch(() => {});
  const store = mongooseDatabase(connection, { now });
  return { store, place, close: () => connection.close(true) };
}
