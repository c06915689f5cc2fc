// node import-until-killed.ts URL REPORT COUNT: imports so many users into a database, and says how far it is.
import { importUsers } from '../../../src/cli/import/accounts-js.ts';
import { openDatabase } from '../../../src/cli/stores/open.ts';
import { parseDatabaseUrl } from '../../../src/cli/stores/urls.ts';
import { KEY, manyUsers, sourceOf } from './foreign.ts';

const [url = '', report = '', count = '0'] = process.argv.slice(2);
const target = await openDatabase(parseDatabaseUrl(url, 'URL'), { name: 'URL', migrate: true });
const result = await importUsers(sourceOf(manyUsers(Number(count)), 50), {
  target: target.store,
  report,
  encryptionKeys: [KEY],
  progress: ({ phase, users }) => process.stdout.write(`${phase} ${users}\n`),
});
await target.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
