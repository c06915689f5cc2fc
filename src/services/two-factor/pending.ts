import { MAX_TRIES } from '../../core/names.ts';
import { MINUTE } from '../../core/time.ts';
import type { IdentityRecord, Json } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { TwoFactorParts } from './parts.ts';
import { newSecret, stepOf } from './totp.ts';

const SERVICE = 'totp-pending';
const LIFETIME = 15 * MINUTE;
/** Of one user at once. */
const MOST = 5;

/** A pending secret that a code has proved. */
export interface ProvedSecret {
  record: IdentityRecord;
  secret: string;
  step: number;
}

interface PendingSecret {
  secret: string;
  expiresAt: number;
}

/**
 * Makes a secret that waits for its proof (S32). Each time another one: a thief who holds the same session must not see
 * the secret that its owner is about to prove. The last few all wait, so that a second tab does not void the first.
 */
export async function addPending(parts: TwoFactorParts, userId: string): Promise<string> {
  const secret = newSecret();
  const added = { secret: parts.box.seal(secret, ownerOf(userId)), expiresAt: parts.now() + LIFETIME };
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const record = await parts.users.findIdentity(SERVICE, userId);
    const data = {
      secrets: [...pendingOf(parts, record), added].slice(-MOST).map((entry) => ({ ...entry })),
    };
    const written = record
      ? await parts.users.updateIdentity(record, data)
      : await parts.users.insertIdentity(SERVICE, userId, userId, data);
    if (written) return secret;
  }
  throw new AccountsError('SERVICE_UNAVAILABLE');
}

/** The secret that a code proves. Throws INVALID_CODE. */
export async function provePending(
  parts: TwoFactorParts,
  userId: string,
  code: string,
): Promise<ProvedSecret> {
  const record = await parts.users.findIdentity(SERVICE, userId);
  for (const { secret: sealed } of pendingOf(parts, record)) {
    const secret = parts.box.open(sealed, ownerOf(userId));
    const step = secret === null ? null : stepOf(secret, code, parts.now(), null);
    if (record && secret !== null && step !== null) return { record, secret, step };
  }
  throw new AccountsError('INVALID_CODE');
}

/** Those that have not expired. */
function pendingOf({ now }: TwoFactorParts, record: IdentityRecord | null): PendingSecret[] {
  const secrets = record?.data.secrets;
  return Array.isArray(secrets) ? secrets.filter(isPending).filter(({ expiresAt }) => expiresAt > now()) : [];
}

function isPending(entry: Json): entry is Json & PendingSecret {
  const { secret, expiresAt } = (entry ?? {}) as Partial<PendingSecret>;
  return typeof secret === 'string' && typeof expiresAt === 'number';
}

function ownerOf(userId: string) {
  return { service: SERVICE, subject: userId };
}
