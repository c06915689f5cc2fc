// Databases as accounts-js writes them, and what else may stand in them.
import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ForeignUser, UserSource } from '../../../src/cli/import/foreign-user.ts';
import { openSource } from '../../../src/cli/import/sources.ts';
import { typeormSource } from '../../../src/cli/import/typeorm-source.ts';
import { freshDatabase, HAS_MONGO, startMongo } from '../../servers/mongo.ts';
import { askPostgres, newDatabase, startPostgres } from '../../servers/postgres.ts';
import { ALL_STORES_REQUIRED, programPath, type TestServer } from '../../servers/process.ts';
import { startProxy } from '../../servers/proxy.ts';
import { exercised } from '../../stores.ts';

const START = 180_000;
const HAS_POSTGRES = programPath('initdb') !== null || ALL_STORES_REQUIRED;

describe.skipIf(!HAS_MONGO)('MongoDB', () => {
  let server: TestServer;
  beforeAll(async () => {
    exercised('MongoDB');
    server = present(await startMongo());
  }, START);
  afterAll(() => server?.close());

  async function read(documents: object[]): Promise<ForeignUser[]> {
    const url = freshDatabase(server.url);
    const client = await mongoose.mongo.MongoClient.connect(url);
    await client.db().collection('users').insertMany(documents);
    await client.close();
    const source = await openSource(url);
    try {
      return await usersOf(source);
    } finally {
      await source.close();
    }
  }

  test('a document that stands for an id is none, and does not end the import', async () => {
    const users = await read([
      { _id: { toHexString: 1, toString: 1 }, services: {} },
      { _id: 'ada', id: { toHexString: 1, toString: 1 }, services: {} },
    ]);
    expect(users.map(({ id }) => id).sort()).toEqual(['ada', null]);
  });

  test('a field `id` of its own comes over, the name of `_id` does not', async () => {
    const objectId = new mongoose.mongo.ObjectId();
    const users = await read([
      { _id: 'ada', id: 'ada', services: {} },
      { _id: 'grace', id: 7, services: {} },
      { _id: objectId, id: objectId, services: {} },
      { _id: new mongoose.mongo.ObjectId(), services: {} },
    ]);
    expect(users.map(({ custom }) => custom)).toEqual([{}, { id: 7 }, {}, {}]);
  });

  test('more than one answer of the server holds are read, each once', async () => {
    const documents = Array.from({ length: 2_500 }, (_, n) => ({ _id: `user ${n}`, services: {} }));
    const users = await read(documents);
    expect(new Set(users.map(({ id }) => id)).size).toBe(2_500);
    expect(users).toHaveLength(2_500);
  });
});

describe.skipIf(!HAS_POSTGRES)('PostgreSQL', () => {
  let server: TestServer;
  beforeAll(async () => {
    exercised('PostgreSQL');
    server = present(await startPostgres());
  }, START);
  afterAll(() => server?.close());

  test('a server that falls silent in the middle is given up, and taken leave of', async () => {
    const url = await newDatabase(server);
    await askPostgres(
      url,
      `CREATE TABLE "user" (id uuid PRIMARY KEY, username text, deactivated boolean, "createdAt" timestamp, "updatedAt" timestamp)`,
      'CREATE TABLE user_email (address text, verified boolean, "userId" uuid)',
      'CREATE TABLE user_service (name text, options jsonb, "serviceId" text, "userId" uuid)',
      `INSERT INTO "user" (id, username) SELECT gen_random_uuid(), 'name' || n FROM generate_series(1, 2500) n`,
    );
    const proxy = await startProxy(server.port);
    try {
      const way = Object.assign(new URL(url), { port: String(proxy.port) }).href;
      const source = await typeormSource(way, { first: 5_000, next: 300 });
      const users = source.users()[Symbol.asyncIterator]();
      expect((await users.next()).value).toHaveLength(1_000);
      await proxy.turn('silent');
      await expect(users.next()).rejects.toThrow(/timeout/);
      await source.close();
    } finally {
      await proxy.close();
    }
  });
});

async function usersOf(source: UserSource): Promise<ForeignUser[]> {
  const users: ForeignUser[] = [];
  for await (const batch of source.users()) users.push(...batch);
  return users;
}

function present(server: TestServer | null): TestServer {
  if (!server) throw new Error('the server is not on this machine');
  return server;
}
