import type { SessionRecord } from '../ports.ts';

/**
 * What a session is to Redis: `version|revokedAt|end|JSON of the rest`. The scripts read the first three as text and
 * never the JSON: Lua's JSON would round numbers and make objects of empty arrays.
 */
export function toValue(session: SessionRecord): string {
  const { id, userId, version, revokedAt, ...rest } = session;
  return `${version}|${revokedAt ?? ''}|${endOf(session)}|${JSON.stringify(rest)}`;
}

/** The session of that id and user. Throws, without the value, what is no value of ours. */
export function fromValue(id: string, userId: string, value: string): SessionRecord {
  const [, version, revokedAt, rest] = /^([^|]+)\|([^|]*)\|[^|]+\|(\{.*\})$/s.exec(value) ?? [];
  if (version === undefined || rest === undefined) throw damaged();
  return {
    id,
    userId,
    version: Number(version),
    revokedAt: revokedAt ? Number(revokedAt) : null,
    ...withDefaults(parse(rest)),
  };
}

/** When a session ends, whatever happens: from then on it is as if it were not there. */
export function endOf({ idleExpiresAt, expiresAt }: SessionRecord): number {
  return Math.min(idleExpiresAt, expiresAt);
}

/** Sessions of the first releases have neither. */
function withDefaults(rest: Stored): Rest {
  return { ...rest, authenticatedAt: rest.authenticatedAt ?? rest.createdAt, amr: rest.amr ?? [] };
}

type Rest = Omit<SessionRecord, 'id' | 'userId' | 'version' | 'revokedAt'>;
type Stored = Omit<Rest, 'authenticatedAt' | 'amr'> & Partial<Rest>;

function parse(json: string): Stored {
  try {
    return JSON.parse(json);
  } catch {
    // The error of JSON.parse quotes what it could not read.
    throw damaged();
  }
}

function damaged(): Error {
  return new Error('a session in Redis cannot be read: its key was changed by another program');
}
