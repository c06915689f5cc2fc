import { AccountsError } from '../errors.ts';
import { STORE_METHODS, type Store } from './store.ts';

/** What stands in for a database in micro mode: everything that would need one is refused. */
export const NO_STORE: Store = {
  users: refuser('users'),
  identities: refuser('identities'),
  sessions: refuser('sessions'),
  oneTimeTokens: refuser('oneTimeTokens'),
  counters: null,
  sessionsWithUsers: refuse,
  // There is nothing that could be down.
  ping: async () => undefined,
};

function refuser<S extends Exclude<keyof typeof STORE_METHODS, 'counters'>>(name: S): Store[S] {
  const methods = Object.keys(STORE_METHODS[name]);
  return Object.fromEntries(methods.map((method) => [method, refuse])) as unknown as Store[S];
}

async function refuse(): Promise<never> {
  // Not SERVICE_UNAVAILABLE: trying again does not help.
  throw new AccountsError('FORBIDDEN', 'This server only verifies tokens (micro) and has no database.');
}
