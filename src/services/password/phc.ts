/** What an argon2 hash costs. */
export interface Argon2Cost {
  /** In KiB. */
  memoryCost: number;
  /** Passes over the memory. */
  timeCost: number;
  parallelism: number;
}

/** What the PHC string of an argon2 hash says of itself. */
export interface Argon2Hash extends Argon2Cost {
  variant: 'argon2id' | 'argon2i';
  saltLength: number;
  outputLength: number;
}

/** The least that we make (S1), and the default: OWASP's first recommendation. */
export const ARGON2_MINIMUM: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The most that we verify (S6): somebody else's hash must not be able to take the machine's memory or minutes. */
export const ARGON2_MAXIMUM: Argon2Cost = { memoryCost: 262_144, timeCost: 10, parallelism: 8 };

/** Of the hashes that we make, in bytes; RFC 9106 recommends both. */
export const SALT_LENGTH = 16;
export const OUTPUT_LENGTH = 32;

const PHC =
  /^\$(argon2id|argon2i)\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

// A longer string is no hash of ours or of any known library; a shorter output could be found by trying.
const TEXT_LIMIT = 256;
const MINIMUM_SALT = 8;
const MINIMUM_OUTPUT = 16;
const MAXIMUM_BYTES = 64;

/** Reads the PHC string of an argon2id or argon2i hash, version 1.3; null for anything else. */
export function parseArgon2(hash: string): Argon2Hash | null {
  const match = hash.length > TEXT_LIMIT ? null : PHC.exec(hash);
  if (!match) return null;
  const [, variant, m, t, p, salt = '', output = ''] = match;
  const parsed: Argon2Hash = {
    variant: variant === 'argon2i' ? 'argon2i' : 'argon2id',
    memoryCost: Number(m),
    timeCost: Number(t),
    parallelism: Number(p),
    saltLength: byteLength(salt),
    outputLength: byteLength(output),
  };
  const readable =
    parsed.saltLength >= MINIMUM_SALT &&
    parsed.saltLength <= MAXIMUM_BYTES &&
    parsed.outputLength >= MINIMUM_OUTPUT &&
    parsed.outputLength <= MAXIMUM_BYTES;
  return readable ? parsed : null;
}

/** Whether verifying it costs no more than we allow (S6). */
export function isAffordable(cost: Argon2Cost): boolean {
  return (
    cost.memoryCost <= ARGON2_MAXIMUM.memoryCost &&
    cost.timeCost <= ARGON2_MAXIMUM.timeCost &&
    cost.parallelism <= ARGON2_MAXIMUM.parallelism
  );
}

/** Whether a hash falls short of what we would make today. */
export function isWeaker(hash: Argon2Hash, wanted: Argon2Cost): boolean {
  return (
    hash.variant !== 'argon2id' ||
    hash.memoryCost < wanted.memoryCost ||
    hash.timeCost < wanted.timeCost ||
    hash.saltLength < SALT_LENGTH ||
    hash.outputLength < OUTPUT_LENGTH
  );
}

/** The cost that is asked for, checked: the defaults where nothing is said. Throws TypeError out of bounds. */
export function argon2Cost(options: Partial<Argon2Cost> = {}): Argon2Cost {
  const cost: Argon2Cost = { ...ARGON2_MINIMUM };
  for (const key of ['memoryCost', 'timeCost', 'parallelism'] as const) {
    const value = options[key] ?? ARGON2_MINIMUM[key];
    if (!Number.isInteger(value) || value < ARGON2_MINIMUM[key] || value > ARGON2_MAXIMUM[key]) {
      throw new TypeError(
        `argon2.${key} must be a whole number from ${ARGON2_MINIMUM[key]} to ${ARGON2_MAXIMUM[key]}.`,
      );
    }
    cost[key] = value;
  }
  return cost;
}

/** A well-formed hash of that cost which no password has: what an unknown user's password is held against. */
export function nobodysHash(cost: Argon2Cost): string {
  const salt = Buffer.alloc(SALT_LENGTH, 1).toString('base64').replace(/=+$/, '');
  const output = Buffer.alloc(OUTPUT_LENGTH).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$${salt}$${output}`;
}

function byteLength(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}
