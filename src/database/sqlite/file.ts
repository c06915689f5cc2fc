import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { explain, isBusy, unusable } from './failures.ts';
import { checkOwner, migrate } from './migrations.ts';

export const IN_MEMORY = ':memory:';

/** At most: pages are kept as they are read. With SQLite's own 2 MB a file of a million users is read again and again. */
const CACHE_KIB = 32_768;

export interface OpenFile {
  db: DatabaseSync;
  /**
   * Throws when its path, or that of its write-ahead log, leads to it no more. Whatever is committed to a file that was
   * deleted or replaced is gone with this process.
   */
  ensureThere(): void;
}

/**
 * Opens and migrates, or throws and leaves the file as it was. An error that `isBusy` may be tried again: nothing is
 * kept of the attempt.
 */
export function openFile(path: string, synchronous: 'full' | 'normal'): OpenFile {
  if (path !== IN_MEMORY) prepareFile(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { enableForeignKeyConstraints: true });
    // Waiting inside SQLite would stop the event loop: whoever is refused waits outside.
    db.exec('PRAGMA busy_timeout = 0; PRAGMA trusted_schema = OFF');
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    checkOwner(db, path);
    useWriteAheadLog(db, path);
    db.exec(`PRAGMA synchronous = ${synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
    migrate(db, path);
    return { db, ensureThere: path === IN_MEMORY ? () => {} : watch(path) };
  } catch (error) {
    db?.close();
    throw isBusy(error) ? error : explain(error, path);
  }
}

/** Readers and one writer do not stop each other, and a commit is one write and one sync. */
function useWriteAheadLog(db: DatabaseSync, path: string): void {
  const answer: { journal_mode?: unknown } = db.prepare('PRAGMA journal_mode = WAL').get() ?? {};
  if (answer.journal_mode !== 'wal' && path !== IN_MEMORY)
    throw unusable(path, 'it lies where SQLite can keep no write-ahead log. Put it on a local disk');
}

function watch(path: string): () => void {
  const files = [path, `${path}-wal`].map((name) => ({ name, opened: look(name) }));
  return () => {
    for (const { name, opened } of files) {
      const found = look(name);
      if (found && found.ino === opened?.ino && found.dev === opened.dev) continue;
      throw unusable(name, 'it was deleted or replaced while it was open. Start this process again');
    }
  };
}

/** With whole numbers: those of some file systems are larger than a double holds. */
function look(name: string) {
  return statSync(name, { bigint: true, throwIfNoEntry: false });
}

function prepareFile(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    createFile(path);
    if (!statSync(path).isFile()) throw unusable(path, 'it is not a file. Give the path of a file');
    accessSync(path, constants.R_OK | constants.W_OK);
    // The write-ahead log lies beside the file.
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw unusable(path, `${String(error.code)}. Give this process the rights to it and its folder`, error);
  }
}

/**
 * SQLite itself would give everybody the right to read it; its log gets the mode of the file. An existing file is
 * not opened here: closing it would end the locks that SQLite holds on it in this process.
 */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !existed(error.code)) throw error;
  }
}

const existed = (code: unknown): boolean => code === 'EEXIST' || code === 'EISDIR';
