import type { SqlDialect } from './dialect.ts';
import type { Records } from './records.ts';
import { insertNew, type Query, type Statement } from './statement.ts';

/** So many rows are one statement: a server takes no more than some ten thousand values. */
const ROWS = 100;

/** Makes the statements that insert any number of rows, each made once for its number of rows. */
export function insertsOf<R>(
  dialect: SqlDialect,
  records: Records<R>,
): (rows: readonly (readonly unknown[])[]) => { query: Query; rows: number }[] {
  const statements = new Map<number, Statement>();
  const statementFor = (rows: number): Statement => {
    const known = statements.get(rows) ?? insertNew(dialect, records.insert(rows));
    statements.set(rows, known);
    return known;
  };
  return (rows) =>
    Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, part) => {
      const some = rows.slice(part * ROWS, (part + 1) * ROWS);
      return { query: { statement: statementFor(some.length), values: some.flat() }, rows: some.length };
    });
}
