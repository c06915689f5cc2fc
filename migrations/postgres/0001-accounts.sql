-- graphql-accounts, schema 1, PostgreSQL.
--
-- Whatever is compared has the collation "C": only the same characters are the same name.
-- Times are kept in UTC, in milliseconds.
-- The id of an identity is sha256(service || '\x00' || subject) and that of a one-time token sha256(token_key), both of
-- the UTF-8 bytes, so that neither has a longest name.
-- Sessions and one-time tokens do not refer to users, who may live in another database.

CREATE TABLE IF NOT EXISTS accounts_migrations (
  version bigint NOT NULL PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz(3) NOT NULL
);

CREATE TABLE IF NOT EXISTS accounts_users (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  username text,
  emails jsonb NOT NULL,
  deactivated boolean NOT NULL,
  profile jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL
);

CREATE TABLE IF NOT EXISTS accounts_identities (
  id bytea NOT NULL PRIMARY KEY,
  service text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL REFERENCES accounts_users (id) ON DELETE CASCADE,
  version bigint NOT NULL,
  data jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL
);

CREATE INDEX IF NOT EXISTS accounts_identities_by_user ON accounts_identities (user_id);

CREATE TABLE IF NOT EXISTS accounts_sessions (
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  rotation bigint NOT NULL,
  rotated_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  idle_expires_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  revoked_at timestamptz(3),
  actor_session_id text COLLATE "C",
  actor_user_id text COLLATE "C",
  ip text,
  user_agent text
);

CREATE INDEX IF NOT EXISTS accounts_sessions_by_user ON accounts_sessions (user_id) WHERE revoked_at IS NULL;

CREATE INDEX IF NOT EXISTS accounts_sessions_by_end ON accounts_sessions (least(expires_at, idle_expires_at));

CREATE TABLE IF NOT EXISTS accounts_one_time_tokens (
  id bytea NOT NULL PRIMARY KEY,
  token_key text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  purpose text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  data jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS accounts_one_time_tokens_by_hash ON accounts_one_time_tokens (hash);

CREATE INDEX IF NOT EXISTS accounts_one_time_tokens_by_user ON accounts_one_time_tokens (user_id);

CREATE INDEX IF NOT EXISTS accounts_one_time_tokens_by_end ON accounts_one_time_tokens (expires_at);
