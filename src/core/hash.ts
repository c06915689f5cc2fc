import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 in base64url: short, and what was hashed cannot be read from it where that was long or random. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function isSameHash(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
