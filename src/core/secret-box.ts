import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Whose secret it is: a box that was copied into another record does not open there. */
export interface BoxOwner {
  /** The service and the subject of the identity that holds it. */
  service: string;
  subject: string;
}

/** Encrypts the secrets that must be read again, such as those of a second factor, before they are stored. */
export interface SecretBox {
  /** Encrypts under the first key. The same text never gives the same box twice. */
  seal(text: string, owner: BoxOwner): string;
  /** The text, whichever of the keys it was sealed under. Null for what is no box, of another key, or of another owner. */
  open(box: string, owner: BoxOwner): string | null;
  /** Whether it was sealed under the first key; otherwise it ought to be sealed again. */
  isCurrent(box: string): boolean;
}

/** As JWT secrets: RFC 7518, 3.2. */
const MINIMUM_BYTES = 32;
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';
/** `v1.<id of the key>.<nonce>.<ciphertext and tag>`, each in base64url. */
const BOX = /^v1\.([\w-]{11})\.([\w-]{16})\.([\w-]{22,})$/;

/**
 * A box for the secrets of a database: AES-256-GCM (NIST SP 800-38D) with random nonces, good for 2^32 secrets a key.
 * The first key seals, all of them open: put a new key in front of the old ones, and drop an old one when nothing is
 * sealed under it any more. What seals is derived from the key by HKDF-SHA-256.
 *
 * ```ts
 * const owner = { service: 'totp', subject: 'the id of a user' };
 * const box = createSecretBox(['a new key of 32 bytes or more, random', 'the old key, 32 bytes or more, random']);
 * box.open(box.seal('JBSWY3DPEHPK3PXP', owner), owner); // 'JBSWY3DPEHPK3PXP'
 * ```
 *
 * @throws TypeError without a key, and for keys under 32 bytes.
 */
export function createSecretBox(keys: readonly string[]): SecretBox {
  const ring = keys.map(derive);
  const [first] = ring;
  if (!first) throw new TypeError('an encryption key is missing: give a random string of 32 bytes or more');
  return {
    seal(text, owner) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, first.key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(context(first.id, owner));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, first.id, nonce.toString('base64url'), sealed.toString('base64url')].join('.');
    },
    open(box, owner) {
      const [, id, nonce = '', sealed = ''] = BOX.exec(box) ?? [];
      const opener = ring.find((candidate) => candidate.id === id);
      return opener ? decrypt(opener, owner, Buffer.from(nonce, 'base64url'), sealed) : null;
    },
    isCurrent: (box) => BOX.exec(box)?.[1] === first.id,
  };
}

/** The key of those who give none. Whoever replaces that token secret gives this key by name from then on. */
export function encryptionKeyOf(tokenSecret: string): string {
  const key = hkdfSync('sha256', tokenSecret, '', 'graphql-accounts encryption key', KEY_BYTES);
  return Buffer.from(key).toString('base64url');
}

interface DerivedKey {
  id: string;
  key: Buffer;
}

function derive(secret: string): DerivedKey {
  if (Buffer.byteLength(secret) < MINIMUM_BYTES)
    throw new TypeError(`an encryption key must have ${MINIMUM_BYTES} bytes or more`);
  const expand = (purpose: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `graphql-accounts secret box ${purpose}`, length));
  return { id: expand('id', 8).toString('base64url'), key: expand('key', KEY_BYTES) };
}

function decrypt({ id, key }: DerivedKey, owner: BoxOwner, nonce: Buffer, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  try {
    decipher.setAAD(context(id, owner));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = [decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()];
    return Buffer.concat(text).toString('utf8');
  } catch {
    return null;
  }
}

/** Authenticated and not stored. As JSON, so that no two owners are one text. */
function context(keyId: string, { service, subject }: BoxOwner): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, service, subject]));
}
