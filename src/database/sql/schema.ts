import type { SqlDialect } from './dialect.ts';
import { columnsOf, MIGRATIONS, TABLES } from './tables.ts';

/** What of our tables a database has. */
export interface Findings {
  /** Whether it can tell which version of the schema it has reached. */
  isVersioned: boolean;
  /** A table that has not the columns of ours. */
  strange: string | null;
  /** The same, or a table that is not there, or one that lacks an index: without it a name could be two users'. */
  flawed: string | null;
}

/** `lines` are those of `SchemaDialect.inspect`. */
export function judge({ schema }: SqlDialect, lines: readonly string[]): Findings {
  const found = byTable(lines.map(schema.normalize));
  const expected = byTable(expectedLines(schema));
  const isStrange = (table: string): boolean => {
    const [theirs, ours] = [found.get(table) ?? [], expected.get(table) ?? []].map(withoutIndexes);
    return theirs?.toSorted().join() !== ours?.toSorted().join();
  };
  const lacks = (table: string): boolean => {
    const theirs = found.get(table) ?? [];
    return (expected.get(table) ?? []).some(
      (line) => !theirs.includes(line) || theirs.some((other) => other !== line && sameIndex(other, line)),
    );
  };
  const tables = TABLES.map(({ name }) => name);
  const strange = tables.find((table) => found.has(table) && isStrange(table)) ?? null;
  return {
    isVersioned: found.has(MIGRATIONS.name) && !isStrange(MIGRATIONS.name),
    strange,
    flawed: strange ?? tables.find(lacks) ?? null,
  };
}

function expectedLines({ typeOf, more }: SqlDialect['schema']): string[] {
  const lines = TABLES.flatMap((table) => [
    ...columnsOf(table).map(
      ({ name, kind, nullable }) => `${table.name}.${name} ${typeOf(kind)}${nullable ? '' : ' not null'}`,
    ),
    ...table.indexes.map(
      ({ name, uniqueBy }) =>
        `${table.name} index ${name}${uniqueBy === null ? '' : ` unique (${uniqueBy})`}`,
    ),
  ]);
  return [...lines, ...more];
}

function byTable(lines: readonly string[]): Map<string, string[]> {
  return Map.groupBy(lines, (line) => /^\w+/.exec(line)?.[0] ?? '');
}

/** Some servers have a line for each column of an index: one of two columns is not unique by the first of them. */
function sameIndex(first: string, second: string): boolean {
  return first.split(' unique (')[0] === second.split(' unique (')[0];
}

/** Whoever runs the database may add some. */
function withoutIndexes(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^\w+ index /.test(line));
}
