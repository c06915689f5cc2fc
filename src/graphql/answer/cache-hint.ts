/** What Apollo Server adds to the last argument of resolvers. */
interface Hinted {
  readonly cacheControl?: { readonly cacheHint?: { restrict?(hint: CacheHint): unknown } };
}

interface CacheHint {
  scope: 'PRIVATE';
  maxAge?: 0;
}

const PRIVATE: CacheHint = { scope: 'PRIVATE' };
const NEVER: CacheHint = { scope: 'PRIVATE', maxAge: 0 };

/**
 * Says that an answer depends on who asks. With `defaultMaxAge`, or `@cacheControl` on what a field returns, Apollo
 * Server calls it public otherwise, and caches hand it to strangers.
 */
export function hintPrivate(info: unknown): void {
  (info as Hinted | undefined)?.cacheControl?.cacheHint?.restrict?.(PRIVATE);
}

/** Says that no cache may keep an answer, not that of a browser either: it may have another user a minute later. */
export function hintNever(info: unknown): void {
  (info as Hinted | undefined)?.cacheControl?.cacheHint?.restrict?.(NEVER);
}
