import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { aSession, aUser } from '../../src/database/conformance/records.ts';
import { mongooseDatabase } from '../../src/database/mongoose/index.ts';
import { checkCollection, checkShardKey, isRouter } from '../../src/database/mongoose/migration.ts';
import { SCHEMA } from '../../src/database/mongoose/schema.ts';
import { NotMigrated } from '../../src/database/not-migrated.ts';
import { HAS_MONGO } from '../servers/mongo.ts';
import { expectSchema1Session, expectSchema2 } from './fixtures/schemas.ts';
import { commandsOf, onMongo } from './mongoose-databases.ts';

const NOT_MIGRATED =
  'the database has no collections of graphql-accounts: call `db.migrate()`, or run `npx graphql-accounts migrate --database-url …`';

const SCHEMAS = join(import.meta.dirname, 'fixtures/mongodb-schemas');

interface Filled {
  indexes: { name: string; key: { [field: string]: 1 | -1 } }[];
  documents: { [field: string]: unknown }[];
}

const byName = (a: { name?: string }, b: { name?: string }): number =>
  (a.name ?? '') < (b.name ?? '') ? -1 : 1;

/** All that is in a database. */
async function contents(connection: Connection) {
  const names = (await connection.listCollections()).map(({ name }) => name).sort();
  return Promise.all(
    names.map(async (name) => {
      const collection = connection.collection(name);
      const indexes = (await collection.indexes()).map((index) => JSON.stringify(index)).sort();
      return { name, indexes, documents: await collection.find().toArray() };
    }),
  );
}

