import type { SqlDialect } from './dialect.ts';
import { columnsOf, MIGRATIONS, TABLES, type Table } from './tables.ts';

/** What of our tables a database has, as it should be at a version of the schema. */
export interface Findings {
  /** Whether it can tell which version of the schema it has reached. */
  isVersioned: boolean;
  /** A table that is not of that version and has the name, but not the columns, of one that comes later. */
  foreign(version: number): string | null;
  /**
   * A table of that version that is not there, has other columns, or lacks an index: without it a name could be two
   * users'. It may have what comes later: MySQL may have been cut on the way there.
   */
  flawed(version: number): string | null;
}

interface Line {
  text: string;
  since: number;
}

/** `lines` are those of `SchemaDialect.inspect`. */
export function judge({ schema }: SqlDialect, lines: readonly string[]): Findings {
  const found = Map.groupBy(lines.map(schema.normalize), tableOf);
  const isStrange = (table: Table<object>): boolean => {
    const theirs = (found.get(table.name) ?? []).filter(isNoIndex);
    const ours = linesOf(schema, table);
    const first = textsAt(ours, sinceOf(table)).filter(isNoIndex);
    const known = new Set(ours.map(({ text }) => text));
    return first.some((line) => !theirs.includes(line)) || theirs.some((line) => !known.has(line));
  };
  const lacks = (table: Table<object>, version: number): boolean => {
    const theirs = found.get(table.name) ?? [];
    return textsAt(linesOf(schema, table), version).some(
      (line) => !theirs.includes(line) || theirs.some((other) => other !== line && sameIndex(other, line)),
    );
  };
  const nameOf = (matches: (table: Table<object>) => boolean): string | null =>
    TABLES.find(matches)?.name ?? null;
  return {
    isVersioned: found.has(MIGRATIONS.name) && !isStrange(MIGRATIONS),
    foreign: (version) =>
      nameOf((table) => sinceOf(table) > version && found.has(table.name) && isStrange(table)),
    flawed: (version) =>
      nameOf((table) => sinceOf(table) <= version && (isStrange(table) || lacks(table, version))),
  };
}

function linesOf({ typeOf, more }: SqlDialect['schema'], table: Table<object>): Line[] {
  const first = sinceOf(table);
  return [
    ...columnsOf(table).map(({ name, kind, nullable, since = first }) => ({
      text: `${table.name}.${name} ${typeOf(kind)}${nullable ? '' : ' not null'}`,
      since,
    })),
    ...table.indexes.map(({ name, uniqueBy }) => ({
      text: `${table.name} index ${name}${uniqueBy === null ? '' : ` unique (${uniqueBy})`}`,
      since: first,
    })),
    ...more.filter((text) => tableOf(text) === table.name).map((text) => ({ text, since: first })),
  ];
}

const sinceOf = ({ since = 1 }: Table<object>): number => since;

const tableOf = (line: string): string => /^\w+/.exec(line)?.[0] ?? '';

function textsAt(lines: readonly Line[], version: number): string[] {
  return lines.filter(({ since }) => since <= version).map(({ text }) => text);
}

/** Some servers have a line for each column of an index: one of two columns is not unique by the first of them. */
function sameIndex(first: string, second: string): boolean {
  return first.split(' unique (')[0] === second.split(' unique (')[0];
}

/** Whoever runs the database may add some. */
function isNoIndex(line: string): boolean {
  return !/^\w+ index /.test(line);
}
