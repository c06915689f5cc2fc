// node seed-mongo.cjs URL [strings]: makes a database of @accounts/mongo, with ObjectIds or with ids of its own.
const { randomUUID } = require('node:crypto');
const { Mongo } = require('@accounts/mongo');
const { Binary, MongoClient } = require('mongodb');
const { run, signUp } = require('./people.cjs');

run(async (url) => {
  const client = await MongoClient.connect(url, { useUnifiedTopology: true });
  const strings = process.argv[3] === 'strings';
  const db = new Mongo(
    client.db(),
    strings
      ? {
          convertUserIdToMongoObjectId: false,
          idProvider: () => randomUUID(),
          dateProvider: () => new Date(),
        }
      : {},
  );
  const fields = {
    profile: { firstName: 'Grace' },
    plan: 'gold',
    birthday: new Date(0),
    photo: new Binary(Buffer.from([1, 2, 3])),
  };
  const people = await signUp(db, { fields });
  await client.close();
  return people;
});
