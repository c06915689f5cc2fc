import type { OneTimeTokenRecord, OneTimeTokenStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection } from './connection.ts';
import { recordsOf } from './records.ts';
import { statement } from './statement.ts';
import { columnsOf, ONE_TIME_TOKENS } from './tables.ts';
import { digestOf } from './values.ts';

export function sqlOneTimeTokens(connection: Connection): OneTimeTokenStore {
  const { dialect, run } = connection;
  const { name } = ONE_TIME_TOKENS;
  const tokens = recordsOf(dialect, ONE_TIME_TOKENS);
  const columns = columnsOf(ONE_TIME_TOKENS).map((column) => column.name);
  const put = statement(dialect, `${tokens.insert()} ${dialect.orReplace(columns)}`);
  const select = statement(dialect, `SELECT ${tokens.select} FROM ${name} WHERE hash = :key`);
  const remove = statement(dialect, `DELETE FROM ${name} WHERE id = :digest`);
  const removeByUser = statement(dialect, `DELETE FROM ${name} WHERE user_id = :key`);
  const removeByPurpose = statement(dialect, `DELETE FROM ${name} WHERE user_id = :key AND purpose = :key`);
  const removeEnded = statement(dialect, dialect.deleteEnded(name, 'expires_at'));

  const find = async (hash: string): Promise<OneTimeTokenRecord | null> => {
    const { rows } = await run({ statement: select, values: [hash] });
    return rows[0] ? tokens.read(rows[0]) : null;
  };

  return {
    put: async (token) => {
      await run({ statement: put, values: tokens.values(token, digestOf(token.key)) });
    },
    find,
    consume: dialect.returns ? consumeInOne(connection) : consumeWhatWasFound(connection, find),
    remove: async (key) => {
      await run({ statement: remove, values: [digestOf(key)] });
    },
    removeByUser: async (userId, purpose) => {
      await run(
        purpose === undefined
          ? { statement: removeByUser, values: [userId] }
          : { statement: removeByPurpose, values: [userId, purpose] },
      );
    },
    removeExpired: (now) =>
      removeInParts(async (limit) => (await run({ statement: removeEnded, values: [now, limit] })).changed),
  };
}

function consumeInOne({ dialect, run }: Connection): OneTimeTokenStore['consume'] {
  const { select, read } = recordsOf(dialect, ONE_TIME_TOKENS);
  const consume = statement(
    dialect,
    `DELETE FROM ${ONE_TIME_TOKENS.name} WHERE hash = :key AND purpose = :key RETURNING ${select}`,
  );
  return async (hash, purpose) => {
    const { rows } = await run({ statement: consume, values: [hash, purpose] });
    return rows[0] ? read(rows[0]) : null;
  };
}

/**
 * MySQL gives nothing back from a DELETE. A hash belongs to one token for ever: whoever removes the row with it has the
 * token that was found under it.
 */
function consumeWhatWasFound(
  { dialect, run }: Connection,
  find: OneTimeTokenStore['find'],
): OneTimeTokenStore['consume'] {
  const remove = statement(
    dialect,
    `DELETE FROM ${ONE_TIME_TOKENS.name} WHERE hash = :key AND purpose = :key`,
  );
  return async (hash, purpose) => {
    const token = await find(hash);
    if (token?.purpose !== purpose) return null;
    return (await run({ statement: remove, values: [hash, purpose] })).changed === 1 ? token : null;
  };
}
