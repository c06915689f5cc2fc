import { decode, encode } from 'jose/base64url';
import { MAX_TOKEN_LENGTH, refused } from '../core/claims.ts';

/** The header of a token in three parts, before anything in it was verified. Throws UNAUTHENTICATED. */
export function headerOf(token: unknown): Record<string, unknown> | null {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw refused();
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical)) throw refused();
  return parseObject(decode(parts[0] ?? ''));
}

/** Null for what is no JSON, or no object. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    // With its mark of byte order, which JSON does not allow, a text is another one.
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** In the one spelling of its bytes: base64url has bits to spare that nobody signs. */
function isCanonical(part: string): boolean {
  try {
    return part !== '' && encode(decode(part)) === part;
  } catch {
    return false;
  }
}
