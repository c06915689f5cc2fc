import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import type { AccountsDatabase } from '../../src/database/ports.ts';
import { type SqlSource, sqlDatabase } from '../../src/database/sql/index.ts';
import { newPath } from './fixtures/paths.ts';

async function migrated(source: SqlSource): Promise<AccountsDatabase> {
  const db = sqlDatabase(source);
  await db.migrate?.();
  return db;
}

describe("sqlDatabase with the host's DatabaseSync", () => {
  databaseConformance({ describe, test, expect }, () => migrated(new DatabaseSync(':memory:')));
});

describe('sqlDatabase on a SQLite file by its URL', () => {
  databaseConformance({ describe, test, expect }, () => migrated(`sqlite:${newPath()}`));
});
