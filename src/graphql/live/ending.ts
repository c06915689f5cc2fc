import { AccountsError } from '../../errors.ts';
import type { AccountsContext } from '../context.ts';
import type { Ending } from './live-stream.ts';
import { forbid } from './socket.ts';

/** Contexts of operations whose results a host hands over to us: their sources need not be watched as well. */
const covered = new WeakSet<object>();

/** Says that every stream of results of this context will go through `liveResults`. */
export function coverResults(contextValue: unknown): void {
  if (typeof contextValue === 'object' && contextValue !== null) covered.add(contextValue);
}

export function areResultsCovered(contextValue: unknown): boolean {
  return typeof contextValue === 'object' && contextValue !== null && covered.has(contextValue);
}

/** How the streams of a context end with its session. Null where nobody is logged in: nothing to watch, nothing to pay. */
export function endingOf<T>(contextValue: unknown, last: (error: AccountsError) => T): Ending<T> | null {
  const { accounts, authToken, session } = (contextValue ?? {}) as Partial<AccountsContext>;
  if (!accounts || !session || typeof authToken !== 'string') return null;
  return new SessionEnding({ accounts, authToken, contextValue }, last);
}

interface Owner {
  accounts: AccountsContext['accounts'];
  authToken: string;
  contextValue: unknown;
}

/** A class: ten thousand of them share its functions. */
class SessionEnding<T> implements Ending<T> {
  readonly last: (error: AccountsError) => T;
  readonly #owner: Owner;

  constructor(owner: Owner, last: (error: AccountsError) => T) {
    this.#owner = owner;
    this.last = last;
  }

  watch(onEnd: (error: AccountsError) => void): () => void {
    const { accounts, authToken, contextValue } = this.#owner;
    const end = (error: AccountsError): void => {
      onEnd(error);
      if (error.code === 'UNAUTHENTICATED') forbid(contextValue);
    };
    try {
      return accounts.watchSession(authToken, end);
    } catch (error) {
      if (!(error instanceof AccountsError)) this.report(error);
      end(error instanceof AccountsError ? error : new AccountsError('INTERNAL_SERVER_ERROR'));
      return () => undefined;
    }
  }

  report(error: unknown): void {
    this.#owner.accounts.report(error, 'the source of a subscription');
  }
}
