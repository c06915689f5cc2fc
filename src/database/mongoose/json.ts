import type { Json } from '../ports.ts';

type Data = { [key: string]: Json };

/**
 * Keys that a BSON document does not bring back as they were: MongoDB has its own meaning for `$` and `.`, and the
 * driver takes an object with `_bsontype`, `$ref` or `$id` for a value of its own types, whoever wrote it.
 */
const TROUBLESOME = /^$|^\$|^_bsontype$|[.%]/;
const ESCAPED = /%(?:24|25|2E|5F)/g;
const EMPTY = '%';

/** Data as a document with harmless keys, which a query of an operator reaches: `profile.company`. */
export function toDocument(data: Data): Data {
  return withKeys(data, escapeKey) as Data;
}

export function fromDocument(document: Data): Data {
  return withKeys(document, unescapeKey) as Data;
}

function withKeys(value: Json, rename: (key: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => withKeys(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  // `fromEntries` defines properties: `__proto__` is a key like any other.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [rename(key), withKeys(item, rename)]),
  );
}

function escapeKey(key: string): string {
  if (!TROUBLESOME.test(key)) return key;
  if (key === '') return EMPTY;
  return key.replaceAll('%', '%25').replaceAll('.', '%2E').replace(/^\$/, '%24').replace(/^_/, '%5F');
}

function unescapeKey(key: string): string {
  if (!key.includes('%')) return key;
  if (key === EMPTY) return '';
  return key.replace(ESCAPED, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}
