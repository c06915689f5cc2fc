import type { SessionRecord, SessionStore, UserStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection } from './connection.ts';
import { inOrder, recordsOf } from './records.ts';
import { insertNew, statement } from './statement.ts';
import { SESSIONS, USERS } from './tables.ts';

export function sqlSessions({ dialect, run }: Connection, joinedWith: UserStore): SessionStore {
  const { name } = SESSIONS;
  const sessions = recordsOf(dialect, SESSIONS);
  const users = recordsOf(dialect, USERS);
  const wanted = dialect.among(`${name}.id`);
  const insert = insertNew(dialect, sessions.insert());
  const select = statement(dialect, `SELECT ${sessions.select} FROM ${name} WHERE ${wanted}`);
  const selectWithUsers = statement(
    dialect,
    `SELECT ${sessions.select}, ${users.selectAs('of_user_')}
     FROM ${name} LEFT JOIN ${USERS.name} ON ${USERS.name}.id = ${name}.user_id WHERE ${wanted}`,
  );
  const update = statement(
    dialect,
    `UPDATE ${name} SET ${sessions.set} WHERE id = :key AND version = :count AND revoked_at IS NULL`,
  );
  const revoke = statement(
    dialect,
    `UPDATE ${name} SET revoked_at = :time WHERE id = :key AND revoked_at IS NULL`,
  );
  const revokeAll = statement(
    dialect,
    `UPDATE ${name} SET revoked_at = :time
     WHERE user_id = :key AND revoked_at IS NULL AND NOT (${dialect.among('id')})`,
  );
  const selectByUser = statement(
    dialect,
    `SELECT ${sessions.select} FROM ${name}
     WHERE user_id = :key AND revoked_at IS NULL ORDER BY ${name}.created_at DESC, ${name}.id`,
  );
  const removeEnded = statement(dialect, dialect.deleteEnded(name, dialect.sessionEnd));
  const read = (row: readonly unknown[]): SessionRecord => withDefaults(sessions.read(row));

  return {
    create: async (session) => {
      const { changed } = await run({ statement: insert, values: sessions.values(session) });
      if (changed === 0) throw new Error('There is a session with this id already.');
    },
    findMany: async (ids) =>
      ids.length > 0 ? inOrder(ids, await run({ statement: select, values: [ids] }), read) : [],
    findWithUsers: async (ids) => {
      if (ids.length === 0) return [];
      return inOrder(ids, await run({ statement: selectWithUsers, values: [ids] }), (row) => ({
        session: read(row),
        user: row[sessions.width] === null ? null : users.read(row, sessions.width),
      }));
    },
    joinedWith,
    update: async (session) => {
      const { id, version } = session;
      const changes = sessions.changes({ ...session, version: version + 1 });
      return (await run({ statement: update, values: [...changes, id, version] })).changed === 1;
    },
    revoke: async (id, now) => (await run({ statement: revoke, values: [now, id] })).changed === 1,
    revokeAll: async (userId, now, except) => {
      await run({ statement: revokeAll, values: [now, userId, except] });
    },
    findByUser: async (userId) => (await run({ statement: selectByUser, values: [userId] })).rows.map(read),
    removeExpired: (now) =>
      removeInParts(async (limit) => (await run({ statement: removeEnded, values: [now, limit] })).changed),
  };
}

/** Sessions of schema 1 have neither, also those that a process of that version makes yet. */
function withDefaults(session: Nullable<SessionRecord, 'authenticatedAt' | 'amr'>): SessionRecord {
  return {
    ...session,
    authenticatedAt: session.authenticatedAt ?? session.createdAt,
    amr: session.amr ?? [],
  };
}

type Nullable<R, Field extends keyof R> = Omit<R, Field> & { [F in Field]: R[F] | null };
