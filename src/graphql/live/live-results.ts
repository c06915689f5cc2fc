import type { GraphQLError } from 'graphql';
import type { AccountsError } from '../../errors.ts';
import { toGraphQLError } from '../graphql-error.ts';
import { areResultsCovered, endingOf } from './ending.ts';
import { LiveStream } from './live-stream.ts';

/** What a stream of results says last when its session has ended. */
interface LastResult {
  errors: GraphQLError[];
  /** Of `@defer` and `@stream`: no more will come. */
  hasNext?: false;
}

/**
 * The results of an operation, which end with the session of its context: with one result that holds the error alone
 * (S52). Null where there is nothing to end, or something ends them already.
 */
export function liveResults(
  results: unknown,
  contextValue: unknown,
  { incremental = false }: { incremental?: boolean } = {},
): LiveStream<unknown> | null {
  if (!isAsyncIterable(results) || results instanceof LiveStream) return null;
  const ending = endingOf<unknown>(contextValue, incremental ? lastPart : lastResult);
  return ending && new LiveStream(results, ending);
}

function lastResult(error: AccountsError): LastResult {
  return { errors: [toGraphQLError(error)] };
}

function lastPart(error: AccountsError): LastResult {
  return { ...lastResult(error), hasNext: false };
}

/** What the last event of a source is, for the resolver that it comes to. */
export class SessionEnd {
  readonly error: AccountsError;

  constructor(error: AccountsError) {
    this.error = error;
  }
}

/**
 * The source of a subscription, which ends with the session: on hosts that hand no results over, such as Mercurius.
 * Its last event is a `SessionEnd`.
 */
export function liveSource(started: unknown, contextValue: unknown): unknown {
  if (areResultsCovered(contextValue)) return started;
  const ending = endingOf<unknown>(contextValue, (error) => new SessionEnd(error));
  if (!ending) return started;
  const live = (source: unknown): unknown =>
    isAsyncIterable(source) && !(source instanceof LiveStream) ? new LiveStream(source, ending) : source;
  return isThenable(started) ? Promise.resolve(started).then(live) : live(started);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