describe.skipIf(!HAS_MONGO)('migrate of mongooseDatabase', () => {
  const mongo = onMongo();

  test('makes every collection and index, and nothing more the second time', async () => {
    const { db, connection } = await mongo.open();
    const before = await contents(connection);
    expect(before.map(({ name }) => name)).toEqual(
      Object.values(SCHEMA)
        .map(({ collection }) => collection)
        .sort(),
    );
    for (const { collection, indexes } of Object.values(SCHEMA)) {
      const found = await connection.collection(collection).indexes();
      expect(found.filter(({ name }) => name !== '_id_').sort(byName)).toMatchObject(
        [...indexes].sort(byName),
      );
    }
    await db.migrate?.();
    expect(await contents(connection)).toEqual(before);
  });

  // Every released schema has its file here, as that release made and filled it.
  test.each(readdirSync(SCHEMAS))('brings schema %s up to date with what is in it', async (name) => {
    const connection = await mongo.database();
    const file = readFileSync(join(SCHEMAS, name), 'utf8');
    const schema: { [collection: string]: Filled } = JSON.parse(file, (_, value) =>
      typeof value?.$date === 'number' ? new Date(value.$date) : value,
    );
    for (const [collection, { indexes, documents }] of Object.entries(schema)) {
      await connection.createCollection(collection);
      for (const { key, ...options } of indexes)
        await connection.collection(collection).createIndex(key, options);
      await connection.collection(collection).insertMany(documents);
    }
    const db = mongooseDatabase(connection);
    await db.migrate?.();
    await db.ping?.();
    expect(await db.users.findMany(['ada'])).toMatchObject([{ id: 'ada', username: 'Ada', version: 3 }]);
    expect(await db.identities.find('email', 'ada@example.com')).toMatchObject({ userId: 'ada' });
    expect(await db.oneTimeTokens.find('hash')).toMatchObject({ userId: 'ada', purpose: 'reset-password' });
    await expectSchema1Session(db, { rotation: 4, version: 5 });
    await expectSchema2(db, name >= '0002' ? 7 : 0);
  });

  test('a session that a process of schema 1 makes after it counts as its user had proved nothing since', async () => {
    const { db, connection } = await mongo.open();
    await db.sessions.create(aSession('1', 'ada', { amr: ['pwd'] }));
    await connection
      .collection<{ _id: string }>('accounts_sessions')
      .updateOne({ _id: '1' }, { $unset: { authenticatedAt: '', amr: '' } });
    expect(await db.sessions.findMany(['1'])).toEqual([aSession('1', 'ada')]);
  });

  test('collections of schema 1 are refused until they are migrated', async () => {
    const { db, connection } = await mongo.open();
    await connection
      .collection<{ _id: string }>('accounts_meta')
      .updateOne({ _id: 'schema' }, { $set: { version: 1 } });
    const older = mongooseDatabase(connection);
    for (const call of [() => older.ping?.(), () => older.counters?.find('a')])
      await expect(call()).rejects.toThrow('the collections are those of an older version');
    await older.migrate?.();
    expect(await older.counters?.find('a')).toBe(null);
    await db.close?.();
  });

  test('run by eight at once, makes the same', async () => {
    const connection = await mongo.database();
    await Promise.all(Array.from({ length: 8 }, () => mongooseDatabase(connection).migrate?.()));
    const { connection: other } = await mongo.open();
    expect(await contents(connection)).toEqual(await contents(other));
    expect(await mongooseDatabase(connection).ping?.()).toBe(undefined);
  });

  test('before it, every call is refused with one line and writes nothing; after it, the same database works', async () => {
    const connection = await mongo.database();
    const db = mongooseDatabase(connection);
    await expect(db.ping?.()).rejects.toThrow(NOT_MIGRATED);
    await expect(db.users.create(aUser('ada'), [])).rejects.toThrow(NOT_MIGRATED);
    await expect(db.sessions.findMany(['1'])).rejects.toThrow(NOT_MIGRATED);
    expect(await contents(connection)).toEqual([]);
    await db.migrate?.();
    expect(await db.users.create(aUser('ada'), [])).toBe(null);
    expect(await db.ping?.()).toBe(undefined);
  });

  test('a newer version is refused by every call, and left as it is', async () => {
    const { connection } = await mongo.open();
    await connection
      .collection<{ _id: string }>('accounts_meta')
      .updateOne({ _id: 'schema' }, { $set: { version: 3 } });
    await connection.collection('accounts_sessions').dropIndex('endsAt');
    const before = await contents(connection);
    const db = mongooseDatabase(connection);
    const message =
      'a newer version of graphql-accounts made the collections (schema 3, this one knows 2). Install that version';
    for (const call of [
      () => db.migrate?.(),
      () => db.ping?.(),
      () => db.sessions.create(aSession('1', 'ada')),
    ])
      await expect(call()).rejects.toThrow(message);
    expect(await contents(connection)).toEqual(before);
  });

  test.each([
    ['one of ours with other options', 'endsAt', { endsAt: 1 }, { expireAfterSeconds: 3_600 }],
    ['one of ours that is unique', 'userId', { userId: 1, revokedAt: 1, createdAt: -1 }, { unique: true }],
    ['one of ours on another field', 'endsAt', { userId: 1 }, {}],
    ['the same under another name', 'by hand', { endsAt: 1 }, { expireAfterSeconds: 0 }],
  ] as const)(
    'an index that was changed by hand is refused, %s, and nothing is written',
    async (_, name, key, options) => {
      const connection = await mongo.database();
      await connection.collection('accounts_sessions').createIndex({ ...key }, { name, ...options });
      const before = await contents(connection);
      await expect(mongooseDatabase(connection).migrate?.()).rejects.toThrow(
        `the database was changed by hand, the index ${name} of accounts_sessions is not ours. Drop it and run \`graphql-accounts migrate\``,
      );
      expect(await contents(connection)).toEqual(before);
    },
  );

  test('an index that is missing makes a ping fail until it is made again', async () => {
    const { db, connection } = await mongo.open();
    await connection.collection('accounts_one_time_tokens').dropIndex('hash');
    await expect(db.ping?.()).rejects.toThrow(
      new NotMigrated(
        'the index hash of accounts_one_time_tokens is missing, or not ours: run `graphql-accounts migrate`',
      ),
    );
    await expect(db.ping?.()).rejects.toBeInstanceOf(NotMigrated);
    await db.migrate?.();
    expect(await db.ping?.()).toBe(undefined);
  });

  test.each([null, 'abc', Number.NaN, 1.5, {}])(
    'a version that is none, %j, is refused and left',
    async (version) => {
      const { connection } = await mongo.open();
      await connection
        .collection<{ _id: string }>('accounts_meta')
        .updateOne({ _id: 'schema' }, { $set: { version } });
      const before = await contents(connection);
      const db = mongooseDatabase(connection);
      for (const call of [() => db.migrate?.(), () => db.ping?.(), () => db.users.findMany(['ada'])])
        await expect(call()).rejects.toThrow(
          'the database was changed by hand, accounts_meta tells no version. Bring accounts_meta back from a backup',
        );
      expect(await contents(connection)).toEqual(before);
    },
  );

  test('asks for nothing outside of the stable API, and waits for the majority whatever the connection says', async () => {
    const connection = await mongo.connect({ monitorCommands: true, writeConcern: { w: 1 } });
    const commands = commandsOf(connection);
    await mongooseDatabase(connection).migrate?.();
    const writes = commands.filter(({ commandName }) => /^(create|createIndexes|update)$/.test(commandName));
    expect(writes).toHaveLength(12);
    for (const { command } of writes) expect(command.writeConcern).toMatchObject({ w: 'majority' });
    expect(JSON.stringify(commands)).not.toMatch(/"(?:sparse|background|storageEngine)"/);
  });

  test("an operator's own index on another field is left alone", async () => {
    const { db, connection } = await mongo.open();
    await connection.collection('accounts_users').createIndex({ 'profile.company': 1 });
    await db.migrate?.();
    expect(await db.ping?.()).toBe(undefined);
    expect(await connection.collection('accounts_users').indexExists('profile.company_1')).toBe(true);
  });
});

