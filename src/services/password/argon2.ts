import * as argon2 from '@node-rs/argon2';
import { BCRYPT_MAXIMUM_COST, createBcryptVerifier, parseBcrypt } from './bcrypt.ts';
import type { Algorithm } from './hasher.ts';
import { type Argon2Cost, isAffordable, nobodysHash, parseArgon2 } from './phc.ts';

/** argon2id; bcrypt is verified only (S2). */
export function createArgon2(cost: Argon2Cost): Omit<Algorithm, 'isWeak'> {
  const bcrypt = createBcryptVerifier();
  const nobody = nobodysHash(cost);
  return {
    hash: (password) => argon2.hash(password, cost),
    async verify(password, hash) {
      const imported = parseBcrypt(hash);
      if (imported) {
        if (imported.cost > BCRYPT_MAXIMUM_COST) return 'cost out of bounds';
        return bcrypt.verify(password, hash);
      }
      const parsed = parseArgon2(hash);
      if (!parsed) return 'unknown format';
      if (!isAffordable(parsed)) return 'cost out of bounds';
      return argon2.verify(hash, password).catch(() => 'verifier failed' as const);
    },
    verifyNothing: (password) => argon2.verify(nobody, password),
  };
}
