import { describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { HAS_MONGO } from '../servers/mongo.ts';
import { onMongo } from './mongoose-databases.ts';

describe.skipIf(!HAS_MONGO)('mongooseDatabase', () => {
  const mongo = onMongo();
  databaseConformance({ describe, test, expect }, async () => (await mongo.open()).db);
});
