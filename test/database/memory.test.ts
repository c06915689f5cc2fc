import { describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';

describe('memoryDatabase', () => {
  databaseConformance({ describe, test, expect }, memoryDatabase);
});
