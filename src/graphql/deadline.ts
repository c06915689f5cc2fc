import { within } from '../core/deadline.ts';
import { AccountsError } from '../errors.ts';

/** When the look-up of a request's session was begun: the deadline of its operations counts from there. */
export const ASKED_AT = Symbol.for('graphql-accounts asked at');

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
