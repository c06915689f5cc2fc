import type { IdentityRecord, IdentityStore } from '../ports.ts';
import type { Connection } from './connection.ts';
import type { SqlDialect } from './dialect.ts';
import { recordsOf } from './records.ts';
import { insertNew, type Query, statement } from './statement.ts';
import { IDENTITIES } from './tables.ts';
import { digestOf } from './values.ts';

/** The primary key says whose a subject is: nobody looks first and writes after. */
export function identityInsert(dialect: SqlDialect): (identity: IdentityRecord) => Query {
  const identities = recordsOf(dialect, IDENTITIES);
  const insert = insertNew(dialect, identities.insert());
  return (identity) => ({
    statement: insert,
    values: identities.values(identity, idOf(identity)),
  });
}

export function idOf({ service, subject }: Pick<IdentityRecord, 'service' | 'subject'>): Buffer {
  return digestOf(service, subject);
}

export function sqlIdentities({ dialect, run }: Connection): IdentityStore {
  const { name } = IDENTITIES;
  const identities = recordsOf(dialect, IDENTITIES);
  const insert = identityInsert(dialect);
  const select = statement(dialect, `SELECT ${identities.select} FROM ${name} WHERE id = :digest`);
  const selectByUser = statement(dialect, `SELECT ${identities.select} FROM ${name} WHERE user_id = :key`);
  const update = statement(
    dialect,
    `UPDATE ${name} SET user_id = :key, data = :json, version = version + 1
     WHERE id = :digest AND version = :count`,
  );
  const remove = statement(dialect, `DELETE FROM ${name} WHERE id = :digest AND version = :count`);

  return {
    find: async (service, subject) => {
      const { rows } = await run({ statement: select, values: [idOf({ service, subject })] });
      return rows[0] ? identities.read(rows[0]) : null;
    },
    findByUser: async (userId) => {
      const { rows } = await run({ statement: selectByUser, values: [userId] });
      return rows.map((row) => identities.read(row));
    },
    insert: async (identity) => (await run(insert(identity))).changed === 1,
    update: async (identity) => {
      const { userId, data, version } = identity;
      const { changed } = await run({ statement: update, values: [userId, data, idOf(identity), version] });
      return changed === 1;
    },
    remove: async (service, subject, version) => {
      const { changed } = await run({ statement: remove, values: [idOf({ service, subject }), version] });
      return changed === 1;
    },
  };
}
