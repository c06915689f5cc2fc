import type { Json } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';

const MAX_LENGTH = 64 * 1024;
const MAX_DEPTH = 32;

/**
 * The profile of a new user, as plain data. It may hold what somebody typed in, so what no database stores as it is
 * (NUL, lone surrogates, dates, endless depth) is refused with BAD_USER_INPUT.
 */
export function parseProfile(profile: unknown): { [key: string]: Json } {
  if (profile === undefined) return {};
  if (!isPlainObject(profile)) throw refused('must be an object');
  const plain = copyObject(profile, 0);
  if (JSON.stringify(plain).length > MAX_LENGTH) throw refused('is too large');
  return plain;
}

function copy(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw refused('is too deep');
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string') return copyText(value);
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
  if (isPlainObject(value)) return copyObject(value, depth);
  throw refused('holds something that is not JSON');
}

function copyObject(object: object, depth: number): { [key: string]: Json } {
  const given = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [copyText(key), copy(value, depth + 1)]));
}

/** Databases cut strings at NUL, and store lone surrogates as something else. */
function copyText(text: string): string {
  if (text.includes('\0') || !text.isWellFormed()) throw refused('has a character that cannot be stored');
  return text;
}

/** Inputs of GraphQL have no prototype. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function refused(problem: string): AccountsError {
  return new AccountsError('BAD_USER_INPUT', `The profile ${problem}.`);
}
