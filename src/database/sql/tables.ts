import type {
  CounterRecord,
  IdentityRecord,
  OneTimeTokenRecord,
  SessionRecord,
  UserRecord,
} from '../ports.ts';

/**
 * What a column holds. `key` is compared, `text` is only shown, `digest` is a SHA-256, `time` is in milliseconds since
 * 1970-01-01 UTC.
 */
export type Kind = 'key' | 'text' | 'json' | 'time' | 'flag' | 'count' | 'digest';

export interface Column {
  name: string;
  kind: Kind;
  nullable: boolean;
  /** The version of the schema that brought it; the first, if none is named. */
  since?: number;
}

export interface Table<R> {
  name: string;
  columns: { readonly [Field in keyof R]: Column };
  /** The primary key, where the record has none that is short enough. */
  id?: Column;
  indexes: readonly Index[];
  since?: number;
}

export interface Index {
  name: string;
  /** The column of which no value is twice in the table. */
  uniqueBy: string | null;
}

const column = (name: string, kind: Kind): Column => ({ name, kind, nullable: false });
const optional = (name: string, kind: Kind): Column => ({ name, kind, nullable: true });
const PRIMARY: Index = { name: 'primary', uniqueBy: 'id' };

export const USERS: Table<UserRecord> = {
  name: 'accounts_users',
  columns: {
    id: column('id', 'key'),
    version: column('version', 'count'),
    username: optional('username', 'text'),
    emails: column('emails', 'json'),
    deactivated: column('deactivated', 'flag'),
    profile: column('profile', 'json'),
    createdAt: column('created_at', 'time'),
    updatedAt: column('updated_at', 'time'),
  },
  indexes: [PRIMARY],
};

export const IDENTITIES: Table<IdentityRecord> = {
  name: 'accounts_identities',
  columns: {
    service: column('service', 'key'),
    subject: column('subject', 'key'),
    userId: column('user_id', 'key'),
    version: column('version', 'count'),
    data: column('data', 'json'),
    createdAt: column('created_at', 'time'),
  },
  id: column('id', 'digest'),
  indexes: [PRIMARY, { name: 'accounts_identities_by_user', uniqueBy: null }],
};

export const SESSIONS: Table<SessionRecord> = {
  name: 'accounts_sessions',
  columns: {
    id: column('id', 'key'),
    userId: column('user_id', 'key'),
    version: column('version', 'count'),
    rotation: column('rotation', 'count'),
    rotatedAt: column('rotated_at', 'time'),
    createdAt: column('created_at', 'time'),
    idleExpiresAt: column('idle_expires_at', 'time'),
    expiresAt: column('expires_at', 'time'),
    revokedAt: optional('revoked_at', 'time'),
    // Null in the sessions that schema 1 has made.
    authenticatedAt: { ...optional('authenticated_at', 'time'), since: 2 },
    amr: { ...optional('amr', 'json'), since: 2 },
    actorSessionId: optional('actor_session_id', 'key'),
    actorUserId: optional('actor_user_id', 'key'),
    ip: optional('ip', 'text'),
    userAgent: optional('user_agent', 'text'),
  },
  indexes: [
    PRIMARY,
    { name: 'accounts_sessions_by_user', uniqueBy: null },
    { name: 'accounts_sessions_by_end', uniqueBy: null },
  ],
};

export const ONE_TIME_TOKENS: Table<OneTimeTokenRecord> = {
  name: 'accounts_one_time_tokens',
  columns: {
    key: column('token_key', 'key'),
    hash: column('hash', 'key'),
    purpose: column('purpose', 'key'),
    userId: column('user_id', 'key'),
    data: column('data', 'json'),
    createdAt: column('created_at', 'time'),
    expiresAt: column('expires_at', 'time'),
  },
  id: column('id', 'digest'),
  indexes: [
    PRIMARY,
    { name: 'accounts_one_time_tokens_by_hash', uniqueBy: 'hash' },
    { name: 'accounts_one_time_tokens_by_user', uniqueBy: null },
    { name: 'accounts_one_time_tokens_by_end', uniqueBy: null },
  ],
};

export const COUNTERS: Table<CounterRecord> = {
  name: 'accounts_counters',
  columns: {
    key: column('counter_key', 'key'),
    points: column('points', 'count'),
    expiresAt: column('expires_at', 'time'),
  },
  id: column('id', 'digest'),
  indexes: [PRIMARY, { name: 'accounts_counters_by_end', uniqueBy: null }],
  since: 2,
};

/** One row for each version of the schema that was reached. */
export interface MigrationRecord {
  version: number;
  name: string;
  /** SHA-256 of the file, in hexadecimal digits. */
  checksum: string;
  appliedAt: number;
}

export const MIGRATIONS: Table<MigrationRecord> = {
  name: 'accounts_migrations',
  columns: {
    version: column('version', 'count'),
    name: column('name', 'text'),
    checksum: column('checksum', 'text'),
    appliedAt: column('applied_at', 'time'),
  },
  indexes: [{ name: 'primary', uniqueBy: 'version' }],
};

export const TABLES: readonly Table<object>[] = [
  MIGRATIONS,
  USERS,
  IDENTITIES,
  SESSIONS,
  ONE_TIME_TOKENS,
  COUNTERS,
];

export function columnsOf(table: Table<object>): Column[] {
  return [...(table.id ? [table.id] : []), ...Object.values(table.columns as { [field: string]: Column })];
}
