import type { AccountsContext } from '../context.ts';
import { coverResults } from './ending.ts';
import { liveResults } from './live-results.ts';

/** The operations of a host that asks for each context and hands each result over. */
export interface Operations {
  /** What the application's own `context` gives, with ours in it. */
  contextOf(own: unknown, args: readonly unknown[], accounts: AccountsContext): Promise<object>;
  /** The result, which ends with the session where it is a stream. */
  resultOf(args: unknown, result: unknown): unknown;
}

export function createOperations(): Operations {
  /** The application may have brought a context itself: then its plugin, or its schema, ends the stream. */
  const made = new WeakSet<object>();
  return {
    async contextOf(own, args, accounts) {
      const given: unknown = typeof own === 'function' ? await own(...args) : own;
      if (given !== undefined && given !== null && typeof given !== 'object')
        throw new TypeError('context must be an object, or a function that returns one');
      const contextValue = { ...given, ...accounts };
      made.add(contextValue);
      coverResults(contextValue);
      return contextValue;
    },
    resultOf(args, result) {
      const { contextValue } = (args ?? {}) as { contextValue?: unknown };
      const isOurs = typeof contextValue === 'object' && contextValue !== null && made.has(contextValue);
      return isOurs ? (liveResults(result, contextValue) ?? result) : result;
    },
  };
}
