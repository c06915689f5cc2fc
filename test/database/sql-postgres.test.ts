import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { sqlDatabase } from '../../src/database/sql/index.ts';
import { newDatabase, startPostgres } from '../servers/postgres.ts';
import { exercised } from '../stores.ts';
import { emptied } from './fixtures/sql.ts';

const server = await startPostgres();

describe.skipIf(!server)('sqlDatabase on PostgreSQL', async () => {
  if (!server) return;
  const pool = new pg.Pool({ connectionString: await newDatabase(server) });
  const url = await newDatabase(server);
  const asking = new pg.Pool({ connectionString: url, max: 1 });
  // A client may still be taking leave when the server ends, and hears of it, or its pool does, when nobody waits.
  for (const each of [pool, asking]) {
    each.on('error', () => undefined);
    each.on('connect', (client) => void client.on('error', () => undefined));
  }
  beforeAll(() => exercised('PostgreSQL'));
  afterAll(async () => {
    await Promise.all([pool.end(), asking.end()]);
    await server.close();
  });

  describe('by its URL', () => {
    databaseConformance(
      { describe, test, expect },
      emptied(
        () => sqlDatabase(url),
        (text) => asking.query(text),
      ),
    );
  });

  describe("with the host's pool", () => {
    databaseConformance(
      { describe, test, expect },
      emptied(
        () => sqlDatabase(pool),
        (text) => pool.query(text),
      ),
    );
  });
});
