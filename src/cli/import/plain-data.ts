import type { Json } from '../../database/ports.ts';

/** MariaDB takes JSON of 32 levels, and what is copied here becomes a part of something. */
const MAX_DEPTH = 28;

/** In UTF-16 units, of one record: a packet of MySQL and a document of MongoDB hold it, however it is written. */
const MAX_LENGTH = 4 * 1024 * 1024;

/** Stands for what JSON has no form for. */
const NOTHING = Symbol('nothing');

/** What becomes of that which is not copied. */
interface Losses {
  /** Is told the path of what JSON has no form for. */
  lose: (path: string) => void;
  /** Whether a field is left out whatever it holds. */
  isDropped: (path: string, field: string) => boolean;
}

/**
 * A value of another database as JSON. Dates become ISO 8601 text, ids of MongoDB and UUIDs their usual text, and whole
 * numbers that no double holds their digits. `lose` is told the path of everything else, which is left out.
 */
export function toJson(
  value: unknown,
  path: string,
  lose: Losses['lose'],
  isDropped: Losses['isDropped'] = () => false,
): Json | undefined {
  const copied = copy(value, path, { lose, isDropped }, 0);
  return copied === NOTHING ? undefined : copied;
}

function copy(value: unknown, path: string, losses: Losses, depth: number): Json | typeof NOTHING {
  if (value === undefined) return NOTHING;
  const simple = depth > MAX_DEPTH ? NOTHING : simpleValue(value);
  if (simple !== null) {
    if (simple === NOTHING) losses.lose(path);
    return simple;
  }
  if (value === null) return null;
  if (Array.isArray(value)) {
    // The place of the others in the list may mean something.
    return value.map((item, index) => {
      const copied = copy(item, `${path}.${index}`, losses, depth + 1);
      return copied === NOTHING ? null : copied;
    });
  }
  return copyObject(value as object, path, losses, depth);
}

function copyObject(object: object, path: string, losses: Losses, depth: number): { [key: string]: Json } {
  const entries = Object.entries(object).flatMap(([key, item]): [string, Json][] => {
    const place = placeOf(path, key);
    if (!isStorable(key)) {
      losses.lose(path);
      return [];
    }
    if (losses.isDropped(place, key)) return [];
    const copied = copy(item, place, losses, depth + 1);
    return copied === NOTHING ? [] : [[key, copied]];
  });
  return Object.fromEntries(entries);
}

/** Null for what has parts, and for null itself. */
function simpleValue(value: unknown): Json | typeof NOTHING | null {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : NOTHING;
    case 'bigint':
      return value.toString();
    case 'string':
      return isStorable(value) ? value : NOTHING;
    case 'object':
      return value === null || Array.isArray(value) || isPlainObject(value) ? null : known(value);
    default:
      return NOTHING;
  }
}

/** Types of drivers, told by the mark that BSON's carry: several copies of its library may be installed. */
function known(value: object): Json | typeof NOTHING {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? NOTHING : value.toISOString();
  const type = '_bsontype' in value ? value._bsontype : undefined;
  if (type === 'ObjectId' || type === 'Long' || type === 'UUID') return String(value);
  if (type === 'Int32' || type === 'Double') return simpleValue(value.valueOf()) ?? NOTHING;
  if (type === 'Binary' && 'sub_type' in value && value.sub_type === 4 && 'toUUID' in value)
    return String((value as { toUUID(): unknown }).toUUID());
  return NOTHING;
}

/** How long a value is as JSON; more than `MAX_LENGTH` is not to be stored. */
export function lengthOf(value: Json): number {
  return JSON.stringify(value).length;
}

export function isTooLong(length: number): boolean {
  return length > MAX_LENGTH;
}

/** The path of a field, for a report that holds no addresses: they may be names of fields. */
export function placeOf(path: string, field: string): string {
  const name = field.includes('@') ? '…' : field;
  return path === '' ? name : `${path}.${name}`;
}

/** Databases cut strings at NUL, and store lone surrogates as something else. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

export function isPlainObject(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
