import { DEFAULT_DATABASE_URL, readSettings } from './settings.ts';
import { openDatabase } from './stores/open.ts';
import { parseDatabaseUrl } from './stores/urls.ts';

/** Makes the tables of a database, or brings them up to date. Throws BadConfiguration. */
export async function runMigrate(flags: { readonly [variable: string]: unknown }): Promise<void> {
  process.umask(0o077);
  const { DATABASE_URL: url = DEFAULT_DATABASE_URL } = readSettings(process.env, flags);
  const { place, close } = await openDatabase(parseDatabaseUrl(url, 'DATABASE_URL'), {
    name: 'DATABASE_URL',
    migrate: true,
  });
  await close();
  process.stdout.write(`${place} is up to date\n`);
}
