import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  KeyObject,
  type PrivateKeyInput,
  type PublicKeyInput,
} from 'node:crypto';
import { nameOfPublicKey, nameOfSecret, SECRET_LABEL, type TokenAlgorithm } from './key-names.ts';
import { secretProblem } from './token-secrets.ts';

type KeyInput<T> = string | Buffer | KeyObject | T;

/** A key pair in PEM or as `KeyObject`: RSA of 2,048 bits or more (RS256, PS256) or P-256 (ES256). */
export interface TokenKeyPair {
  publicKey: KeyInput<PublicKeyInput>;
  privateKey: KeyInput<PrivateKeyInput>;
  /** RS256 for RSA keys and ES256 for P-256, unless said otherwise. */
  algorithm?: TokenAlgorithm | undefined;
  /** The key's name in the header of its tokens; by default its fingerprint. */
  kid?: string | undefined;
}

/** A key that verifies only. */
export type TokenVerificationKey = Omit<TokenKeyPair, 'privateKey'>;

export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

export interface Keyring {
  /** Null where tokens are only verified. */
  readonly signing: VerificationKey | null;
  /** By `kid`. A Map: a kid of `__proto__` finds nothing. */
  readonly verification: ReadonlyMap<string, VerificationKey>;
}

/** Reads `tokenSecret` and the keys that are accepted beside it. Throws a TypeError for what is not safe. */
export function createKeyring(
  tokenSecret: string | TokenKeyPair | TokenVerificationKey | undefined,
  others: readonly (string | TokenVerificationKey)[] = [],
): Keyring {
  if (tokenSecret === undefined || tokenSecret === null) {
    throw new TypeError('tokenSecret is missing: give a random string of 32 bytes or more, or a key pair');
  }
  const main = verificationKey(tokenSecret, 'tokenSecret');
  const verification = new Map([[main.kid, main]]);
  if (!Array.isArray(others)) throw new TypeError('tokenVerificationKeys must be an array');
  for (const other of others) {
    const key = verificationKey(other, 'tokenVerificationKeys');
    if (verification.has(key.kid))
      throw new TypeError('tokenVerificationKeys names a key that is there already');
    verification.set(key.kid, key);
  }
  return { signing: signingKey(tokenSecret, main), verification };
}

function signingKey(
  input: string | TokenKeyPair | TokenVerificationKey,
  main: VerificationKey,
): VerificationKey | null {
  if (typeof input === 'string') return main;
  if (!('privateKey' in input) || input.privateKey === undefined) return null;
  const key = read('tokenSecret.privateKey', () => asPrivateKey(input.privateKey));
  if (key.type !== 'private' || !publicHalf(key).equals(main.key)) {
    throw new TypeError('tokenSecret: the private key does not belong to the public key');
  }
  return { ...main, key };
}

/** What OpenSSL says of a key that it cannot read is no TypeError, and no help. */
function read(option: string, key: () => KeyObject): KeyObject {
  try {
    return key();
  } catch (error) {
    throw new TypeError(`${option} cannot be read as a key`, { cause: error });
  }
}

function publicHalf(key: KeyObject): KeyObject {
  return createPublicKey(key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

function verificationKey(input: string | TokenVerificationKey, option: string): VerificationKey {
  if (typeof input === 'string') return secretKey(input, option);
  if (typeof input !== 'object' || input === null || !('publicKey' in input)) {
    throw new TypeError(`${option} must be a string or an object with publicKey and privateKey`);
  }
  const key = read(`${option}.publicKey`, () => asPublicKey(input.publicKey));
  const algorithm = pinnedAlgorithm(key, input.algorithm, option);
  return { kid: input.kid === undefined ? fingerprint(key) : parseKid(input.kid, option), algorithm, key };
}

/** It stands in the header of every token, which is written byte by byte: other characters would not come back. */
function parseKid(kid: unknown, option: string): string {
  if (typeof kid === 'string' && /^[\x21-\x7e]{1,128}$/.test(kid)) return kid;
  throw new TypeError(`${option}.kid must be 1 to 128 ASCII characters without spaces`);
}

function secretKey(secret: string, option: string): VerificationKey {
  const problem = secretProblem(secret);
  if (problem) throw new TypeError(`${option} ${problem}`);
  const kid = nameOfSecret(createHmac('sha256', secret).update(SECRET_LABEL).digest('base64url'));
  return { kid, algorithm: 'HS256', key: createSecretKey(Buffer.from(secret)) };
}

function asPublicKey(input: TokenKeyPair['publicKey']): KeyObject {
  if (input instanceof KeyObject) return input.type === 'private' ? publicHalf(input) : input;
  return createPublicKey(input as PublicKeyInput);
}

function asPrivateKey(input: TokenKeyPair['privateKey']): KeyObject {
  return input instanceof KeyObject ? input : createPrivateKey(input as PrivateKeyInput);
}

function pinnedAlgorithm(key: KeyObject, wanted: unknown, option: string): TokenAlgorithm {
  const possible = possibleAlgorithms(key);
  const algorithm = wanted === undefined ? possible[0] : possible.find((candidate) => candidate === wanted);
  if (algorithm) return algorithm;
  throw new TypeError(
    `${option}: this key cannot be used; give RSA of 2,048 bits or more (RS256, PS256) or P-256 (ES256)`,
  );
}

function possibleAlgorithms(key: KeyObject): TokenAlgorithm[] {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) return ['RS256', 'PS256'];
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return ['ES256'];
  return [];
}

function fingerprint(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' });
  return nameOfPublicKey(createHash('sha256').update(spki).digest('base64url'));
}
