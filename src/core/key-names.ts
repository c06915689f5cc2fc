// What keys are called in the header of their tokens, by the server and by other services (src/verify). Web APIs alone.

/** One algorithm is pinned to each key (RFC 8725, 3.1): a token cannot choose how it is verified. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'PS256';

/** A secret is named by its HMAC-SHA256 of this: the name stands in every token and must not help to guess the key. */
export const SECRET_LABEL = 'graphql-accounts kid';

/** By that HMAC in base64url. */
export function nameOfSecret(hmac: string): string {
  return hmac.slice(0, 11);
}

/** By the SHA-256 of its SPKI in base64url. */
export function nameOfPublicKey(digest: string): string {
  return digest.slice(0, 22);
}
