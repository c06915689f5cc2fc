import { inspect } from 'node:util';
import mongoose from 'mongoose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { anIdentity, aSession, aToken, aUser } from '../../src/database/conformance/records.ts';
import { explain } from '../../src/database/mongoose/failures.ts';
import { mongooseDatabase } from '../../src/database/mongoose/index.ts';
import type { AccountsDatabase, Json } from '../../src/database/ports.ts';
import { HAS_MONGO } from '../servers/mongo.ts';
import { freePort } from '../servers/process.ts';
import { commandsOf, onMongo } from './mongoose-databases.ts';

const TROUBLESOME = {
  keys: { $ne: null, 'a.b.$c': 1, '': 2, '%': 3, '%24': 4, '%2E': { $where: 5 }, a$b: 6, _id: 7 },
  values: [5e-324, -1.5, Number.MAX_SAFE_INTEGER, 2 ** 31, -0.5, 1, 0],
  types: [
    { _bsontype: 'ObjectId', id: 'x' },
    { _bsontype: 'Long', low: 1, high: 0 },
    { '%5Fbsontype': 'Code', code: 'x' },
    { $ref: 'users', $id: 1, $db: 'admin' },
    { $numberLong: '1' },
    { $date: 0 },
  ],
  constructor: { prototype: {} },
};

async function roundTrip(db: AccountsDatabase): Promise<void> {
  const data = structuredClone<typeof TROUBLESOME & { [key: string]: Json }>(TROUBLESOME);
  const user = aUser('ada', { profile: data });
  const identity = anIdentity('ada', 'a', { data });
  const token = aToken('key', 'hash', { data });
  const session = aSession('1', 'ada');
  expect(await db.users.create(user, [identity])).toBe(null);
  await db.oneTimeTokens.put(token);
  await db.sessions.create(session);
  const found = await db.users.findMany(['ada']);
  expect(found).toEqual([user]);
  expect(JSON.stringify(found[0]?.profile)).toBe(JSON.stringify(data));
  expect(await db.identities.find('email', 'a')).toEqual(identity);
  expect(await db.oneTimeTokens.find('hash')).toEqual(token);
  expect(await db.sessions.findMany(['1'])).toEqual([session]);
  expect(await db.users.update(user)).toBe(true);
  expect(await db.identities.update(identity)).toBe(true);
  expect(await db.sessions.update(session)).toBe(true);
  expect(await db.sessions.findByUser('ada')).toEqual([{ ...session, version: 2 }]);
  expect(await db.oneTimeTokens.consume('hash', 'reset-password')).toEqual(token);
  expect(await db.identities.remove('email', 'a', 2)).toBe(true);
  await db.sessions.revokeAll('ada', 1, []);
  expect(await db.sessions.findByUser('ada')).toEqual([]);
}

