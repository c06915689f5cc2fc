-- graphql-accounts, schema 2, SQLite.
--
-- authenticated_at and amr are NULL in the sessions of schema 1: they count as created_at and as an empty list.
-- The id of a counter is sha256(counter_key), of the UTF-8 bytes, so that it has no longest name.

ALTER TABLE accounts_sessions ADD COLUMN authenticated_at REAL;

ALTER TABLE accounts_sessions ADD COLUMN amr TEXT;

CREATE TABLE IF NOT EXISTS accounts_counters (
  id BLOB NOT NULL PRIMARY KEY,
  counter_key TEXT NOT NULL,
  points INTEGER NOT NULL,
  expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS accounts_counters_by_end ON accounts_counters (expires_at);
