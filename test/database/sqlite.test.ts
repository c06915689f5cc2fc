import { describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { sqliteDatabase } from '../../src/database/sqlite/index.ts';
import { newPath } from './fixtures/paths.ts';

describe('sqliteDatabase in memory', () => {
  databaseConformance({ describe, test, expect }, () => sqliteDatabase(':memory:'));
});

describe('sqliteDatabase in a file', () => {
  databaseConformance({ describe, test, expect }, () => sqliteDatabase(newPath()));
});
