import type { SQLInputValue } from 'node:sqlite';
import type { SessionRecord, SessionStore, SessionWithUser, UserStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection } from './connection.ts';
import { inOrder, type Placed } from './order.ts';
import { toUser, USER_COLUMNS, type UserRow } from './users.ts';

type SessionRow = [
  id: string,
  userId: string,
  createdAt: number,
  revokedAt: number | null,
  actorSessionId: string | null,
  actorUserId: string | null,
  version: number,
  rotation: number,
  rotatedAt: number,
  idleExpiresAt: number,
  expiresAt: number,
  authenticatedAt: number | null,
  amr: string | null,
  ip: string | null,
  userAgent: string | null,
];

/** A session with its user; the user's part is null where there is none. */
type JoinedRow = [...SessionRow, ...(string | number | null)[]];

type Column = [name: string, read: (session: SessionRecord) => SQLInputValue];

/** What stays as it was made. */
const STAYING: readonly Column[] = [
  ['id', ({ id }) => id],
  ['user_id', ({ userId }) => userId],
  ['created_at', ({ createdAt }) => createdAt],
  ['revoked_at', ({ revokedAt }) => revokedAt],
  ['actor_session_id', ({ actorSessionId }) => actorSessionId],
  ['actor_user_id', ({ actorUserId }) => actorUserId],
];

/**
 * What an update sets. To set what stays, the primary key above all, would cost half of a refresh: SQLite takes the row
 * out of each index then and puts it back, even when no value has changed.
 */
const CHANGING: readonly Column[] = [
  ['version', ({ version }) => version],
  ['rotation', ({ rotation }) => rotation],
  ['rotated_at', ({ rotatedAt }) => rotatedAt],
  ['idle_expires_at', ({ idleExpiresAt }) => idleExpiresAt],
  ['expires_at', ({ expiresAt }) => expiresAt],
  ['authenticated_at', ({ authenticatedAt }) => authenticatedAt],
  ['amr', ({ amr }) => JSON.stringify(amr)],
  ['ip', ({ ip }) => ip],
  ['user_agent', ({ userAgent }) => userAgent],
];

const SESSION_COLUMNS = [...STAYING, ...CHANGING];
const NAMES = SESSION_COLUMNS.map(([name]) => name);
const COLUMNS = NAMES.join(', ');
const PLACES = NAMES.map(() => '?').join(', ');
const OF_SESSION = NAMES.map((name) => `sessions.${name}`).join(', ');
const OF_USER = USER_COLUMNS.map((name) => `users.${name}`).join(', ');

export function sqliteSessions({ prepare, read, write }: Connection, users: UserStore): SessionStore {
  const insert = prepare(`INSERT INTO sessions (${COLUMNS}) VALUES (${PLACES})`);
  // CROSS JOIN: one look-up per wanted id, never a scan of all sessions.
  const select = prepare<Placed<SessionRow>>(
    `SELECT wanted.key, ${OF_SESSION}
     FROM json_each(?) AS wanted CROSS JOIN sessions ON sessions.id = wanted.value`,
  );
  const selectWithUsers = prepare<Placed<JoinedRow>>(
    `SELECT wanted.key, ${OF_SESSION}, ${OF_USER}
     FROM json_each(?) AS wanted CROSS JOIN sessions ON sessions.id = wanted.value
     LEFT JOIN users ON users.id = sessions.user_id`,
  );
  const update = prepare(
    `UPDATE sessions SET ${CHANGING.map(([name]) => `${name} = ?`).join(', ')}
     WHERE id = ? AND version = ? AND revoked_at IS NULL`,
  );
  const revoke = prepare('UPDATE sessions SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL');
  const revokeAll = prepare(
    `UPDATE sessions SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL
     AND id NOT IN (SELECT value FROM json_each(?))`,
  );
  const selectByUser = prepare<SessionRow>(
    `SELECT ${COLUMNS} FROM sessions WHERE user_id = ? AND revoked_at IS NULL ORDER BY created_at DESC`,
  );
  const removeExpired = prepare(
    `DELETE FROM sessions WHERE id IN
     (SELECT id FROM sessions WHERE min(expires_at, idle_expires_at) < ? LIMIT ?)`,
  );

  return {
    create: (session) => write(() => void insert.run(...valuesOf(SESSION_COLUMNS, session))),
    findMany: (ids) => read(() => inOrder(ids, select.all(JSON.stringify(ids)), toSession)),
    findWithUsers: (ids) =>
      read(() => inOrder(ids, selectWithUsers.all(JSON.stringify(ids)), toSessionWithUser)),
    joinedWith: users,
    update: (session) =>
      write(
        () =>
          update.run(
            ...valuesOf(CHANGING, { ...session, version: session.version + 1 }),
            session.id,
            session.version,
          ) === 1,
      ),
    revoke: (id, now) => write(() => revoke.run(now, id) === 1),
    revokeAll: (userId, now, except) => write(() => void revokeAll.run(now, userId, JSON.stringify(except))),
    findByUser: (userId) => read(() => selectByUser.all(userId).map(toSession)),
    removeExpired: (now) => removeInParts((limit) => write(() => removeExpired.run(now, limit))),
  };
}

function toSessionWithUser(row: JoinedRow): SessionWithUser {
  const user = row.slice(SESSION_COLUMNS.length) as UserRow | null[];
  return {
    session: toSession(row.slice(0, SESSION_COLUMNS.length) as SessionRow),
    user: isUser(user) ? toUser(user) : null,
  };
}

const isUser = (row: UserRow | null[]): row is UserRow => row[0] !== null;

function toSession(row: SessionRow): SessionRecord {
  const [id, userId, createdAt, revokedAt, actorSessionId, actorUserId, ...changing] = row;
  const [version, rotation, rotatedAt, idleExpiresAt, expiresAt, authenticatedAt, amr, ip, userAgent] =
    changing;
  return {
    id,
    userId,
    version,
    rotation,
    rotatedAt,
    createdAt,
    idleExpiresAt,
    expiresAt,
    revokedAt,
    // Of a session that schema 1 has made, both are null.
    authenticatedAt: authenticatedAt ?? createdAt,
    amr: amr === null ? [] : (JSON.parse(amr) as string[]),
    actorSessionId,
    actorUserId,
    ip,
    userAgent,
  };
}

function valuesOf(columns: readonly Column[], session: SessionRecord): SQLInputValue[] {
  return columns.map(([, read]) => read(session));
}
