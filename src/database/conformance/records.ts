import type {
  CounterRecord,
  IdentityRecord,
  OneTimeTokenRecord,
  SessionRecord,
  UserRecord,
} from '../ports.ts';

/** The real time: in a store whose records end by themselves, those of another day would be gone at once. */
export const NOW = Date.now();
export const HOUR = 3_600_000;

export function aUser(id: string, fields: Partial<UserRecord> = {}): UserRecord {
  return {
    id,
    version: 1,
    username: `Name of ${id}`,
    emails: [
      { address: `${id}@Example.org`, canonical: `${id}@example.org`, verified: false, claimed: false },
    ],
    deactivated: false,
    profile: {},
    createdAt: NOW,
    updatedAt: NOW,
    ...fields,
  };
}

export function anIdentity(
  userId: string,
  subject: string,
  fields: Partial<IdentityRecord> = {},
): IdentityRecord {
  return { service: 'email', subject, userId, version: 1, data: {}, createdAt: NOW, ...fields };
}

export function aSession(id: string, userId: string, fields: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    userId,
    version: 1,
    rotation: 1,
    rotatedAt: NOW,
    createdAt: NOW,
    idleExpiresAt: NOW + HOUR,
    expiresAt: NOW + 24 * HOUR,
    revokedAt: null,
    authenticatedAt: NOW,
    amr: [],
    actorSessionId: null,
    actorUserId: null,
    ip: null,
    userAgent: null,
    ...fields,
  };
}

export function aToken(
  key: string,
  hash: string,
  fields: Partial<OneTimeTokenRecord> = {},
): OneTimeTokenRecord {
  return {
    key,
    hash,
    purpose: 'reset-password',
    userId: 'ada',
    data: {},
    createdAt: NOW,
    expiresAt: NOW + HOUR,
    ...fields,
  };
}

export function aCounter(key: string, fields: Partial<CounterRecord> = {}): CounterRecord {
  return { key, points: 1, expiresAt: NOW + HOUR, ...fields };
}
