-- graphql-accounts, schema 2, MySQL 8 and MariaDB.
--
-- authenticated_at and amr are NULL in the sessions of schema 1: they count as created_at and as an empty list.
-- The id of a counter is sha256(counter_key), of the UTF-8 bytes, so that it has no longest name.

ALTER TABLE accounts_sessions ADD COLUMN authenticated_at DATETIME(3);

ALTER TABLE accounts_sessions ADD COLUMN amr JSON;

CREATE TABLE IF NOT EXISTS accounts_counters (
  id BINARY(32) NOT NULL PRIMARY KEY,
  counter_key VARBINARY(3072) NOT NULL,
  points BIGINT NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  KEY accounts_counters_by_end (expires_at)
) ENGINE = InnoDB, ROW_FORMAT = DYNAMIC, DEFAULT CHARACTER SET = utf8mb4;
