import type { SqlDialect } from './dialect.ts';
import { WITH_ON_CONFLICT } from './on-conflict.ts';
import type { Kind } from './tables.ts';
import { encodeJson } from './values.ts';

const TYPES: { readonly [kind in Kind]: string } = {
  key: 'text',
  text: 'text',
  json: 'text',
  time: 'real',
  flag: 'integer',
  count: 'integer',
  digest: 'blob',
};

export const SQLITE: SqlDialect = {
  ...WITH_ON_CONFLICT,
  name: 'SQLite',
  folder: 'sqlite',
  place: () => '?',
  encode: (kind, value) => {
    if (kind === 'json' || kind === 'keys') return encodeJson(value);
    return typeof value === 'boolean' ? Number(value) : value;
  },
  read: (_, column) => column,
  among: (column) => `${column} IN (SELECT value FROM json_each(:keys))`,
  sessionEnd: 'min(expires_at, idle_expires_at)',
  deleteEnded: (table, end) =>
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${end} < :time LIMIT :count)`,
  isTransient: (error) => BUSY.has(codeOf(error)),
  advice: (error) => ADVICE.get(codeOf(error)) ?? null,
  isDone: (error) => error instanceof Error && error.message.startsWith('duplicate column name: '),
  schema: {
    inspect: (tables) => `
      SELECT ours.name || '.' || info.name || ' ' || lower(info.type)
          || CASE WHEN info."notnull" THEN ' not null' ELSE '' END AS line
        FROM sqlite_schema AS ours, pragma_table_info(ours.name) AS info WHERE ours.name IN (${tables})
      UNION ALL
      SELECT ours.name || ' index ' || CASE WHEN list.origin = 'pk' THEN 'primary' ELSE list.name END
          || CASE WHEN list."unique" THEN ' unique (' || (
          SELECT group_concat(coalesce(name, '?'), ',') FROM (
            SELECT info.name FROM pragma_index_info(list.name) AS info ORDER BY info.seqno)
        ) || ')' || CASE WHEN list.partial THEN ' in part' ELSE '' END ELSE '' END
        FROM sqlite_schema AS ours, pragma_index_list(ours.name) AS list
        WHERE ours.type = 'table' AND ours.name IN (${tables})`,
    normalize: (line) => line,
    typeOf: (kind) => TYPES[kind],
    more: [],
    probe: null,
    lock: null,
  },
};

/** BUSY, LOCKED, and PROTOCOL, which is a race of two that open at once. */
const BUSY = new Set([5, 6, 15]);

const ADVICE = new Map([
  [8, 'it cannot be written. Give this process the rights to the file and its folder'],
  [10, 'the disk reports an error. Check the disk and that the file lies on no network share'],
  [11, 'it is damaged. Restore it from a backup'],
  [13, 'the disk is full. Make room and try again'],
  [14, 'it cannot be opened. Give this process the rights to the file and its folder'],
  [26, 'it is not a SQLite database. Give another file, or restore it from a backup'],
]);

/** node:sqlite has the extended number of SQLite, whose low byte is the kind; others have only its name. */
function codeOf(error: unknown): number {
  if (!(error instanceof Error)) return 0;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  return 'code' in error && /^SQLITE_(BUSY|LOCKED)/.test(String(error.code)) ? 5 : 0;
}
