// node import-until-killed.ts DATABASE REPORT COUNT: imports so many users into a SQLite file, and says how far it is.
import { importUsers } from '../../../src/cli/import/accounts-js.ts';
import { sqliteDatabase } from '../../../src/database/sqlite/index.ts';
import { KEY, manyUsers, sourceOf } from './foreign.ts';

const [path = '', report = '', count = '0'] = process.argv.slice(2);
const target = sqliteDatabase(path, { synchronous: 'normal' });
const result = await importUsers(sourceOf(manyUsers(Number(count)), 50), {
  target,
  report,
  encryptionKeys: [KEY],
  progress: ({ phase, users }) => process.stdout.write(`${phase} ${users}\n`),
});
await target.close?.();
process.stdout.write(`${JSON.stringify(result)}\n`);
