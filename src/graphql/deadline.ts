import { AccountsError } from '../errors.ts';

/** When the look-up of a request's session was begun: the deadline of its operations counts from there. */
export const ASKED_AT = Symbol('graphql-accounts asked at');

/**
 * Answers SERVICE_UNAVAILABLE when an operation takes too long: each of its calls may end just in time while a store
 * is slow, and together they would hold the caller for minutes (S55).
 */
export async function withinDeadline<T>(
  work: Promise<T>,
  askedAt: number | undefined,
  timeout: number,
): Promise<T> {
  const waited = askedAt === undefined ? 0 : performance.now() - askedAt;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AccountsError('SERVICE_UNAVAILABLE')), Math.max(0, timeout - waited));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
