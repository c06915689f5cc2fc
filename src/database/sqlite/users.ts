import type { Conflict, EmailAddress, IdentityRecord, Json, UserRecord, UserStore } from '../ports.ts';
import type { Connection } from './connection.ts';
import { INSERT_IDENTITY, identityValues } from './identities.ts';
import { inOrder, type Placed } from './order.ts';

export type UserRow = [
  id: string,
  version: number,
  username: string | null,
  emails: string,
  deactivated: number,
  profile: string,
  createdAt: number,
  updatedAt: number,
];

export const USER_COLUMNS = [
  'id',
  'version',
  'username',
  'emails',
  'deactivated',
  'profile',
  'created_at',
  'updated_at',
] as const;

const COLUMNS = USER_COLUMNS.join(', ');

export function sqliteUsers({ prepare, read, write }: Connection): UserStore {
  const insert = prepare(
    `INSERT INTO users (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const insertIdentity = prepare(INSERT_IDENTITY);
  // CROSS JOIN: one look-up per wanted id, never a scan of all users.
  const select = prepare<Placed<UserRow>>(
    `SELECT wanted.key, ${USER_COLUMNS.map((name) => `users.${name}`).join(', ')}
     FROM json_each(?) AS wanted CROSS JOIN users ON users.id = wanted.value`,
  );
  // Not the id, though it stays the same: SQLite would look through all identities for those of the old one.
  const update = prepare(
    `UPDATE users SET (${USER_COLUMNS.slice(1).join(', ')}) = (?, ?, ?, ?, ?, ?, ?) WHERE id = ? AND version = ?`,
  );

  return {
    create: async (user, identities) => {
      try {
        await write(() => {
          if (insert.run(...userValues(user)) === 0) throw new Taken({ service: 'id', subject: user.id });
          for (const identity of identities)
            if (insertIdentity.run(...identityValues(identity)) === 0) throw new Taken(identity);
        });
        return null;
      } catch (error) {
        if (error instanceof Taken) return error.conflict;
        throw error;
      }
    },
    findMany: (ids) => read(() => inOrder(ids, select.all(JSON.stringify(ids)), toUser)),
    update: (user) => {
      const [id, ...values] = userValues({ ...user, version: user.version + 1 });
      return write(() => update.run(...values, id, user.version) === 1);
    },
  };
}

/** Thrown, so that the transaction leaves nothing behind. */
class Taken extends Error {
  readonly conflict: Conflict;

  constructor({ service, subject }: Conflict | IdentityRecord) {
    super('taken');
    this.conflict = { service, subject };
  }
}

export function toUser(row: UserRow): UserRecord {
  const [id, version, username, emails, deactivated, profile, createdAt, updatedAt] = row;
  return {
    id,
    version,
    username,
    emails: JSON.parse(emails) as EmailAddress[],
    deactivated: deactivated === 1,
    profile: JSON.parse(profile) as { [key: string]: Json },
    createdAt,
    updatedAt,
  };
}

function userValues(user: UserRecord): UserRow {
  return [
    user.id,
    user.version,
    user.username,
    JSON.stringify(user.emails),
    user.deactivated ? 1 : 0,
    JSON.stringify(user.profile),
    user.createdAt,
    user.updatedAt,
  ];
}
