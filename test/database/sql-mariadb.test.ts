import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseConformance } from '../../src/database/conformance/index.ts';
import { sqlDatabase } from '../../src/database/sql/index.ts';
import { newDatabase, startMariadb } from '../servers/mariadb.ts';
import { exercised } from '../stores.ts';
import { emptied } from './fixtures/sql.ts';

const server = await startMariadb();

describe.skipIf(!server)('sqlDatabase on MariaDB', async () => {
  if (!server) return;
  const pool = mysql.createPool({ uri: await newDatabase(server) });
  const url = await newDatabase(server);
  const asking = mysql.createPool({ uri: url, connectionLimit: 1 });
  beforeAll(() => exercised('MariaDB'));
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
