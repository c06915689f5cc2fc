import { createHash } from 'node:crypto';
import type { Kind } from './tables.ts';

/** A value of a record from what a driver gave. Drivers differ, and their hosts may change what they give. */
export function decode(kind: Kind, raw: unknown): unknown {
  if (raw === null || raw === undefined) return null;
  const text = toText(raw);
  if (kind === 'json') return JSON.parse(text);
  if (kind === 'count' || kind === 'time') return Number(text);
  if (kind === 'flag') return text === 'true' || text === '1';
  return text;
}

export function toText(raw: unknown): string {
  if (raw instanceof Uint8Array)
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8');
  return String(raw);
}

/** Every store keeps whole milliseconds. Rounded down, so that nothing ends before its time. */
export function wholeMilliseconds(time: unknown): number {
  return Math.floor(Number(time));
}

export const encodeJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** A primary key of fixed length. No string has a NUL, so no two lists of names are one. */
export function digestOf(...names: readonly string[]): Buffer {
  return createHash('sha256').update(names.join('\0')).digest();
}
