import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { within } from '../../core/deadline.ts';
import { SECOND } from '../../core/time.ts';
import type { AccountsDatabase, SessionStore } from '../../database/ports.ts';
import { sqliteDatabase } from '../../database/sqlite/index.ts';
import { AccountsError } from '../../errors.ts';
import { BadConfiguration, reasonOf } from '../bad-configuration.ts';
import { loadPackage } from '../packages.ts';
import type { OpenStore } from './open-store.ts';
import { whyUnusable } from './reasons.ts';
import type { DatabaseUrl, SessionsUrl } from './urls.ts';

/** A start has 15 s to end in, also on a machine that is busy with others. */
const START_TIMEOUT = 9 * SECOND;

/**
 * Opens the database that a setting names, and asks it whether it is ready. With `migrate`, its tables are made or
 * brought up to date first; those of a SQLite file always are. Throws BadConfiguration that says what is in the way.
 */
export async function openDatabase(
  url: DatabaseUrl,
  { name, migrate, now }: { name: string; migrate: boolean; now?: () => number },
): Promise<OpenStore<AccountsDatabase>> {
  const opened = await openUnasked(url, name, now);
  const db = opened.store;
  const known = { name, url: 'url' in url ? url.url : '' };
  const ping = async (): Promise<void> => db.ping?.();
  if (migrate) {
    // Tables with a million rows take their time, and so does another process that migrates at the moment. A server
    // that cannot be reached ends it all the same: adapters wait for a connection no longer than otherwise.
    await ready(opened, async () => db.migrate?.(), known, Number.POSITIVE_INFINITY);
  }
  await ready(opened, ping, known);
  return opened;
}

/** Opens the Redis that `SESSIONS_URL` names, and asks it. Throws BadConfiguration. */
export async function openSessions(
  url: SessionsUrl,
): Promise<OpenStore<SessionStore> & { warnings(): Promise<string[]> }> {
  const opened = await loadPackage('SESSIONS_URL', async () => (await import('./redis.ts')).openRedis(url));
  await ready(opened, opened.ping, { name: 'SESSIONS_URL', url: `redis://:${url.password ?? ''}@` });
  return opened;
}

/** Opens it, and asks it nothing yet. */
async function openUnasked(
  url: DatabaseUrl,
  name: string,
  now: (() => number) | undefined,
): Promise<OpenStore<AccountsDatabase>> {
  switch (url.kind) {
    case 'memory': {
      const db = sqliteDatabase(':memory:');
      return { store: db, place: 'in memory, and gone when it stops', close: async () => db.close?.() };
    }
    case 'sqlite': {
      const path = resolve(url.path);
      await makeFolder(dirname(path), name);
      const db = sqliteDatabase(path);
      return { store: db, place: path, close: async () => db.close?.() };
    }
    case 'sql':
      return loadPackage(name, async () => (await import('./sql.ts')).openSql(url.url, name));
    case 'mongodb':
      return loadPackage(name, async () => (await import('./mongodb.ts')).openMongo(url.url, now));
  }
}

async function makeFolder(folder: string, name: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new BadConfiguration(`${name}: the folder ${folder} cannot be made: ${reasonOf(error)}`);
  }
}

/** Resolves when `prepare` has; otherwise closes what was opened, and throws. */
async function ready<T>(
  { place, close }: OpenStore<T>,
  prepare: () => Promise<void>,
  { name, url }: { name: string; url: string },
  patience = START_TIMEOUT,
): Promise<void> {
  const late = (): never => {
    throw new BadConfiguration(`${name}: ${place} did not answer within ${patience / SECOND} s`);
  };
  try {
    await (Number.isFinite(patience) ? within(patience, prepare(), late) : prepare());
  } catch (error) {
    // A server that does not answer does not take leave either.
    await within(
      SECOND,
      close().catch(() => {}),
      () => {},
    );
    if (error instanceof BadConfiguration) throw error;
    // The values are checked already: what an adapter rejects as misuse is an error of ours.
    if (error instanceof TypeError) throw error;
    if (url !== '')
      throw new BadConfiguration(`${name}: ${place} cannot be used: ${whyUnusable(error, url)}`, {
        cause: error,
      });
    const isLocked = error instanceof AccountsError;
    const reason = isLocked ? `another process does not let go of ${place}` : reasonOf(error);
    throw new BadConfiguration(`${name}: ${reason}`);
  }
}
