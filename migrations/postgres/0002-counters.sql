-- graphql-accounts, schema 2, PostgreSQL.
--
-- authenticated_at and amr are NULL in the sessions of schema 1: they count as created_at and as an empty list.
-- The id of a counter is sha256(counter_key), of the UTF-8 bytes, so that it has no longest name.

ALTER TABLE accounts_sessions ADD COLUMN IF NOT EXISTS authenticated_at timestamptz(3);

ALTER TABLE accounts_sessions ADD COLUMN IF NOT EXISTS amr jsonb;

CREATE TABLE IF NOT EXISTS accounts_counters (
  id bytea NOT NULL PRIMARY KEY,
  counter_key text COLLATE "C" NOT NULL,
  points bigint NOT NULL,
  expires_at timestamptz(3) NOT NULL
);

CREATE INDEX IF NOT EXISTS accounts_counters_by_end ON accounts_counters (expires_at);
