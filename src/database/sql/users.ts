import type { Conflict, IdentityRecord, NewUser, UserRecord, UserStore } from '../ports.ts';
import type { Connection, Steps } from './connection.ts';
import { identityInsert, idOf } from './identities.ts';
import { insertsOf } from './insert-all.ts';
import { inOrder, recordsOf } from './records.ts';
import { insertNew, statement } from './statement.ts';
import { IDENTITIES, USERS } from './tables.ts';

export function sqlUsers({ dialect, run, transact }: Connection): UserStore {
  const { name } = USERS;
  const users = recordsOf(dialect, USERS);
  const insert = insertNew(dialect, users.insert());
  const insertIdentity = identityInsert(dialect);
  const insertUsers = insertsOf(dialect, users);
  const identities = recordsOf(dialect, IDENTITIES);
  const insertIdentities = insertsOf(dialect, identities);
  const identityValues = (identity: IdentityRecord): unknown[] => identities.values(identity, idOf(identity));
  const select = statement(dialect, `SELECT ${users.select} FROM ${name} WHERE ${dialect.among('id')}`);
  const update = statement(dialect, `UPDATE ${name} SET ${users.set} WHERE id = :key AND version = :count`);

  function* create(user: UserRecord, identities: readonly IdentityRecord[]): Steps<null> {
    const { changed } = yield { statement: insert, values: users.values(user) };
    if (changed === 0) throw new Taken({ service: 'id', subject: user.id });
    const taken = new Set<IdentityRecord>();
    for (const identity of inLockOrder(identities)) {
      const answer = yield insertIdentity(identity);
      if (answer.changed === 0) taken.add(identity);
    }
    const first = identities.find((identity) => taken.has(identity));
    if (first) throw new Taken(first);
    return null;
  }

  /** All users first: their identities refer to them. */
  function* createAll(all: readonly NewUser[]): Steps<boolean> {
    const rows = all.map(({ user }) => users.values(user));
    const claims = inLockOrder(all.flatMap(({ identities }) => identities));
    const inserts = [...insertUsers(rows), ...insertIdentities(claims.map(identityValues))];
    for (const { query, rows: expected } of inserts) {
      const { changed } = yield query;
      if (changed < expected) throw new SomeTaken();
    }
    return true;
  }

  return {
    createAll: async (all) => {
      try {
        return await transact(() => createAll(all));
      } catch (error) {
        if (error instanceof SomeTaken) return false;
        throw error;
      }
    },
    create: async (user, identities) => {
      try {
        return await transact(() => create(user, identities));
      } catch (error) {
        if (error instanceof Taken) return error.conflict;
        throw error;
      }
    },
    findMany: async (ids) =>
      ids.length > 0 ? inOrder(ids, await run({ statement: select, values: [ids] }), users.read) : [],
    update: async (user) => {
      const changes = users.changes({ ...user, version: user.version + 1 });
      const { changed } = await run({ statement: update, values: [...changes, user.id, user.version] });
      return changed === 1;
    },
  };
}

/** Two who claim the same identities in different orders would wait for each other for ever. */
function inLockOrder(identities: readonly IdentityRecord[]): IdentityRecord[] {
  return identities
    .map((identity) => ({ identity, id: idOf(identity) }))
    .sort((a, b) => a.id.compare(b.id))
    .map(({ identity }) => identity);
}

/** Thrown, so that none of many is left behind. */
class SomeTaken extends Error {}

/** Thrown, so that the transaction leaves nothing behind. */
class Taken extends Error {
  readonly conflict: Conflict;

  constructor({ service, subject }: Conflict) {
    super('taken');
    this.conflict = { service, subject };
  }
}
