import type { Kind } from './tables.ts';

/** What the three kinds of databases say differently. */
export interface SqlDialect {
  name: 'PostgreSQL' | 'MySQL' | 'SQLite';
  /** Below `migrations/`. */
  folder: 'postgres' | 'mysql' | 'sqlite';
  /** The place of the value number `place`, from 1. */
  place(kind: PlaceKind, place: number): string;
  /** What a driver is given for a value, so that no setting of the host's decides what arrives. */
  encode(kind: PlaceKind, value: unknown): unknown;
  /** Reads a column as what no setting of the host's turns into something else. */
  read(kind: Kind, column: string): string;
  /** That a column is one of the values at the place `:keys`. */
  among(column: string): string;
  /** A list takes one place for each of its values. */
  listsBecomePlaces: boolean;
  /** Appended to an INSERT: a row that is there already stays as it is and is no error. */
  orNothing: string;
  /** Whether the error says that the row is there already, where `orNothing` says nothing. */
  isDuplicate(error: unknown): boolean;
  /** Appended to an INSERT: takes the place of the row with the same primary key. */
  orReplace(columns: readonly string[]): string;
  /** Appended to an INSERT of a counter, with its `:time`s being now: adds to the one that has not ended by then. */
  orAdd: string;
  /** Whether a DELETE or an INSERT can give the row. */
  returns: boolean;
  /** When a session ends, as the index has it. */
  sessionEnd: string;
  /** A DELETE of at most `:count` rows whose `end` lies before `:time`. */
  deleteEnded(table: string, end: string): string;
  /** Whether the same may be tried again: nothing of it was done. */
  isTransient(error: unknown): boolean;
  /** What somebody can do about an error who runs the server. */
  advice(error: unknown): string | null;
  /** Whether a step of a migration was done already. */
  isDone(error: unknown): boolean;
  schema: SchemaDialect;
}

/** `keys` is a list of keys. */
export type PlaceKind = Kind | 'keys';

export interface SchemaDialect {
  /**
   * One line for each column and each index of our tables; of a unique one with its columns, together or one a line.
   * `tables` are their names as literals.
   */
  inspect(tables: string): string;
  /** A line of `inspect` as it is compared: servers of one kind differ in how they write a type. */
  normalize(line: string): string;
  typeOf(kind: Kind): string;
  /** Lines that one kind of server has besides. */
  more: readonly string[];
  /** A query, and what is wrong with its row. */
  probe: { sql: string; complaint(row: readonly unknown[]): string | null } | null;
  /** Whoever migrates holds it; a second one waits. Null where a transaction is enough. */
  lock: { take: string; isTaken(row: readonly unknown[]): boolean; release: string | null } | null;
}
