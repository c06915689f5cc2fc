// node seed-typeorm.cjs URL: makes a database of @accounts/typeorm on PostgreSQL.
const { AccountsTypeorm, entities } = require('@accounts/typeorm');
const { createConnection } = require('typeorm');
const { run, signUp } = require('./people.cjs');

run(async (url) => {
  const connection = await createConnection({ type: 'postgres', url, entities, synchronize: true });
  const db = new AccountsTypeorm({ connection });
  // Its look-up of a linked account fails with the TypeORM that it asks for. Nobody here is linked yet.
  db.findUserByServiceId = async () => null;
  const people = await signUp(db);
  await connection.close();
  return people;
});
