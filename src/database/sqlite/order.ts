/** A row with the place of its id among the wanted ones. */
export type Placed<Row extends readonly unknown[]> = [place: number, ...Row];

/** A record for each id, in their order, null where there is no row. */
export function inOrder<Row extends readonly unknown[], Out>(
  ids: readonly string[],
  rows: readonly Placed<Row>[],
  toRecord: (row: Row) => Out,
): (Out | null)[] {
  const records = ids.map((): Out | null => null);
  for (const [place, ...row] of rows) records[place] = toRecord(row);
  return records;
}
