import type { AccountsDatabase } from '../../database/ports.ts';
import type { Config } from '../config.ts';
import { newSecret, readOrMakeSecret, secretPathOf } from '../token-secret.ts';
import { openDatabase, openSessions } from './open.ts';

/** The stores that `serve` runs on, which have answered once, and the secret that goes with them. */
export interface OpenStores {
  db: AccountsDatabase;
  tokenSecret: string;
  /** Where the data lies, for people. */
  place: string;
  /** What whoever runs it ought to know of the settings of the servers. */
  warnings: readonly string[];
  close(): Promise<void>;
}

/** Opens the database and the store of sessions, side by side. Throws BadConfiguration. */
export async function openStores({
  database,
  sessions,
  tokenSecret,
}: Pick<Config, 'database' | 'sessions' | 'tokenSecret'>): Promise<OpenStores> {
  const opening = [
    openDatabase(database, { name: 'DATABASE_URL', migrate: false }),
    sessions ? openSessions(sessions) : null,
  ] as const;
  const outcomes = await Promise.allSettled(opening);
  const close = async (): Promise<void> => {
    // Each is closed, whatever becomes of the other.
    const closing = outcomes.map(async (outcome) =>
      outcome.status === 'fulfilled' ? outcome.value?.close() : undefined,
    );
    await Promise.allSettled(closing);
    await Promise.all(closing);
  };
  try {
    const [users, redis] = await Promise.all(opening);
    return {
      db: redis ? { ...users.store, sessions: redis.store } : users.store,
      tokenSecret: tokenSecret ?? (await secretBeside(database)),
      // Not every user of Redis may read its settings: that is no reason not to start.
      warnings: (await redis?.warnings().catch(() => [])) ?? [],
      place: redis ? `${users.place}, sessions in ${redis.place}` : users.place,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Only a file has a place beside it: `parseConfig` wants TOKEN_SECRET for every server. */
async function secretBeside(database: Config['database']): Promise<string> {
  return database.kind === 'sqlite' ? readOrMakeSecret(secretPathOf(database.path)) : newSecret();
}
