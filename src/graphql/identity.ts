import type { AccountsServer } from '../core/accounts-server.ts';
import type { Identified } from '../core/identification.ts';
import type { Services } from '../core/service.ts';
import type { SessionInfo } from '../core/sessions.ts';
import type { User } from '../core/users.ts';
import { AccountsError } from '../errors.ts';

/** Whom a request's token speaks for, or why for nobody. */
export interface Identity<U extends User = User> {
  readonly user: U | null;
  readonly session: SessionInfo | null;
  readonly authError: AccountsError | null;
}

export const NOBODY: Identity<never> = Object.freeze({ user: null, session: null, authError: null });

/** Users that were read from the store, in stateless mode. */
const loadedUsers = new WeakSet<object>();

/** False for a user who is only what a stateless token says. */
export function isLoaded(server: { readonly stateless: boolean }, user: object): boolean {
  return !server.stateless || loadedUsers.has(user);
}

/**
 * Finds out whom a token speaks for and never throws: a client whose token has expired must still be able to refresh.
 * Without a look-up to make it answers at once, not with a promise.
 */
export function createIdentify<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  loadUser: boolean,
): (token: string) => Identity<U> | Promise<Identity<U>> {
  if (loadUser && server.micro) throw new TypeError('loadUser: a server in micro mode has no users to load');
  const refused = (error: unknown): Identity<U> => {
    const known = error instanceof AccountsError;
    if (!known) server.report(error, 'the context of a request');
    const authError = known ? error : new AccountsError('INTERNAL_SERVER_ERROR');
    return { user: null, session: null, authError };
  };
  const load = async (identified: Identified<U>): Promise<Identity<U>> => {
    const user = await server.loadUser(identified);
    loadedUsers.add(user);
    return recognised({ ...identified, user });
  };
  const loads = loadUser && server.stateless;
  return (token) => {
    try {
      const identified = server.identify(token);
      if (identified instanceof Promise) return identified.then(recognised<U>, refused);
      return loads ? load(identified).catch(refused) : recognised(identified);
    } catch (error) {
      return refused(error);
    }
  };
}

function recognised<U extends User>({ user, session }: Identified<U>): Identity<U> {
  return { user, session, authError: null };
}
