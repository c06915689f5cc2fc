import { beforeAll, describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { memoryDatabase } from '../../src/database/memory/index.ts';
import { exercised } from '../stores.ts';

describe('memoryDatabase', () => {
  beforeAll(() => exercised('memory'));
  databaseConformance({ describe, test, expect }, memoryDatabase);
});
