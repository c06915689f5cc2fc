import { createGuardrails, generateSecret, verifySync } from 'otplib';

/** Seconds for which a code is the current one (RFC 6238, 4.1: X). */
const PERIOD = 30;

/** RFC 4226, 4: R6 recommends 160 bits. */
const SECRET_BYTES = 20;
const SIX_DIGITS = /^[0-9]{6}$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The secrets of imported users may be shorter or longer than ours, as their application wanted them. */
const LENGTHS = createGuardrails({ MIN_SECRET_BYTES: 1, MAX_SECRET_BYTES: 512 });

/** A new secret in base32, without padding. */
export function newSecret(): string {
  return generateSecret({ length: SECRET_BYTES });
}

export function isTotpCode(code: string): boolean {
  return SIX_DIGITS.test(code);
}

/**
 * The time step of a code: the current one, the one before or the one after (RFC 6238, 5.2), and later than the last
 * one that was used (S33). Null for a code that is wrong. `now`: milliseconds.
 */
export function stepOf(secret: string, code: string, now: number, lastStep: number | null): number | null {
  if (!isTotpCode(code)) return null;
  const epoch = Math.floor(now / 1_000);
  const newest = Math.floor(epoch / PERIOD) + 1;
  const result = verifySync({
    secret: bytesOf(secret),
    token: code,
    algorithm: 'sha1',
    digits: 6,
    period: PERIOD,
    epoch,
    epochTolerance: PERIOD,
    guardrails: LENGTHS,
    // A clock that was put back finds every step used, which is no error.
    ...(lastStep !== null && { afterTimeStep: Math.min(lastStep, newest) }),
  });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}

/** As accounts-js read it: bits that are left over at the end are a byte of their own, unless they are all 0. */
export function bytesOf(base32: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of base32) {
    value = (value << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(value >> bits);
    value &= (1 << bits) - 1;
  }
  return Uint8Array.from(value === 0 ? bytes : [...bytes, value << (8 - bits)]);
}
