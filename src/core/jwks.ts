import type { JsonWebKey } from 'node:crypto';
import type { VerificationKey } from './keys.ts';

/** A public key, and for what it is (RFC 7517). */
export interface PublicJwk extends JsonWebKey {
  kid: string;
  alg: string;
  use: 'sig';
}

export interface Jwks {
  keys: PublicJwk[];
}

/** The keys that may be shown to everybody: a shared secret is none. */
export function publicKeys(keys: ReadonlyMap<string, VerificationKey>): Jwks {
  const shown = [...keys.values()].filter(({ key }) => key.type === 'public');
  return {
    keys: shown.map(({ key, kid, algorithm }) => ({
      ...key.export({ format: 'jwk' }),
      ...{ kid, alg: algorithm, use: 'sig' },
    })),
  };
}
