/** Few enough that the event loop and other writers wait for one part only. */
const PART = 500;

/** Removes part after part until one is not full; how many in all. */
export async function removeInParts(remove: (limit: number) => Promise<number>): Promise<number> {
  let removed = 0;
  for (let part = PART; part === PART; removed += part) part = await remove(PART);
  return removed;
}
