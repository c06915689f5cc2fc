/** The first and the last millisecond that a date can be. */
const LIMIT = 8.64e15;

/**
 * Times are stored as dates: operators can read them, and MongoDB removes by itself what has expired. What lies outside
 * of what a date can be (the year 275760) becomes the first or the last.
 */
export function toDate(time: number): Date {
  return new Date(Math.min(Math.max(time, -LIMIT), LIMIT));
}
