import type { Result } from './statement.ts';

/** Few enough that other writers wait for one part only. */
const PART = 500;

/** Removes part after part until one is not full; how many in all. */
export async function removeInParts(remove: (limit: number) => Promise<Result>): Promise<number> {
  let removed = 0;
  for (let part = PART; part === PART; removed += part) part = (await remove(PART)).changed;
  return removed;
}