describe.skipIf(!HAS_MONGO)('mongooseDatabase in a host', () => {
  const mongo = onMongo();
  afterEach(() => vi.useRealTimers());

  test('data that MongoDB or its driver would take for something else comes back as it was', async () => {
    const { db } = await mongo.open();
    await roundTrip(db);
  });

  test('a profile is a document that an operator can query', async () => {
    const { db, connection } = await mongo.open();
    await db.users.create(aUser('ada', { profile: { company: { name: 'Analytical' } } }), []);
    const found = await connection
      .collection('accounts_users')
      .findOne({ 'profile.company.name': 'Analytical' });
    expect(found?._id).toBe('ada');
  });

  test('times outside of what a date can be become the first or the last, and break nothing', async () => {
    const { db } = await mongo.open();
    const times = { createdAt: -1e300, rotatedAt: -1, idleExpiresAt: 1e300, expiresAt: Number.MAX_VALUE };
    await db.sessions.create(aSession('1', 'ada', times));
    expect(await db.sessions.findMany(['1'])).toMatchObject([
      { createdAt: -8.64e15, rotatedAt: -1, idleExpiresAt: 8.64e15, expiresAt: 8.64e15 },
    ]);
    expect(await db.sessions.removeExpired(1e300)).toBe(0);
  });

  test.each([
    { promoteValues: false, ignoreUndefined: true },
    { promoteLongs: false, serializeFunctions: true },
    { useBigInt64: true },
    { raw: true },
  ])('plugins, settings and %j of the host change nothing that is stored or read', async (options) => {
    const host = new mongoose.Mongoose();
    const printed: unknown[] = [];
    host.set('debug', (...args: unknown[]) => printed.push(args));
    host.set('sanitizeFilter', false);
    host.set('strictQuery', true);
    host.set('strict', 'throw');
    host.set('bufferCommands', false);
    host.plugin((schema) => {
      schema.add({ tenant: { type: String, required: true } });
      schema.pre(
        ['find', 'findOne', 'findOneAndUpdate', 'updateOne', 'updateMany', 'deleteOne', 'save'],
        () => {
          throw new Error('a plugin of the host ran');
        },
      );
      schema.set('toObject', { transform: () => ({ transformed: true }) });
    });
    const connection = await mongo.connect(options, host);
    const db = mongooseDatabase(connection);
    await db.migrate?.();
    await db.ping?.();
    await roundTrip(db);
    expect(await db.oneTimeTokens.removeExpired(0)).toBe(0);
    expect(printed).toEqual([]);
    const stored = await mongoose.createConnection(mongo.sameDatabase(connection)).asPromise();
    const [user] = await stored.collection('accounts_users').find({}).toArray();
    await stored.close();
    expect(user).toMatchObject({ _id: 'ada', version: 2, state: 'active' });
    expect(user).not.toHaveProperty('tenant');
  });

  test('reads go to the primary and writes to a majority and its journal, whatever the host prefers', async () => {
    const connection = await mongo.connect({
      monitorCommands: true,
      readPreference: 'secondaryPreferred',
      readConcern: { level: 'available' },
      writeConcern: { w: 1, journal: false },
    });
    const commands = commandsOf(connection);
    // Its own commands do what it prefers.
    await connection.collection('orders').findOne({});
    expect(commands.pop()?.command).toMatchObject({ readConcern: { level: 'available' } });

    const db = mongooseDatabase(connection);
    await db.migrate?.();
    await db.ping?.();
    commands.length = 0;
    await roundTrip(db);
    const reads = commands.filter(({ commandName }) => commandName === 'find');
    const writes = commands.filter(({ commandName }) => commandName !== 'find');
    expect(reads.length).toBeGreaterThan(4);
    for (const { command } of reads) {
      expect(command.readConcern).toEqual({ level: 'local' });
      expect({ mode: 'primary', ...command.$readPreference }).toEqual({ mode: 'primary' });
    }
    const names = new Set(writes.map(({ commandName }) => commandName));
    expect([...names].sort()).toEqual(['delete', 'findAndModify', 'insert', 'update']);
    for (const { command } of writes)
      expect(command.writeConcern).toMatchObject({ w: 'majority', j: true, wtimeout: 5_000 });
  });

  test('objects of operators are refused before anything is asked, also with sanitizeFilter: false (S43)', async () => {
    const host = new mongoose.Mongoose();
    host.set('sanitizeFilter', false);
    const connection = await mongo.connect({ monitorCommands: true }, host);
    const db = mongooseDatabase(connection);
    await db.migrate?.();
    await db.users.create(aUser('ada'), [anIdentity('ada', 'a')]);
    await db.sessions.create(aSession('1', 'ada'));
    const commands = commandsOf(connection);
    for (const operator of [{ $ne: null }, { $gt: '' }, { $where: '1' }] as never[])
      for (const call of [
        () => db.identities.find('email', operator),
        () => db.users.findMany([operator]),
        () => db.sessions.findMany([operator]),
        () => db.sessions.revoke(operator, 1),
        () => db.sessions.revokeAll(operator, 1, []),
        () => db.sessions.update(aSession('1', 'ada', { version: operator })),
        () => db.oneTimeTokens.consume(operator, 'reset-password'),
        () => db.oneTimeTokens.removeByUser('ada', operator),
      ])
        await expect(call()).rejects.toBeInstanceOf(TypeError);
    expect(commands).toEqual([]);
  });

  test("the host's own User and Session, and their collections, are left alone", async () => {
    const connection = await mongo.connect();
    const { Schema } = mongoose;
    const users = connection.model('User', new Schema({ name: String }));
    const sessions = connection.model('Session', new Schema({ name: String }));
    await users.create({ name: 'theirs' });
    await sessions.create({ name: 'theirs' });
    const db = mongooseDatabase(connection);
    await db.migrate?.();
    await roundTrip(db);
    expect(await users.find().lean()).toMatchObject([{ name: 'theirs' }]);
    expect(await sessions.find().lean()).toMatchObject([{ name: 'theirs' }]);
    const names = (await connection.listCollections()).map(({ name }) => name).sort();
    expect(names).toEqual([
      'accounts_counters',
      'accounts_identities',
      'accounts_meta',
      'accounts_one_time_tokens',
      'accounts_sessions',
      'accounts_users',
      'sessions',
      'users',
    ]);
  });

  test("a schema of the host refers to a user, and the host's syncIndexes() keeps the indexes", async () => {
    const { db, connection } = await mongo.open();
    await db.users.create(aUser('ada', { username: 'Ada' }), []);
    const { Schema } = mongoose;
    const orders = connection.model(
      'Order',
      new Schema({ by: { type: String, ref: 'GraphqlAccountsUser' } }, { autoIndex: false }),
    );
    const order = await orders.create({ by: 'ada' });
    const populated: unknown = await orders.findById(order._id).populate('by').lean();
    expect(populated).toMatchObject({ by: { _id: 'ada', username: 'Ada' } });
    await connection.syncIndexes();
    expect(await db.ping?.()).toBe(undefined);
  });

  test('two databases on one connection are one', async () => {
    const { db, connection } = await mongo.open();
    await db.users.create(aUser('ada'), []);
    expect(await mongooseDatabase(connection).users.findMany(['ada'])).toEqual([aUser('ada')]);
  });

  test('a model makes no collection and no index of its own', async () => {
    const connection = await mongo.connect();
    mongooseDatabase(connection);
    await Promise.all(Object.values(connection.models).map((model) => model.init()));
    expect(await connection.listCollections()).toEqual([]);
  });

  test('close leaves the connection to its owner, unless that is us', async () => {
    const connection = await mongo.connect();
    await mongooseDatabase(connection).close?.();
    expect(connection.readyState).toBe(mongoose.ConnectionStates.connected);
    const ours = await mongoose.createConnection(mongo.url()).asPromise();
    const db = mongooseDatabase(ours, { closeConnection: true });
    await db.close?.();
    expect(ours.readyState).toBe(mongoose.ConnectionStates.disconnected);
    await expect(db.users.findMany(['ada'])).rejects.toThrow();
  });

  test('a connection that is still connecting is waited for', async () => {
    const connection = mongoose.createConnection(mongo.url());
    const db = mongooseDatabase(connection);
    const answers = await Promise.all([db.migrate?.(), db.migrate?.()]);
    expect(answers).toEqual([undefined, undefined]);
    await roundTrip(db);
    await connection.dropDatabase();
    await connection.close();
  });

  test('a connection that nobody opens is refused after 5 s, with one line', async () => {
    const connection = new mongoose.Mongoose().createConnection();
    const db = mongooseDatabase(connection);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const refusals = expect(Promise.all([db.users.findMany(['ada']), db.ping?.()])).rejects.toThrow(
      'the mongoose connection is not open: connect it, and check that its server can be reached',
    );
    await vi.advanceTimersByTimeAsync(5_000);
    await refusals;
  });

  test('a server that cannot be reached is refused with what the driver says, and without the password', async () => {
    const connection = mongoose.createConnection(`mongodb://somebody:s3cret@127.0.0.1:${await freePort()}`, {
      serverSelectionTimeoutMS: 50,
    });
    const db = mongooseDatabase(connection);
    const failure: unknown = await db.users.findMany(['ada']).catch((error: unknown) => error);
    expect(String(failure)).toContain('ECONNREFUSED');
    expect(String(failure)).not.toContain('s3cret');
    await connection.close();
  });

  test('an error tells no value of a record', async () => {
    const { db } = await mongo.open();
    await db.sessions.create(aSession('a secret id', 'ada'));
    const failure: unknown = await db.sessions.create(aSession('a secret id', 'ada')).catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(JSON.stringify([String(failure), failure])).not.toContain('secret');
  });

  test('a write that no majority confirms tells no document in its error', () => {
    const answer = {
      ok: 1,
      value: { hash: 'a secret hash' },
      writeErrors: [{ code: 11_000, errmsg: 'dup key: { _id: "a secret id" }' }],
      writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
    };
    const failure = explain(new mongoose.mongo.MongoWriteConcernError(answer));
    expect(inspect(failure, { depth: 10 })).not.toContain('secret');
    expect(String(failure)).toContain('a majority of the replica set did not confirm a write in time');
  });

  test.each([undefined, null, {}, 'mongodb://127.0.0.1', new mongoose.Mongoose()])(
    'what is no connection is refused: %s',
    (value) => {
      expect(() => mongooseDatabase(value as never)).toThrow(TypeError);
    },
  );
});
