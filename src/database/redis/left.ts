/** Whole milliseconds, 0 when it is over, and no more than Redis can add to its clock. */
export function millisecondsUntil(end: number, now: number): number {
  return Math.min(Math.max(Math.ceil(end - now), 0), Number.MAX_SAFE_INTEGER);
}
