import { createHmac, randomBytes } from 'node:crypto';
import { isSameHash } from '../../core/hash.ts';
import { MAX_TRIES } from '../../core/names.ts';
import type { IdentityRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { type Enrolment, findEnrolment } from './enrolment.ts';
import { notifyOwner, type TwoFactorParts } from './parts.ts';

const SERVICE = 'recovery';
const COUNT = 10;
/** Of 5 bits each; S13 asks for 64 bits. */
const LETTERS = 16;
/** Crockford's base32: no letter in it looks like another one or like a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;
/** How many are left when the owner is told to make new ones. */
const LOW = 2;

/** Those that a user may still use. */
export interface RecoveryCodes {
  record: IdentityRecord;
  /** Tells them from those that were made before and after. */
  set: string;
  /** Their HMACs. */
  codes: string[];
}

/** Ten new codes as people read them: `7Q2M-…`. */
export function newCodes(): string[] {
  return Array.from({ length: COUNT }, () => {
    const letters = Array.from(randomBytes(LETTERS), (byte) => ALPHABET[byte % ALPHABET.length]);
    return letters.join('').replace(/.{4}(?=.)/g, '$&-');
  });
}

/** What codes are stored as. They count as long as the enrolment does for which they were made. */
export function recoveryData(
  { codeKeys }: TwoFactorParts,
  { record: { userId }, id }: Enrolment,
  codes: readonly string[],
): IdentityRecord['data'] {
  const [key] = codeKeys;
  if (!key) throw new TypeError('there is no key for recovery codes');
  const set = randomBytes(16).toString('base64url');
  return { enrolment: id, set, codes: codes.map((code) => hmacOf(key, userId, canonicalOf(code))) };
}

/** Null for who has none that count. */
export async function findRecoveryCodes(
  { users }: TwoFactorParts,
  { record: { userId }, id }: Enrolment,
): Promise<RecoveryCodes | null> {
  const record = await users.findIdentity(SERVICE, userId);
  if (!record || record.data.enrolment !== id || typeof record.data.set !== 'string') return null;
  const { set, codes } = record.data;
  return { record, set, codes: Array.isArray(codes) ? codes.filter((code) => typeof code === 'string') : [] };
}

/** Whether those codes are the user's now, used or not. */
export async function areCurrent({ users }: TwoFactorParts, userId: string, set: string): Promise<boolean> {
  return (await users.findIdentity(SERVICE, userId))?.data.set === set;
}

/** Uses a code up; the codes and the enrolment that it belongs to. Throws INVALID_CODE. Of 16 at once one succeeds. */
export async function useRecoveryCode(
  parts: TwoFactorParts,
  user: UserRecord,
  typed: string,
): Promise<Enrolment & { set: string }> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const enrolment = await findEnrolment(parts, user.id);
    const recovery = enrolment && (await findRecoveryCodes(parts, enrolment));
    const used = recovery && findUsed(parts, recovery, canonicalOf(typed));
    if (!used) throw new AccountsError('INVALID_CODE');
    const codes = recovery.codes.filter((code) => code !== used);
    if (!(await parts.users.updateIdentity(recovery.record, { ...recovery.record.data, codes }))) continue;
    if (codes.length === LOW) notifyOwner(parts, user, 'recoveryCodesLow');
    return { ...enrolment, set: recovery.set };
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

/** Puts codes in the place of those that are there. What takes that back, unless newer ones are there by then. */
export async function replaceRecoveryCodes(
  { users }: TwoFactorParts,
  userId: string,
  data: IdentityRecord['data'],
): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const before = await users.findIdentity(SERVICE, userId);
    const written = before
      ? await users.updateIdentity(before, data)
      : await users.insertIdentity(SERVICE, userId, userId, data);
    if (!written) continue;
    return () => putBack({ users }, userId, { before, set: data.set });
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

async function putBack(
  { users }: Pick<TwoFactorParts, 'users'>,
  userId: string,
  { before, set }: { before: IdentityRecord | null; set: unknown },
): Promise<void> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const record = await users.findIdentity(SERVICE, userId);
    if (!record || record.data.set !== set) return;
    const isBack = before
      ? await users.updateIdentity(record, before.data)
      : await users.removeIdentity(record);
    if (isBack) return;
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

export async function removeRecoveryCodes({ users }: TwoFactorParts, userId: string): Promise<void> {
  const record = await users.findIdentity(SERVICE, userId);
  if (record) await users.removeIdentity(record);
}

/** The stored HMAC of a code, under whichever of the keys it was made. */
function findUsed(
  { codeKeys }: TwoFactorParts,
  { record: { userId }, codes }: RecoveryCodes,
  code: string,
): string | null {
  if (!CODE.test(code)) return null;
  const hashes = codeKeys.map((key) => hmacOf(key, userId, code));
  return codes.filter((stored) => hashes.some((hash) => isSameHash(hash, stored)))[0] ?? null;
}

/** In any case, with spaces and dashes anywhere, and with the letters that look like a digit. */
function canonicalOf(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(/[\s\p{Pd}]/gu, '')
    .toUpperCase()
    .replace(/[IL]/g, '1')
    .replaceAll('O', '0');
}

/** Of its user too: a code that was copied into another record opens nothing there. */
function hmacOf(key: Buffer, userId: string, code: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([userId, code]))
    .digest('base64url');
}