describe('what migrate checks', () => {
  test.each([
    { name: 'accounts_identities', type: 'view', options: {} },
    { name: 'accounts_identities', type: 'timeseries', options: {} },
    { name: 'accounts_identities', type: 'collection', options: { capped: true } },
    {
      name: 'accounts_identities',
      type: 'collection',
      options: { collation: { locale: 'en', strength: 2 } },
    },
  ])('refuses a collection in which an id may be lost or be another: %j', (collection) => {
    expect(() => checkCollection(collection)).toThrow(
      /^the database was changed by hand, accounts_identities/,
    );
  });

  test('accepts a plain collection, as servers describe it', () => {
    for (const described of [{ type: 'collection', options: {} }, { type: 'collection' }, {}])
      expect(() => checkCollection({ name: 'accounts_identities', ...described })).not.toThrow();
  });

  test.each([{ _id: 1 }, { _id: 'hashed' }])('accepts a collection that is sharded by %j', (key) => {
    expect(() => checkShardKey('accounts_identities', { key })).not.toThrow();
  });

  test('accepts a collection that was dropped, which MongoDB 4.4 goes on listing', () => {
    expect(() => checkShardKey('accounts_identities', { key: { userId: 1 }, dropped: true })).not.toThrow();
    expect(() => checkShardKey('accounts_identities', { dropped: true })).not.toThrow();
  });

  test.each([{ userId: 1 }, { _id: 1, userId: 1 }, { userId: 'hashed' }, { _id: -1 }, {}])(
    'refuses a collection that is sharded by %j',
    (key) => {
      expect(() => checkShardKey('accounts_identities', { key, dropped: false })).toThrow(
        'the collection accounts_identities is sharded by another key than _id: reshard it by { _id: 1 }',
      );
    },
  );

  const answering =
    (answers: { readonly [command: string]: object }) =>
    async (command: object): Promise<object> => {
      const answer = answers[Object.keys(command)[0] ?? ''];
      if (answer) return answer;
      throw Object.assign(new Error('no such command'), { code: 59 });
    };

  test.each([
    [{ hello: { msg: 'isdbgrid', ok: 1 } }, true],
    [{ isMaster: { msg: 'isdbgrid', ok: 1 } }, true],
    [{ hello: { setName: 'rs0', ok: 1 }, isMaster: { msg: 'isdbgrid', ok: 1 } }, false],
    [{ isMaster: { ok: 1 } }, false],
    [{}, false],
  ])('knows a router by its answers, of 4.4.0 too: %j', async (answers, expected) => {
    expect(await isRouter({ command: answering(answers) })).toBe(expected);
  });
});
