import { parseString } from '../../core/input.ts';
import type { ProvedFactor } from '../../core/second-factors.ts';
import type { UserRecord } from '../../database/ports.ts';
import { isEnrolledAs, useTotpCode } from './enrolment.ts';
import type { TwoFactorParts } from './parts.ts';
import { areCurrent, useRecoveryCode } from './recovery-codes.ts';
import { isTotpCode } from './totp.ts';

/** Longer than any code with whatever people put between its letters. */
const MAX_LENGTH = 64;

/**
 * Uses a code up: six digits are of the authenticator, everything else is a recovery code. RFC 8176 has no name for the
 * latter, so that `amr` says `recovery`. Throws INVALID_CODE. A guess was spent before.
 */
export async function verifyCode(
  parts: TwoFactorParts,
  user: UserRecord,
  code: unknown,
): Promise<ProvedFactor> {
  const typed = parseString(code, 'INVALID_CODE', MAX_LENGTH);
  if (isTotpCode(typed)) {
    const { id } = await useTotpCode(parts, user.id, typed);
    return { amr: ['otp'], stillHolds: () => isEnrolledAs(parts, user.id, id) };
  }
  const { id, set } = await useRecoveryCode(parts, user, typed);
  return {
    amr: ['recovery'],
    stillHolds: async () =>
      (await isEnrolledAs(parts, user.id, id)) && (await areCurrent(parts, user.id, set)),
  };
}
