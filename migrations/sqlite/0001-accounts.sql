-- graphql-accounts, schema 1, SQLite.
--
-- Text is compared byte by byte: only the same characters are the same name.
-- Times are milliseconds since 1970-01-01 UTC, JSON is text.
-- The id of an identity is sha256(service, a zero byte, subject) and that of a one-time token sha256(token_key), both of
-- the UTF-8 bytes.
-- Sessions and one-time tokens do not refer to users, who may live in another database.

CREATE TABLE IF NOT EXISTS accounts_migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS accounts_users (
  id TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  username TEXT,
  emails TEXT NOT NULL,
  deactivated INTEGER NOT NULL,
  profile TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS accounts_identities (
  id BLOB NOT NULL PRIMARY KEY,
  service TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES accounts_users (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS accounts_identities_by_user ON accounts_identities (user_id);

CREATE TABLE IF NOT EXISTS accounts_sessions (
  id TEXT NOT NULL PRIMARY KEY,
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

CREATE INDEX IF NOT EXISTS accounts_sessions_by_user ON accounts_sessions (user_id) WHERE revoked_at IS NULL;

CREATE INDEX IF NOT EXISTS accounts_sessions_by_end ON accounts_sessions (min(expires_at, idle_expires_at));

CREATE TABLE IF NOT EXISTS accounts_one_time_tokens (
  id BLOB NOT NULL PRIMARY KEY,
  token_key TEXT NOT NULL,
  hash TEXT NOT NULL,
  purpose TEXT NOT NULL,
  user_id TEXT NOT NULL,
  data TEXT NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX IF NOT EXISTS accounts_one_time_tokens_by_hash ON accounts_one_time_tokens (hash);

CREATE INDEX IF NOT EXISTS accounts_one_time_tokens_by_user ON accounts_one_time_tokens (user_id);

CREATE INDEX IF NOT EXISTS accounts_one_time_tokens_by_end ON accounts_one_time_tokens (expires_at);
