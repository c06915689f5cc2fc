import { MAX_TRIES } from '../../core/names.ts';
import { FACTOR_SERVICE } from '../../core/second-factors.ts';
import type { IdentityRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { TwoFactorParts } from './parts.ts';
import { stepOf } from './totp.ts';

/** A user's second factor as it is kept: one identity, whose subject is the user's id. */
export interface Enrolment {
  record: IdentityRecord;
  /** Tells this enrolment from the ones before and after; null for that of an imported user, which is the first. */
  id: string | null;
}

export async function findEnrolment({ users }: TwoFactorParts, userId: string): Promise<Enrolment | null> {
  const record = await users.findIdentity(FACTOR_SERVICE, userId);
  return record && { record, id: textOrNull(record.data.id) };
}

/** Whether the user has that enrolment now. */
export async function isEnrolledAs(
  parts: TwoFactorParts,
  userId: string,
  id: string | null,
): Promise<boolean> {
  const enrolment = await findEnrolment(parts, userId);
  return enrolment !== null && enrolment.id === id;
}

/** What an enrolment is stored as. */
export function enrolmentData(
  { box }: TwoFactorParts,
  userId: string,
  { id, secret, step }: { id: string; secret: string; step: number },
): IdentityRecord['data'] {
  return { id, secret: box.seal(secret, ownerOf(userId)), lastStep: step };
}

/**
 * Uses a code of the authenticator up; the enrolment that it belongs to. Throws INVALID_CODE. Its time step is moved by
 * compare-and-set: of 16 that use one code, in however many processes, one succeeds (S33).
 */
export async function useTotpCode(parts: TwoFactorParts, userId: string, code: string): Promise<Enrolment> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const enrolment = await findEnrolment(parts, userId);
    if (!enrolment) throw new AccountsError('INVALID_CODE');
    const { data } = enrolment.record;
    const secret = openSecret(parts, userId, data);
    const step = stepOf(secret, code, parts.now(), stepOrNull(data.lastStep));
    if (step === null) throw new AccountsError('INVALID_CODE');
    const used = { ...data, secret: renewed(parts, userId, { box: data.secret, secret }), lastStep: step };
    if (await parts.users.updateIdentity(enrolment.record, used)) return enrolment;
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

/** A secret that cannot be read proves nothing, and nobody gets in by that. Whoever runs the server has to know. */
function openSecret(
  { box, report }: TwoFactorParts,
  userId: string,
  { secret: sealed }: IdentityRecord['data'],
): string {
  const secret = typeof sealed === 'string' ? box.open(sealed, ownerOf(userId)) : null;
  if (secret !== null) return secret;
  const problem = `the secret of user ${userId} opens with none of the keys in encryptionKey`;
  report(new Error(problem), 'a second factor');
  throw new AccountsError('INVALID_CODE');
}

/** The box as it is, or one under the first key: so an old key can be dropped some day. */
function renewed(
  { box }: TwoFactorParts,
  userId: string,
  { box: sealed, secret }: { box: unknown; secret: string },
): string {
  const isCurrent = typeof sealed === 'string' && box.isCurrent(sealed);
  return isCurrent ? sealed : box.seal(secret, ownerOf(userId));
}

/** As the import seals them. */
function ownerOf(userId: string) {
  return { service: FACTOR_SERVICE, subject: userId };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function stepOrNull(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}
