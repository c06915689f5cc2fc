-- graphql-accounts, schema 1, MySQL 8 and MariaDB.
--
-- Whatever is compared is VARBINARY and holds UTF-8: only the same characters are the same name, trailing blanks too.
-- Times are kept in UTC, in milliseconds.
-- The id of an identity is sha256(service, a zero byte, subject) and that of a one-time token sha256(token_key), both of
-- the UTF-8 bytes, so that neither has a longest name.
-- Sessions and one-time tokens do not refer to users, who may live in another database.

CREATE TABLE IF NOT EXISTS accounts_migrations (
  version BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at DATETIME(3) NOT NULL
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS accounts_users (
  id VARBINARY(3072) NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  username TEXT,
  emails JSON NOT NULL,
  deactivated BOOLEAN NOT NULL,
  profile JSON NOT NULL,
  created_at DATETIME(3) NOT NULL,
  updated_at DATETIME(3) NOT NULL
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS accounts_identities (
  id BINARY(32) NOT NULL PRIMARY KEY,
  service VARBINARY(3072) NOT NULL,
  subject VARBINARY(3072) NOT NULL,
  user_id VARBINARY(3072) NOT NULL,
  version BIGINT NOT NULL,
  data JSON NOT NULL,
  created_at DATETIME(3) NOT NULL,
  KEY accounts_identities_by_user (user_id),
  CONSTRAINT accounts_identities_of_user FOREIGN KEY (user_id) REFERENCES accounts_users (id) ON DELETE CASCADE
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS accounts_sessions (
  id VARBINARY(3072) NOT NULL PRIMARY KEY,
  user_id VARBINARY(3072) NOT NULL,
  version BIGINT NOT NULL,
  rotation BIGINT NOT NULL,
  rotated_at DATETIME(3) NOT NULL,
  created_at DATETIME(3) NOT NULL,
  idle_expires_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  revoked_at DATETIME(3),
  actor_session_id VARBINARY(3072),
  actor_user_id VARBINARY(3072),
  ip TEXT,
  user_agent TEXT,
  ends_at DATETIME(3) GENERATED ALWAYS AS (LEAST(expires_at, idle_expires_at)) STORED,
  KEY accounts_sessions_by_user (user_id),
  KEY accounts_sessions_by_end (ends_at)
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS accounts_one_time_tokens (
  id BINARY(32) NOT NULL PRIMARY KEY,
  token_key VARBINARY(3072) NOT NULL,
  hash VARBINARY(3072) NOT NULL,
  purpose VARBINARY(3072) NOT NULL,
  user_id VARBINARY(3072) NOT NULL,
  data JSON NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  UNIQUE KEY accounts_one_time_tokens_by_hash (hash),
  KEY accounts_one_time_tokens_by_user (user_id),
  KEY accounts_one_time_tokens_by_end (expires_at)
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;
