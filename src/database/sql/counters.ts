import type { CounterRecord, CounterStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection, Steps } from './connection.ts';
import { recordsOf } from './records.ts';
import { type Query, statement } from './statement.ts';
import { COUNTERS, columnsOf } from './tables.ts';
import { digestOf } from './values.ts';

export function sqlCounters(connection: Connection): CounterStore {
  const { dialect, run } = connection;
  const { name } = COUNTERS;
  const counters = recordsOf(dialect, COUNTERS);
  const columns = columnsOf(COUNTERS).map((column) => column.name);
  const put = statement(dialect, `${counters.insert()} ${dialect.orReplace(columns)}`);
  const select = statement(dialect, `SELECT ${counters.select} FROM ${name} WHERE id = :digest`);
  const remove = statement(dialect, `DELETE FROM ${name} WHERE id = :digest`);
  const removeEnded = statement(dialect, dialect.deleteEnded(name, 'expires_at'));

  return {
    add: dialect.returns ? addInOne(connection) : addAndRead(connection),
    put: async (counter) => {
      await run({ statement: put, values: counters.values(counter, digestOf(counter.key)) });
    },
    find: async (key) => {
      const { rows } = await run({ statement: select, values: [digestOf(key)] });
      return rows[0] ? counters.read(rows[0]) : null;
    },
    remove: async (key) => {
      await run({ statement: remove, values: [digestOf(key)] });
    },
    removeExpired: (now) =>
      removeInParts(async (limit) => (await run({ statement: removeEnded, values: [now, limit] })).changed),
  };
}

function addInOne({ dialect, run }: Connection): CounterStore['add'] {
  const { insert, select, values, read } = recordsOf(dialect, COUNTERS);
  const add = statement(dialect, `${insert()} ${dialect.orAdd} RETURNING ${select}`);
  return async (counter, now) => {
    const { rows } = await run({
      statement: add,
      values: [...values(counter, digestOf(counter.key)), now, now],
    });
    return read(rows[0] ?? []);
  };
}

/** MySQL gives nothing back from an INSERT; its row is locked until the transaction ends. */
function addAndRead({ dialect, transact }: Connection): CounterStore['add'] {
  const { insert, select, values, read } = recordsOf(dialect, COUNTERS);
  const add = statement(dialect, `${insert()} ${dialect.orAdd}`);
  const find = statement(dialect, `SELECT ${select} FROM ${COUNTERS.name} WHERE id = :digest`);
  return async (counter, now) => {
    const id = digestOf(counter.key);
    function* steps(): Steps<CounterRecord> {
      const adding: Query = { statement: add, values: [...values(counter, id), now, now] };
      yield adding;
      const { rows } = yield { statement: find, values: [id] };
      return read(rows[0] ?? []);
    }
    return transact(steps);
  };
}
