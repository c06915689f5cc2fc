import { LACKS_A_PERMISSION, TAKES_NO_CHANGES } from './advice.ts';
import type { PlaceKind, SchemaDialect, SqlDialect } from './dialect.ts';
import { type Kind, SESSIONS, TABLES } from './tables.ts';
import { encodeJson, toText, wholeMilliseconds } from './values.ts';

/** Bytes. Without the strict mode the server would cut what is longer, and make one name of two. */
const LONGEST: { readonly [kind in PlaceKind]?: number } = { key: 3_072, keys: 3_072, text: 65_535 };

/** What DATETIME holds. */
const FIRST_TIME = Date.UTC(1000, 0, 1);
const LAST_TIME = Date.UTC(10_000, 0, 1) - 1;

/** No string has it. */
const NO_KEY = Buffer.from([0]);

const TYPES: { readonly [kind in Kind]: string } = {
  key: 'varbinary(3072)',
  text: 'text utf8mb4',
  json: 'json',
  time: 'datetime(3)',
  flag: 'tinyint(1)',
  count: 'bigint',
  digest: 'binary(32)',
};

/** Bytes, which the driver writes in hexadecimal digits: no charset and no SQL mode of the host decides what they are. */
function toBytes(kind: PlaceKind, value: unknown): Buffer {
  const bytes = Buffer.from(String(value));
  if (bytes.length > (LONGEST[kind] ?? Number.POSITIVE_INFINITY))
    throw new RangeError(`a value is longer than ${LONGEST[kind]} bytes`);
  return bytes;
}

function toDateTime(value: unknown): string {
  const time = wholeMilliseconds(value);
  if (!(time >= FIRST_TIME && time <= LAST_TIME))
    throw new RangeError('a time lies outside of the years 1000 to 9999');
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}

const bytes = (column: string): string => `CAST(${column} AS BINARY)`;

const schema: SchemaDialect = {
  // As bytes: the columns of information_schema have different collations, which MySQL 8 does not mix. A line for each
  // column of an index: with GROUP BY or DISTINCT, MariaDB spoils some of them.
  inspect: (tables) => `
    SELECT CONCAT(${bytes('TABLE_NAME')}, '.', ${bytes('COLUMN_NAME')}, ' ', ${bytes('COLUMN_TYPE')},
      IFNULL(CONCAT(' ', ${bytes('CHARACTER_SET_NAME')}), ''), IF(IS_NULLABLE = 'NO', ' not null', '')) AS line
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables})
    UNION ALL
    SELECT CONCAT(${bytes('TABLE_NAME')}, ' index ', ${bytes('LOWER(INDEX_NAME)')}, IF(NON_UNIQUE = 0, CONCAT(' unique (',
        IFNULL(${bytes('COLUMN_NAME')}, '?'), IFNULL(CONCAT(' ', SUB_PART), ''), ')'), ''))
      FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables})
    UNION ALL
    SELECT CONCAT(${bytes('TABLE_NAME')}, ' engine ', ${bytes("IFNULL(ENGINE, 'none')")})
      FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables})`,
  // MariaDB keeps JSON as checked text, and MySQL 8 writes no display width.
  normalize: (line) => line.replace(/ bigint\(\d+\)/, ' bigint').replace(/ longtext utf8mb4/, ' json'),
  typeOf: (kind) => TYPES[kind],
  more: [`${SESSIONS.name}.ends_at datetime(3)`, ...TABLES.map(({ name }) => `${name} engine InnoDB`)],
  probe: {
    sql: `SELECT DATABASE() AS name, @@autocommit AS autocommit, X'C3A9F09F9880' AS bytes`,
    complaint: ([name, autocommit, bytes]) => {
      if (toText(bytes) !== 'é😀')
        return 'settings of its connections change what is read. Give the pool itself';
      if (name === null) return 'none is named. Name one in the URL or in the options of the pool';
      if (toText(autocommit) !== '1') return 'autocommit is off. Give a pool whose connections leave it on';
      return null;
    },
  },
  lock: {
    take: `SELECT GET_LOCK(CONCAT('graphql-accounts ', MD5(DATABASE())), 60) AS taken`,
    isTaken: ([taken]) => toText(taken) === '1',
    release: `SELECT RELEASE_LOCK(CONCAT('graphql-accounts ', MD5(DATABASE()))) AS released`,
  },
};

export const MYSQL: SqlDialect = {
  name: 'MySQL',
  folder: 'mysql',
  place: (kind) => {
    if (kind === 'keys') return '?...';
    if (kind === 'time') return 'CAST(? AS DATETIME(3))';
    return kind === 'text' || kind === 'json' ? 'CONVERT(? USING utf8mb4)' : '?';
  },
  encode: (kind, value) => {
    if (value === null || kind === 'digest' || kind === 'count') return value;
    if (kind === 'flag') return value === true ? 1 : 0;
    if (kind === 'time') return toDateTime(value);
    if (kind === 'json') return toBytes(kind, encodeJson(value));
    if (!Array.isArray(value)) return toBytes(kind, value);
    return value.length > 0 ? value.map((key) => toBytes(kind, key)) : [NO_KEY];
  },
  read: (kind, column) => {
    // As bytes, which no charset of the connection changes, and numbers of no type that is a date or a boolean to hosts.
    if (kind === 'text') return `CAST(${column} AS BINARY)`;
    if (kind === 'json') return `CAST(CONVERT(${column} USING utf8mb4) AS BINARY)`;
    if (kind === 'flag') return `${column} + 0`;
    return kind === 'time' ? `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${column}) DIV 1000` : column;
  },
  among: (column) => `${column} IN (:keys)`,
  listsBecomePlaces: true,
  // INSERT IGNORE would let every other error pass too.
  orNothing: '',
  isDuplicate: (error) => numberOf(error) === 1062,
  orReplace: (columns) =>
    `ON DUPLICATE KEY UPDATE ${columns.map((name) => `${name} = VALUES(${name})`).join(', ')}`,
  // In this order: each part sees what the ones before it have set.
  orAdd: `ON DUPLICATE KEY UPDATE
    points = IF(expires_at > :time, points, 0) + VALUES(points),
    expires_at = IF(expires_at > :time, expires_at, VALUES(expires_at))`,
  returns: false,
  sessionEnd: 'ends_at',
  deleteEnded: (table, end) => `DELETE FROM ${table} WHERE ${end} < :time ORDER BY ${end} LIMIT :count`,
  isTransient: (error) => TRANSIENT.has(numberOf(error)),
  advice: (error) => ADVICE.get(numberOf(error)) ?? null,
  isDone: (error) => numberOf(error) === COLUMN_IS_THERE,
  schema,
};

/** Deadlock, a lock that was not given in time, and a row that was changed since the snapshot (MariaDB 11.6). */
const TRANSIENT = new Set([1213, 1205, 1020]);

const COLUMN_IS_THERE = 1060;

const ADVICE = new Map([
  ...[1044, 1142, 1143, 1227, 1370].map((number) => [number, LACKS_A_PERMISSION] as const),
  ...[1290, 1792, 1836].map((number) => [number, TAKES_NO_CHANGES] as const),
]);

function numberOf(error: unknown): number {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
}
