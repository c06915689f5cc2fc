import type { mongo } from 'mongoose';
import { needPackage } from '../../need-package.ts';
import { BadConfiguration } from '../bad-configuration.ts';
import type { ForeignUser, UserSource } from './foreign-user.ts';
import { isPlainObject } from './plain-data.ts';
import { BATCH, CONNECT_TIMEOUT } from './sources.ts';

/** Where @accounts/mongo keeps its users. */
const COLLECTION = 'users';

/** The users that @accounts/mongo has stored, read through the driver that comes with mongoose. */
export async function mongoSource(url: string): Promise<UserSource> {
  needPackage('mongoose', 'import');
  const { default: mongoose } = await import('mongoose');
  const client: mongo.MongoClient = openClient(() => new mongoose.mongo.MongoClient(url, OPTIONS));
  try {
    const database = client.options.dbName;
    if (!/^[^/]*\/\/[^/]+\/[^?]/.test(url))
      throw new BadConfiguration('--from names no database: give mongodb://HOST/DATABASE');
    const collection = client.db(database).collection(COLLECTION);
    if (!(await collection.findOne({ services: { $exists: true } })) && !(await isEmpty())) throw foreign();
    return {
      async *users() {
        let batch: ForeignUser[] = [];
        const documents = collection.find({}, { sort: { _id: 1 }, batchSize: BATCH });
        for await (const document of documents) {
          batch.push(toForeignUser(document));
          // One answer of the server is 16 MB at most: a thousand users with pictures are 16 GB.
          if (batch.length < BATCH && documents.bufferedCount() > 0) continue;
          yield batch;
          batch = [];
        }
        if (batch.length > 0) yield batch;
      },
      close: () => client.close(),
    };

    /** Of a collection without users, which is nevertheless there. */
    async function isEmpty(): Promise<boolean> {
      const named = await client.db(database).listCollections({ name: COLLECTION }).toArray();
      return named.length > 0 && (await collection.findOne()) === null;
    }
  } catch (error) {
    await client.close();
    throw error;
  }
}

const OPTIONS = {
  serverSelectionTimeoutMS: CONNECT_TIMEOUT,
  connectTimeoutMS: CONNECT_TIMEOUT,
  appName: 'graphql-accounts import',
};

/** What the driver says of a URL that it cannot read may hold a part of it. */
function openClient(open: () => mongo.MongoClient): mongo.MongoClient {
  try {
    return open();
  } catch {
    throw new BadConfiguration('--from is no URL of MongoDB: give mongodb://HOST/DATABASE');
  }
}

function foreign(): BadConfiguration {
  return new BadConfiguration(
    `--from: the database has no collection ${COLLECTION} as @accounts/mongo writes it; give the database of accounts-js`,
  );
}

function toForeignUser(document: Readonly<Record<string, unknown>>): ForeignUser {
  const { _id, id: own, username, emails, services, deactivated, createdAt, updatedAt, ...custom } = document;
  const objectId = isObjectId(_id) ? _id : null;
  const id = objectId ? objectId.toHexString() : typeof _id === 'string' ? _id : null;
  // accounts-js shows `_id` under this name, whatever is there.
  const isId = own === undefined || (isObjectId(own) ? own.toHexString() : own) === id;
  return {
    key: `${objectId ? 'ObjectId' : typeof _id}:${id ?? JSON.stringify(_id)}`,
    id,
    label: id ?? JSON.stringify(_id) ?? 'none',
    ...{ username, emails, deactivated, updatedAt },
    custom: isId ? custom : { id: own, ...custom },
    createdAt: createdAt ?? objectId?.getTimestamp(),
    services: isPlainObject(services) ? Object.entries(services) : notAnObject(services),
  };
}

/** An entry that no service has as its value: the mapper says what is wrong with it. */
function notAnObject(services: unknown): ForeignUser['services'] {
  return services === undefined || services === null ? [] : [['', services]];
}

interface ObjectIdLike {
  toHexString(): string;
  getTimestamp(): Date;
}

function isObjectId(value: unknown): value is ObjectIdLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    // A document can have any field.
    !isPlainObject(value) &&
    '_bsontype' in value &&
    value._bsontype === 'ObjectId'
  );
}
