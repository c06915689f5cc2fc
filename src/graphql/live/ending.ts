import { SECOND } from '../../core/time.ts';
import { AccountsError } from '../../errors.ts';
import type { AccountsContext } from '../context.ts';
import { ASKED_AT, type WithAskedAt } from '../operation/deadline.ts';
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

/** For how long nobody asks again whether a session is good: as long as between two checks of those that are watched. */
const FRESH = 1.5 * SECOND;

/** A class: ten thousand of them share its functions. */
class SessionEnding<T> implements Ending<T> {
  readonly last: (error: AccountsError) => T;
  confirmed: Promise<void> | null = null;
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
      const stop = accounts.watchSession(authToken, end);
      if (!accounts.stateless && !accounts.micro && !isFresh(contextValue))
        this.confirmed = this.#confirm(end);
      return stop;
    } catch (error) {
      // The token alone: other streams of the socket go on, as long as the session does.
      onEnd(this.#told(error));
      return () => undefined;
    }
  }

  /**
   * A source may take its time to begin, and some hosts make one context for a whole socket: whoever was thrown out in
   * the meantime hears nothing, not even until the next check.
   */
  async #confirm(end: (error: AccountsError) => void): Promise<void> {
    const { accounts, authToken } = this.#owner;
    try {
      await accounts.resumeLiveSession(authToken);
    } catch (error) {
      end(this.#told(error));
    }
  }

  #told(error: unknown): AccountsError {
    if (error instanceof AccountsError) return error;
    this.report(error);
    return new AccountsError('INTERNAL_SERVER_ERROR');
  }

  report(error: unknown): void {
    this.#owner.accounts.report(error, 'the source of a subscription');
  }
}

function isFresh(contextValue: unknown): boolean {
  const { [ASKED_AT]: askedAt } = contextValue as WithAskedAt;
  return askedAt !== undefined && performance.now() - askedAt < FRESH;
}
