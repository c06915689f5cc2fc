import { type Connection, play, type Steps } from './connection.ts';
import type { SqlDialect } from './dialect.ts';
import { explain, notMigrated, unusable } from './failures.ts';
import { LATEST, migrationsSince } from './migration-files.ts';
import { recordsOf } from './records.ts';
import { type Findings, judge } from './schema.ts';
import { insertNew, plain } from './statement.ts';
import { MIGRATIONS, TABLES } from './tables.ts';
import { toText } from './values.ts';

export interface Schema {
  /** Throws unless the tables are those of this version. Writes nothing. */
  check(): Promise<void>;
  /** Makes them so, or throws and leaves everything as it is. */
  migrate(): Promise<void>;
}

export function createSchema({ dialect, run, migrate }: Connection): Schema {
  const explaining = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      throw explain(dialect, error);
    }
  };
  return {
    check: () => explaining(() => play(check(dialect), run)),
    migrate: () => explaining(() => migrate(() => locked(dialect, bringUpToDate(dialect)))),
  };
}

function* check(dialect: SqlDialect): Steps<void> {
  yield* checkUsable(dialect);
  const { version, isVersioned, foreign, flawed } = yield* survey(dialect);
  checkNotNewer(version);
  if (!isVersioned) checkNotForeign(foreign(0));
  if (version === 0) throw notMigrated('it has no tables of graphql-accounts yet', dialect.name !== 'SQLite');
  if (version < LATEST) throw notMigrated('its tables are of an older version', dialect.name !== 'SQLite');
  checkUnchanged(flawed(LATEST));
}

/**
 * MySQL commits at each change of a table, so this may have been cut anywhere before: what a file says is done again
 * where it is done already, and its record is written last. Whole tables of ours without a record are such a cut, or
 * somebody has run the file by hand.
 */
function* bringUpToDate(dialect: SqlDialect): Steps<void> {
  const { version, foreign, flawed } = yield* survey(dialect);
  checkNotNewer(version);
  checkNotForeign(foreign(version));
  checkUnchanged(flawed(version));
  const record = insertNew(dialect, recordsOf(dialect, MIGRATIONS).insert());
  for (const { statements, ...file } of migrationsSince(version, dialect)) {
    for (const sql of statements) yield* doStep(dialect, sql);
    const values = recordsOf(dialect, MIGRATIONS).values({ ...file, appliedAt: Date.now() });
    yield { statement: record, values };
  }
  const reached = yield* survey(dialect);
  checkUnchanged(reached.flawed(LATEST));
}

/** MySQL and SQLite cannot say that a column is made where it is not there yet. */
function* doStep({ isDone }: SqlDialect, sql: string): Steps<void> {
  try {
    yield { statement: plain(sql), values: [] };
  } catch (error) {
    if (!isDone(error)) throw error;
  }
}

function* checkUsable({ schema: { probe } }: SqlDialect): Steps<void> {
  if (!probe) return;
  const { rows } = yield { statement: plain(probe.sql), values: [] };
  const complaint = probe.complaint(rows[0] ?? []);
  if (complaint !== null) throw unusable(complaint);
}

/** The version is 0 while there is no record of any. */
function* survey(dialect: SqlDialect): Steps<Findings & { version: number }> {
  const { inspect } = dialect.schema;
  const tables = TABLES.map(({ name }) => `'${name}'`).join(', ');
  const { rows: lines } = yield { statement: plain(inspect(tables)), values: [] };
  const findings = judge(
    dialect,
    lines.map(([line]) => toText(line)),
  );
  if (!findings.isVersioned) return { ...findings, version: 0 };
  const latest = `SELECT ${dialect.read('count', 'max(version)')} AS version FROM ${MIGRATIONS.name}`;
  const { rows } = yield { statement: plain(latest), values: [] };
  return { ...findings, version: Number(toText(rows[0]?.[0] ?? 0)) };
}

function* locked(dialect: SqlDialect, steps: Steps<void>): Steps<void> {
  yield* checkUsable(dialect);
  const { lock } = dialect.schema;
  if (lock) {
    const { rows } = yield { statement: plain(lock.take), values: [] };
    if (!lock.isTaken(rows[0] ?? []))
      throw unusable('another process has been migrating it for a minute. Try again when that is done');
  }
  try {
    yield* steps;
  } finally {
    if (lock?.release) yield { statement: plain(lock.release), values: [] };
  }
}

function checkNotNewer(version: number): void {
  if (version > LATEST)
    throw unusable(
      `a newer version of graphql-accounts wrote it (schema ${version}, this one knows ${LATEST}). Install that version`,
    );
}

function checkNotForeign(table: string | null): void {
  if (table !== null)
    throw unusable(
      `its table ${table} is none that graphql-accounts has made. Rename that table, or give another database`,
    );
}

function checkUnchanged(table: string | null): void {
  if (table !== null)
    throw unusable(`its table ${table} was changed by hand. Undo that, or restore it from a backup`);
}
