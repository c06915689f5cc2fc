import type { PlaceKind, SqlDialect } from './dialect.ts';

/** SQL whose text is made once; a look-up costs no building of queries. */
export interface Statement {
  readonly sql: string;
  readonly kinds: readonly PlaceKind[];
  /** Whether it only reads. */
  readonly reads: boolean;
  /** Whether it gives rows. */
  readonly gives: boolean;
  /** An INSERT that changes nothing where the row is there already, which is no error. */
  readonly mayBeThere: boolean;
}

export interface Query {
  statement: Statement;
  values: readonly unknown[];
}

export interface Result {
  rows: (readonly unknown[])[];
  changed: number;
}

/** `:key`, `:time` and so on are the places of values. */
export function statement(dialect: SqlDialect, text: string): Statement {
  const kinds: PlaceKind[] = [];
  const sql = text.replace(/(?<!:):([a-z]+)/g, (_, kind: PlaceKind) => {
    kinds.push(kind);
    return dialect.place(kind, kinds.length);
  });
  const reads = /^\s*SELECT\b/.test(sql);
  return { sql, kinds, reads, gives: reads || /\bRETURNING\b/.test(sql), mayBeThere: false };
}

/** An INSERT, unless the row is there. Says by `changed` which of the two. */
export function insertNew(dialect: SqlDialect, insert: string): Statement {
  return { ...statement(dialect, `${insert} ${dialect.orNothing}`), mayBeThere: true };
}

/** As it is: a migration may have colons. */
export function plain(sql: string): Statement {
  const reads = /^\s*(SELECT|WITH)\b/.test(sql);
  return { sql, kinds: [], reads, gives: reads, mayBeThere: false };
}

/** What a driver is given. */
export function toDriver(
  dialect: SqlDialect,
  { statement: { sql, kinds }, values }: Query,
): { sql: string; parameters: unknown[] } {
  const parameters = kinds.map((kind, place) => dialect.encode(kind, values[place]));
  if (!dialect.listsBecomePlaces || !kinds.includes('keys')) return { sql, parameters };
  const lists = parameters.filter((value) => Array.isArray(value));
  return {
    sql: sql.replace(/\(\?\.\.\.\)/g, () => `(${(lists.shift() ?? []).map(() => '?').join(', ')})`),
    parameters: parameters.flat(),
  };
}
