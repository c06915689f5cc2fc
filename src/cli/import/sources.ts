import { BadConfiguration } from '../bad-configuration.ts';
import { loadPackage } from '../packages.ts';
import { whyUnusable } from '../stores/reasons.ts';
import { parseDatabaseUrl } from '../stores/urls.ts';
import type { ForeignUser, UserSource } from './foreign-user.ts';

/** Users of a batch: each kind of database is asked for so many at once. */
export const BATCH = 1_000;
/** Milliseconds until a server that does not answer is given up at the start. */
export const CONNECT_TIMEOUT = 10_000;

/**
 * Opens a database that accounts-js has written: `mongodb:` for @accounts/mongo, `postgres:` for @accounts/typeorm.
 * Throws BadConfiguration, without the password of the URL, for what is none, and for what cannot be reached.
 */
export async function openSource(url: string): Promise<UserSource> {
  const scheme = /^([a-z+]+):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'mongodb':
    case 'mongodb+srv': {
      parseDatabaseUrl(url, '--from');
      const { mongoSource } = await import('./mongo-source.ts');
      return guarded(url, () => loadPackage('--from', () => mongoSource(url)));
    }
    case 'postgres':
    case 'postgresql': {
      parseDatabaseUrl(url, '--from');
      const { typeormSource } = await import('./typeorm-source.ts');
      return guarded(url, () => loadPackage('--from', () => typeormSource(url)));
    }
    default:
      throw new BadConfiguration(
        '--from must be the URL of a database of accounts-js: mongodb://… (@accounts/mongo) or postgres://… (@accounts/typeorm)',
      );
  }
}

/** Whatever its driver throws, the one who runs the program is told which of the two databases it is about. */
async function guarded(url: string, open: () => Promise<UserSource>): Promise<UserSource> {
  const named = async <T>(work: () => Promise<T>, what = ''): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BadConfiguration || error instanceof TypeError) throw error;
      throw new BadConfiguration(`--from: ${what}${whyUnusable(error, url)}`);
    }
  };
  const source = await named(open);
  async function* users(): AsyncGenerator<ForeignUser[]> {
    const batches = source.users()[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await named(() => batches.next(), 'run the command again, which goes on from here: ');
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await batches.return?.();
    }
  }
  return { users, close: () => source.close() };
}
