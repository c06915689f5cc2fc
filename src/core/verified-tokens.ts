import { hash } from 'node:crypto';

/** Some 400 bytes each. */
const LIMIT = 10_000;
/** Forgotten at once when there is room for no more: to find the oldest, a Map goes through all that it has lost before. */
const PART = 1_000;

/** Access tokens whose signature was checked: checking it is most of the work of resuming a session. A bounded number. */
export class VerifiedTokens<C extends { readonly expiresAt: number }> {
  /** By digest, so that the memory of the process holds no list of usable tokens. */
  readonly #claims = new Map<string, C>();

  get size(): number {
    return this.#claims.size;
  }

  /** The claims of a token as they are remembered, or as `verify` reads them. Forgotten once they have expired. */
  claimsOf(token: string, now: number, verify: (token: string) => C): C {
    const digest = hash('sha256', token, 'base64');
    const known = this.#claims.get(digest);
    const claims = known ?? verify(token);
    if (claims.expiresAt <= now) this.#claims.delete(digest);
    else if (!known) this.#remember(digest, claims);
    return claims;
  }

  #remember(digest: string, claims: C): void {
    if (this.#claims.size >= LIMIT) this.#forgetOldest();
    this.#claims.set(digest, claims);
  }

  #forgetOldest(): void {
    let count = 0;
    for (const digest of this.#claims.keys()) {
      this.#claims.delete(digest);
      if (++count === PART) return;
    }
  }
}
