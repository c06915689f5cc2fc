import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';
import { encode as toBase64Url } from 'jose/base64url';
import { importJWK, importSPKI } from 'jose/key/import';
import { nameOfPublicKey, nameOfSecret, SECRET_LABEL, type TokenAlgorithm } from '../core/key-names.ts';
import { isPem, secretProblem } from '../core/token-secrets.ts';

/** PEM (SPKI, `BEGIN PUBLIC KEY`), a JWK, or a `CryptoKey` for the use `verify`. */
export type PublicKey = string | JWK | CryptoKey;

/** The secret that signs (HS256), a public key, or a public key whose name and algorithm are not the usual ones. */
export type AccessTokenKey =
  | PublicKey
  | {
      publicKey: PublicKey;
      /** RS256 for RSA keys and ES256 for P-256, unless said otherwise. */
      algorithm?: TokenAlgorithm | undefined;
      /** The key's name in the header of its tokens; by default its fingerprint, as the server has it. */
      kid?: string | undefined;
    };

/** One algorithm is pinned to each key (RFC 8725, 3.1). */
export interface Key {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey;
}

/** By `kid`. A Map: a kid of `__proto__` finds nothing. */
export type Keys = ReadonlyMap<string, Key>;

interface Named {
  kid?: unknown;
  algorithm?: unknown;
}

/** Reads a key as `AccountsServer` does, so that both call it by the same name. Throws a TypeError. */
export async function readKey(input: unknown, named: Named = {}): Promise<Key> {
  if (typeof input === 'string' && !isPem(input)) {
    if (named.kid === undefined && named.algorithm === undefined) return secretKey(input);
    throw unusable('a secret goes without publicKey, algorithm and kid');
  }
  if (typeof input === 'string') return publicKey(await fromPem(input.trim()), named);
  if (typeof input !== 'object' || input === null) throw unusable();
  if ('publicKey' in input) return readKey(input.publicKey, input as Named);
  if ('kty' in input) return fromJwk(input as JWK, named);
  return publicKey(input as CryptoKey, named);
}

/** The keys of a JWKS that can verify a token of ours; others have no say in it, and secrets are none that it may hold. */
export async function readKeySet(set: unknown): Promise<Keys> {
  const { keys } = (set ?? {}) as Partial<JSONWebKeySet>;
  if (!Array.isArray(keys)) throw new TypeError('a JWKS is an object with a list of keys');
  const read = await Promise.allSettled(keys.map((key) => fromJwk(key, {})));
  const usable = read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return new Map(usable.map((key) => [key.kid, key]));
}

async function secretKey(secret: string): Promise<Key> {
  const problem = secretProblem(secret);
  if (problem) throw new TypeError(`verifyAccessToken: the secret ${problem}`);
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const encode = (text: string) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey('raw', encode(secret), hmac, false, ['sign', 'verify']);
  const name = await crypto.subtle.sign('HMAC', key, encode(SECRET_LABEL));
  return { kid: nameOfSecret(toBase64Url(new Uint8Array(name))), algorithm: 'HS256', key };
}

/** The PEM does not say for which algorithm it is: RSA and P-256 read differently. */
async function fromPem(pem: string): Promise<CryptoKey> {
  for (const algorithm of ['RS256', 'ES256']) {
    try {
      return await importSPKI(pem, algorithm, { extractable: true });
    } catch {}
  }
  throw unusable();
}

async function fromJwk(jwk: JWK, { kid = jwk.kid, algorithm = jwk.alg }: Named): Promise<Key> {
  const { kty, n, e, crv, x, y, use = 'sig', key_ops: uses = ['verify'] } = jwk;
  if (use !== 'sig' || !Array.isArray(uses) || !uses.includes('verify')) throw unusable();
  // Its public half only, should somebody have handed over the whole.
  const half = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : null;
  if (!half) throw unusable();
  const imported = await importJWK(half as JWK, kty === 'RSA' ? 'RS256' : 'ES256', {
    extractable: true,
  }).catch(() => {
    throw unusable();
  });
  return publicKey(imported as CryptoKey, { kid, algorithm });
}

async function publicKey(given: CryptoKey, { kid, algorithm }: Named): Promise<Key> {
  const possible = possibleAlgorithms(given);
  const pinned =
    algorithm === undefined ? possible[0] : possible.find((candidate) => candidate === algorithm);
  if (!pinned) throw unusable();
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) throw unusable('kid must be a string');
  return { kid: kid ?? (await fingerprint(given)), algorithm: pinned, key: await pinnedTo(pinned, given) };
}

function possibleAlgorithms({ type, algorithm }: CryptoKey): TokenAlgorithm[] {
  if (type !== 'public' || typeof algorithm !== 'object' || algorithm === null) return [];
  const { name, modulusLength, hash, namedCurve } = algorithm as {
    name: string;
    modulusLength?: number;
    hash?: { name: string };
    namedCurve?: string;
  };
  if (name === 'ECDSA' && namedCurve === 'P-256') return ['ES256'];
  if (!modulusLength || modulusLength < 2048 || hash?.name !== 'SHA-256') return [];
  if (name === 'RSASSA-PKCS1-v1_5') return ['RS256', 'PS256'];
  return name === 'RSA-PSS' ? ['PS256'] : [];
}

/** A CryptoKey of RSA is for one padding; what was read as the usual one is read again. */
async function pinnedTo(algorithm: TokenAlgorithm, key: CryptoKey): Promise<CryptoKey> {
  if (algorithm !== 'PS256' || key.algorithm.name === 'RSA-PSS') return key;
  const pss = { name: 'RSA-PSS', hash: 'SHA-256' };
  return crypto.subtle.importKey('spki', await spki(key), pss, true, ['verify']);
}

async function fingerprint(key: CryptoKey): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await spki(key));
  return nameOfPublicKey(toBase64Url(new Uint8Array(digest)));
}

async function spki(key: CryptoKey): Promise<ArrayBuffer> {
  if (!key.extractable) throw unusable('a CryptoKey that cannot be exported needs a kid');
  return crypto.subtle.exportKey('spki', key);
}

function unusable(
  reason = 'give the secret, or RSA of 2,048 bits or more (RS256, PS256) or P-256 (ES256) as SPKI in PEM, JWK or CryptoKey',
): TypeError {
  return new TypeError(`verifyAccessToken: this key cannot be used: ${reason}`);
}
