import { LACKS_A_PERMISSION, TAKES_NO_CHANGES } from './advice.ts';
import type { PlaceKind, SchemaDialect, SqlDialect } from './dialect.ts';
import { WITH_ON_CONFLICT } from './on-conflict.ts';
import type { Kind } from './tables.ts';
import { encodeJson, wholeMilliseconds } from './values.ts';

const TYPES: { readonly [kind in Kind]: string } = {
  key: 'text C',
  text: 'text',
  json: 'jsonb',
  time: 'timestamp(3) with time zone',
  flag: 'boolean',
  count: 'bigint',
  digest: 'bytea',
};

const PLACES: { readonly [kind in PlaceKind]: (value: string) => string } = {
  key: (value) => `${value}::text`,
  text: (value) => `${value}::text`,
  json: (value) => `${value}::jsonb`,
  time: (value) => `to_timestamp(${value}::double precision / 1000)`,
  flag: (value) => `${value}::boolean`,
  count: (value) => `${value}::bigint`,
  digest: (value) => `${value}::bytea`,
  keys: (value) => `${value}::text[]`,
};

const schema: SchemaDialect = {
  // What the search path finds is what our statements find.
  inspect: (tables) => `
    WITH ours AS (
      SELECT oid, relname FROM pg_catalog.pg_class
      WHERE relname IN (${tables}) AND pg_catalog.pg_table_is_visible(oid) AND relkind NOT IN ('i', 'I')
    )
    SELECT relname || '.' || attname || ' ' || pg_catalog.format_type(atttypid, atttypmod)
        || coalesce(' ' || nullif(collname::text, 'default'), '') || CASE WHEN attnotnull THEN ' not null' ELSE '' END AS line
      FROM ours JOIN pg_catalog.pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_catalog.pg_collation ON pg_collation.oid = attcollation
    UNION ALL
    SELECT ours.relname || ' index ' || CASE WHEN indisprimary THEN 'primary' ELSE pg_class.relname END
        || CASE WHEN indisunique THEN ' unique (' || (
          SELECT string_agg(pg_catalog.pg_get_indexdef(indexrelid, place, true), ',' ORDER BY place)
          FROM generate_series(1, indnkeyatts) AS place
        ) || ')' || CASE WHEN indpred IS NULL THEN '' ELSE ' in part' END ELSE '' END
      FROM ours JOIN pg_catalog.pg_index ON indrelid = ours.oid AND indisvalid
      JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid`,
  normalize: (line) => line,
  typeOf: (kind) => TYPES[kind],
  more: [],
  probe: {
    sql: `SELECT pg_catalog.current_setting('server_encoding') AS encoding,
      pg_catalog.current_setting('transaction_read_only') AS read_only`,
    complaint: ([encoding, readOnly]) => {
      if (encoding !== 'UTF8') return "its encoding is not UTF8. Make one WITH ENCODING 'UTF8'";
      if (readOnly !== 'off') return TAKES_NO_CHANGES;
      return null;
    },
  },
  // Until the transaction ends: a pooler between us and the server may give every transaction another connection.
  lock: {
    take: `SELECT pg_catalog.set_config('lock_timeout', '60s', true) AS patience,
      pg_catalog.pg_advisory_xact_lock(7378123390467043)::text AS taken`,
    isTaken: () => true,
    release: null,
  },
};

export const POSTGRES: SqlDialect = {
  ...WITH_ON_CONFLICT,
  name: 'PostgreSQL',
  folder: 'postgres',
  place: (kind, place) => PLACES[kind](`$${place}`),
  encode: (kind, value) => {
    if (kind === 'json') return encodeJson(value);
    if (kind === 'time' && value !== null) return wholeMilliseconds(value);
    return value;
  },
  // Text, whatever type parsers and time zone the host has set.
  read: (kind, column) =>
    kind === 'time' ? `(extract(epoch FROM ${column}) * 1000)::bigint::text` : `${column}::text`,
  among: (column) => `${column} = ANY (:keys)`,
  sessionEnd: 'least(expires_at, idle_expires_at)',
  // Two who remove at once do not wait for each other.
  deleteEnded: (table, end) => `DELETE FROM ${table} WHERE id IN (
    SELECT id FROM ${table} WHERE ${end} < :time LIMIT :count FOR UPDATE SKIP LOCKED)`,
  isTransient: (error) => TRANSIENT.has(stateOf(error)),
  advice: (error) => ADVICE.get(stateOf(error)) ?? null,
  // Its files say IF NOT EXISTS: an error would end the transaction.
  isDone: () => false,
  schema,
};

/** Serialization failure and deadlock, in which the server has taken everything back. */
const TRANSIENT = new Set(['40001', '40P01']);

const ADVICE = new Map([
  ['42501', LACKS_A_PERMISSION],
  ['3F000', 'its search path names no schema that exists. Create the schema, or set the search path'],
  ['55P03', 'another process has held its tables for a minute. Try again when that is done'],
  ['25006', TAKES_NO_CHANGES],
]);

function stateOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
