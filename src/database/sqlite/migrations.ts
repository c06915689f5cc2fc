import { DatabaseSync } from 'node:sqlite';
import { unusable } from './failures.ts';

/** Says whose file it is: 'gqac' in ASCII. */
const APPLICATION_ID = 0x67716163;

/**
 * Step n brings a file from version n to version n + 1. What has been published is never edited: a change is a new
 * step at the end.
 *
 * Times are REAL: they may be any finite number. Nothing points at users but identities, which `users.create` writes
 * in the same transaction: the users of sessions and one-time tokens may live in another database.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE users (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    username TEXT,
    emails TEXT NOT NULL,
    deactivated INTEGER NOT NULL,
    profile TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
  ) STRICT;

  CREATE TABLE identities (
    service TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    version INTEGER NOT NULL,
    data TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (service, subject)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    rotation INTEGER NOT NULL,
    rotated_at REAL NOT NULL,
    created_at REAL NOT NULL,
    idle_expires_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    revoked_at REAL,
    actor_session_id TEXT,
    actor_user_id TEXT,
    ip TEXT,
    user_agent TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_user ON sessions (user_id) WHERE revoked_at IS NULL;
  CREATE INDEX sessions_by_end ON sessions (min(expires_at, idle_expires_at));

  CREATE TABLE one_time_tokens (
    key TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    user_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id, purpose);
  CREATE INDEX one_time_tokens_by_end ON one_time_tokens (expires_at);
  `,
  // Null in the sessions of schema 1, also in those that a process of that version, open meanwhile, makes yet.
  `
  ALTER TABLE sessions ADD COLUMN authenticated_at REAL;
  ALTER TABLE sessions ADD COLUMN amr TEXT;

  CREATE INDEX identities_by_user ON identities (user_id);

  CREATE TABLE counters (
    key TEXT PRIMARY KEY,
    points INTEGER NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counters_by_end ON counters (expires_at);
  `,
];

/** Throws unless the file is empty or ours and not newer than we are. Writes nothing. */
export function checkOwner(db: DatabaseSync, path: string): void {
  if (db.isTransaction) {
    check(db, path);
    return;
  }
  // One state of the file: another process may bring it up to date meanwhile.
  db.exec('BEGIN');
  try {
    check(db, path);
  } finally {
    db.exec('COMMIT');
  }
}

function check(db: DatabaseSync, path: string): void {
  const { owner, version, tables } = readOwner(db);
  if (owner === 0 && version === 0 && tables === 0) return;
  if (owner !== APPLICATION_ID) throw unusable(path, 'it belongs to another application. Give another path');
  if (version > MIGRATIONS.length)
    throw unusable(
      path,
      `a newer version of graphql-accounts wrote it (schema ${version}, this one knows ${MIGRATIONS.length}). Install that version`,
    );
  const changed = version === 0 ? undefined : changedByHand(db, version);
  if (changed !== undefined)
    throw unusable(path, `its ${changed} was changed by hand. Undo that, or restore the file from a backup`);
}

/** The first table or index of ours that is not as that version made it. What an operator has added is left alone. */
function changedByHand(db: DatabaseSync, version: number): string | undefined {
  const made = new DatabaseSync(':memory:');
  try {
    for (const step of MIGRATIONS.slice(0, version)) made.exec(step);
    const found = new Map(definitionsIn(db));
    const [changed] = definitionsIn(made).find(([what, sql]) => found.get(what) !== sql) ?? [];
    return changed;
  } finally {
    made.close();
  }
}

function definitionsIn(db: DatabaseSync): [what: string, sql: string][] {
  const rows = db.prepare('SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL').all();
  return rows.map(({ type, name, sql }) => [`${type} ${name}`, String(sql).replace(/\s+/g, ' ')]);
}

/** Brings an empty or older file to this version, wholly or not at all. */
export function migrate(db: DatabaseSync, path: string): void {
  if (readOwner(db).version === MIGRATIONS.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have done it, or made it newer, while this one waited for the lock.
    checkOwner(db, path);
    for (const step of MIGRATIONS.slice(readOwner(db).version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

interface Owner {
  owner: number;
  version: number;
  tables: number;
}

/** In one statement, so that the three belong together while another process migrates. */
function readOwner(db: DatabaseSync): Owner {
  const row: unknown = db
    .prepare(
      `SELECT application_id AS owner, user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables
       FROM pragma_application_id, pragma_user_version`,
    )
    .get();
  return row as Owner;
}
