import type { CounterRecord, CounterStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection } from './connection.ts';

type CounterRow = [key: string, points: number, expiresAt: number];

const COLUMNS = 'key, points, expires_at';

export function sqliteCounters({ prepare, read, write }: Connection): CounterStore {
  // SET sees the row as it was, in all of its parts.
  const add = prepare<CounterRow>(
    `INSERT INTO counters (${COLUMNS}) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET
       points = iif(expires_at > ?4, points + excluded.points, excluded.points),
       expires_at = iif(expires_at > ?4, expires_at, excluded.expires_at)
     RETURNING ${COLUMNS}`,
  );
  const put = prepare(`INSERT OR REPLACE INTO counters (${COLUMNS}) VALUES (?, ?, ?)`);
  const select = prepare<CounterRow>(`SELECT ${COLUMNS} FROM counters WHERE key = ?`);
  const remove = prepare('DELETE FROM counters WHERE key = ?');
  const removeExpired = prepare(
    'DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at < ? LIMIT ?)',
  );

  return {
    add: ({ key, points, expiresAt }, now) =>
      write(() => {
        const [row] = add.all(key, points, expiresAt, now);
        if (!row) throw new Error('SQLite gave no counter');
        return toCounter(row);
      }),
    put: ({ key, points, expiresAt }) => write(() => void put.run(key, points, expiresAt)),
    find: (key) =>
      read(() => {
        const [row] = select.all(key);
        return row ? toCounter(row) : null;
      }),
    remove: (key) => write(() => void remove.run(key)),
    removeExpired: (now) => removeInParts((limit) => write(() => removeExpired.run(now, limit))),
  };
}

const toCounter = ([key, points, expiresAt]: CounterRow): CounterRecord => ({ key, points, expiresAt });
