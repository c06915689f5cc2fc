import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type Connection, closedError, Occupied, type Steps, untilDone } from './connection.ts';
import { SQLITE } from './sqlite.ts';
import { type Query, type Result, toDriver } from './statement.ts';

/**
 * A `DatabaseSync`, which has one connection. A transaction runs from BEGIN to COMMIT within one turn of the event
 * loop, so that no statement of anybody else slips into it; and where the host has one open on that connection,
 * changes wait for its end, because a rollback of the host's would take an acknowledged change with it.
 */
export function nodeSqliteConnection(
  open: () => DatabaseSync,
  { patience, close }: { patience: number; close(): void },
): Connection {
  const prepared = new Map<string, StatementSync>();
  let opened: DatabaseSync | null = null;
  let closed = false;

  const database = (): DatabaseSync => {
    if (closed) throw closedError();
    opened ??= open();
    return opened;
  };
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    const made = database().prepare(sql);
    made.setReturnArrays(true);
    made.setReadBigInts(false);
    prepared.set(sql, made);
    return made;
  };
  const perform = (query: Query): Result => {
    const values = toDriver(SQLITE, query).parameters as SQLInputValue[];
    const statement = prepare(query.statement.sql);
    if (!query.statement.gives) return { rows: [], changed: Number(statement.run(...values).changes) };
    const rows: unknown = statement.all(...values);
    return { rows: rows as unknown[][], changed: 0 };
  };
  const transactNow = <T>(steps: () => Steps<T>): T => {
    const db = database();
    if (db.isTransaction) throw new Occupied();
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = playNow(steps(), perform);
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  const transact = <T>(steps: () => Steps<T>): Promise<T> =>
    untilDone(SQLITE, patience, () => transactNow(steps));

  return {
    dialect: SQLITE,
    run: (query) =>
      untilDone(SQLITE, patience, () => {
        if (!query.statement.reads && database().isTransaction) throw new Occupied();
        return perform(query);
      }),
    transact,
    migrate: transact,
    close: async () => {
      if (closed) return;
      closed = true;
      prepared.clear();
      if (opened) close();
    },
  };
}

/** The steps of a transaction, in one turn of the event loop. */
function playNow<T>(steps: Steps<T>, perform: (query: Query) => Result): T {
  let step = steps.next();
  while (!step.done) {
    let result: Result;
    try {
      result = perform(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}
