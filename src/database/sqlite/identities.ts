import type { IdentityRecord, IdentityStore, Json } from '../ports.ts';
import type { Connection } from './connection.ts';

type IdentityRow = [
  service: string,
  subject: string,
  userId: string,
  version: number,
  data: string,
  createdAt: number,
];

const COLUMNS = 'service, subject, user_id, version, data, created_at';

/** The primary key says whose a subject is: nobody looks first and writes after. */
export const INSERT_IDENTITY = `INSERT INTO identities (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;

export function sqliteIdentities({ prepare, read, write }: Connection): IdentityStore {
  const select = prepare<IdentityRow>(`SELECT ${COLUMNS} FROM identities WHERE service = ? AND subject = ?`);
  const selectByUser = prepare<IdentityRow>(`SELECT ${COLUMNS} FROM identities WHERE user_id = ?`);
  const insert = prepare(INSERT_IDENTITY);
  const update = prepare(
    `UPDATE identities SET user_id = ?, data = ?, version = version + 1
     WHERE service = ? AND subject = ? AND version = ?`,
  );
  const remove = prepare('DELETE FROM identities WHERE service = ? AND subject = ? AND version = ?');

  return {
    find: (service, subject) =>
      read(() => {
        const [row] = select.all(service, subject);
        return row ? toIdentity(row) : null;
      }),
    findByUser: (userId) => read(() => selectByUser.all(userId).map(toIdentity)),
    insert: (identity) => write(() => insert.run(...identityValues(identity)) === 1),
    update: ({ userId, data, service, subject, version }) =>
      write(() => update.run(userId, JSON.stringify(data), service, subject, version) === 1),
    remove: (service, subject, version) => write(() => remove.run(service, subject, version) === 1),
  };
}

function toIdentity([service, subject, userId, version, data, createdAt]: IdentityRow): IdentityRecord {
  return { service, subject, userId, version, data: JSON.parse(data) as { [key: string]: Json }, createdAt };
}

export function identityValues(identity: IdentityRecord): IdentityRow {
  const { service, subject, userId, version, data, createdAt } = identity;
  return [service, subject, userId, version, JSON.stringify(data), createdAt];
}
