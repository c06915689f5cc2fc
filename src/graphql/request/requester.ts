import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Requester } from '../../core/requester.ts';
import type { Services } from '../../core/service.ts';
import type { SessionInfo } from '../../core/sessions.ts';
import type { User } from '../../core/user.ts';
import { AccountsError } from '../../errors.ts';

/** Who makes a request, or why nobody does. */
export interface PossibleRequester<U extends User = User> {
  readonly user: U | null;
  readonly session: SessionInfo | null;
  readonly authError: AccountsError | null;
}

export const NOBODY: PossibleRequester<never> = Object.freeze({ user: null, session: null, authError: null });

/** Users that were read from the store, in stateless mode. */
const loadedUsers = new WeakSet<object>();

/** False for a user who is only what a stateless token says. */
export function isLoaded(server: { readonly stateless: boolean }, user: object): boolean {
  return !server.stateless || loadedUsers.has(user);
}

/**
 * Finds out whom a token speaks for and never throws: a client whose token has expired must still be able to refresh.
 * No promise where nothing is looked up.
 */
export function createResume<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  loadUser: boolean,
): (token: string) => PossibleRequester<U> | Promise<PossibleRequester<U>> {
  if (loadUser && server.micro) throw new TypeError('loadUser: a server in micro mode has no users to load');
  const refused = (error: unknown): PossibleRequester<U> => {
    const known = error instanceof AccountsError;
    if (!known) server.report(error, 'the context of a request');
    const authError = known ? error : new AccountsError('INTERNAL_SERVER_ERROR');
    return { user: null, session: null, authError };
  };
  const withUser = async (requester: Requester<U>): Promise<PossibleRequester<U>> => {
    const user = await server.resumeUser(requester);
    loadedUsers.add(user);
    return recognised({ ...requester, user });
  };
  const loads = loadUser && server.stateless;
  return (token) => {
    try {
      const requester = server.resumeRequester(token);
      if (requester instanceof Promise) return requester.then(recognised<U>, refused);
      return loads ? withUser(requester).catch(refused) : recognised(requester);
    } catch (error) {
      return refused(error);
    }
  };
}

function recognised<U extends User>({ user, session }: Requester<U>): PossibleRequester<U> {
  return { user, session, authError: null };
}
