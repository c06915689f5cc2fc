import { openDatabase } from '../src/cli/stores/open.ts';
import { openStores } from '../src/cli/stores/open-stores.ts';
import { AccountsServer } from '../src/index.ts';
import { configOf } from './config.ts';
import { fill } from './fill.ts';
import type { Tokens } from './requests.ts';

/** The users of a server, who are logged in from outside of it: that is no part of what is measured. */
export interface People {
  /** The tokens of as many new sessions, of one user after the other. */
  logIn(count: number): Promise<Tokens[]>;
  close(): Promise<void>;
}

/** Fills the database that a server is about to be started on. */
export async function fillStore(folder: string, settings: readonly string[], users: number): Promise<People> {
  const config = configOf(folder, settings);
  const { store, close } = await openDatabase(config.database, { name: 'DATABASE_URL', migrate: true });
  await fill(store, 0, users);
  await close();
  const stores = await openStores(config);
  const accounts = new AccountsServer({
    ...{ db: stores.db, tokenSecret: stores.tokenSecret, rateLimits: false },
    useStatelessSession: config.stateless,
  });
  return {
    async logIn(count) {
      const tokens: Tokens[] = [];
      const one = async (n: number): Promise<void> => {
        tokens.push((await accounts.loginWithUser({ id: `id-${n % users}` })).tokens);
      };
      for (let n = 0; n < count; n += 50)
        await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, i) => one(n + i)));
      return tokens;
    },
    close: () => stores.close(),
  };
}
