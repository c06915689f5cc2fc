import type { GraphQLResolveInfo } from 'graphql';
import { within } from '../../core/deadline.ts';
import { AccountsError } from '../../errors.ts';

/** When the look-up of a request's session was begun: the deadline of its operations counts from there. */
export const ASKED_AT = Symbol.for('graphql-accounts asked at');

export interface WithAskedAt {
  readonly [ASKED_AT]?: number;
}

/** Undefined in a subscription, which goes on long after that look-up: there each event has the whole time. */
export function askedAtOf(context: WithAskedAt, info: unknown): number | undefined {
  const { operation } = (info ?? {}) as Partial<GraphQLResolveInfo>;
  return operation?.operation === 'subscription' ? undefined : context[ASKED_AT];
}

/**
 * SERVICE_UNAVAILABLE when an operation takes too long: each of its calls may end just in time while a store is slow,
 * and together they would hold the caller for minutes (S55).
 */
export function withinDeadline<T>(
  work: Promise<T>,
  askedAt: number | undefined,
  timeout: number,
): Promise<T> {
  const waited = askedAt === undefined ? 0 : performance.now() - askedAt;
  return within(Math.max(0, timeout - waited), work, () => {
    throw new AccountsError('SERVICE_UNAVAILABLE');
  });
}
