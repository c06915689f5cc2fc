import type { SqlDialect } from './dialect.ts';
import type { Result } from './statement.ts';
import type { Column, Table } from './tables.ts';
import { columnsOf } from './tables.ts';
import { decode } from './values.ts';

/** The columns of a table as the statements name them, and its records as a row has them. */
export interface Records<R> {
  /** `INSERT` of one or more rows, with a place for each column, in the order of `values`. */
  insert(rows?: number): string;
  /** The columns but the primary key, and their places, for `UPDATE`; in the order of `changes`. */
  set: string;
  /** What `SELECT` and `RETURNING` name, in the order that `read` expects. */
  select: string;
  /** How many columns `select` names. */
  width: number;
  values(record: R, id?: Buffer): unknown[];
  changes(record: R): unknown[];
  read(row: readonly unknown[], from?: number): R;
  /** Of several that share a row, the names must differ. */
  selectAs(prefix: string): string;
}

export function recordsOf<R extends object>(dialect: SqlDialect, table: Table<R>): Records<R> {
  const fields = Object.entries<Column>(table.columns);
  const all = columnsOf(table);
  const isKey = (column: Column): boolean => column.name === 'id';
  const changing = fields.filter(([, column]) => !isKey(column));
  const selectAs = (prefix: string): string =>
    fields
      .map(([, { name, kind }]) => `${dialect.read(kind, `${table.name}.${name}`)} AS ${prefix}${name}`)
      .join(', ');
  const fieldOf = (record: R, field: string): unknown => record[field as keyof R];

  return {
    insert: (rows = 1) =>
      `INSERT INTO ${table.name} (${all.map(({ name }) => name).join(', ')})
       VALUES ${Array.from({ length: rows }, () => `(${all.map(({ kind }) => `:${kind}`).join(', ')})`).join(', ')}`,
    set: changing.map(([, { name, kind }]) => `${name} = :${kind}`).join(', '),
    select: selectAs(''),
    width: fields.length,
    values: (record, id) => [...(id ? [id] : []), ...fields.map(([field]) => fieldOf(record, field))],
    changes: (record) => changing.map(([field]) => fieldOf(record, field)),
    read: (row, from = 0) =>
      Object.fromEntries(
        fields.map(([field, { kind }], place) => [field, decode(kind, row[from + place])]),
      ) as R,
    selectAs,
  };
}

/** A record for each id, in their order, null where there is no row. The id is the first column. */
export function inOrder<Out>(
  ids: readonly string[],
  { rows }: Result,
  read: (row: readonly unknown[]) => Out,
): (Out | null)[] {
  const byId = new Map(rows.map((row) => [decode('key', row[0]), row]));
  return ids.map((id) => {
    const row = byId.get(id);
    return row ? read(row) : null;
  });
}
