import { hkdfSync } from 'node:crypto';
import { createSecretBox, encryptionKeyOf, type SecretBox } from './secret-box.ts';

/** What is made from the encryption key, once something needs it. */
export interface Secrets {
  /** Both throw a TypeError where there is no key. */
  box(): SecretBox;
  /** The first makes HMACs, all verify them. */
  keys(purpose: string): readonly Buffer[];
}

/**
 * The secrets of a server. Without `encryptionKey` they are derived from the token secret, where that is a string.
 * Throws a TypeError for keys that are not safe.
 */
export function createSecrets(encryptionKey: unknown, tokenSecret: unknown): Secrets {
  const keys = keysOf(encryptionKey, tokenSecret);
  const box = keys && createSecretBox(keys);
  const missing = (): never => {
    throw new TypeError(
      'encryptionKey is missing: give a random string of 32 bytes or more, since tokenSecret is no string',
    );
  };
  return {
    box: () => box ?? missing(),
    keys: (purpose) =>
      (keys ?? missing()).map((key) =>
        Buffer.from(hkdfSync('sha256', key, '', `graphql-accounts ${purpose}`, 32)),
      ),
  };
}

function keysOf(encryptionKey: unknown, tokenSecret: unknown): string[] | null {
  if (encryptionKey === undefined)
    return typeof tokenSecret === 'string' ? [encryptionKeyOf(tokenSecret)] : null;
  const keys: unknown[] = Array.isArray(encryptionKey) ? encryptionKey : [encryptionKey];
  if (keys.every((key) => typeof key === 'string')) return keys;
  throw new TypeError('encryptionKey must be a string or several');
}
