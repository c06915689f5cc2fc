import { beforeAll, describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { exercised } from '../stores.ts';
import { newPath } from './fixtures/paths.ts';

describe('sqliteDatabase in memory', () => {
  beforeAll(() => exercised('SQLite'));
  databaseConformance({ describe, test, expect }, () => sqliteDatabase(':memory:'));
});

describe('sqliteDatabase in a file', () => {
  databaseConformance({ describe, test, expect }, () => sqliteDatabase(newPath()));
});
