import type { Json, OneTimeTokenRecord, OneTimeTokenStore } from '../ports.ts';
import { removeInParts } from '../removal.ts';
import type { Connection } from './connection.ts';

type TokenRow = [
  key: string,
  hash: string,
  purpose: string,
  userId: string,
  data: string,
  createdAt: number,
  expiresAt: number,
];

const COLUMNS = 'key, hash, purpose, user_id, data, created_at, expires_at';

export function sqliteOneTimeTokens({ prepare, read, write }: Connection): OneTimeTokenStore {
  const put = prepare(
    `INSERT INTO one_time_tokens (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, purpose = excluded.purpose,
     user_id = excluded.user_id, data = excluded.data, created_at = excluded.created_at,
     expires_at = excluded.expires_at`,
  );
  const select = prepare<TokenRow>(`SELECT ${COLUMNS} FROM one_time_tokens WHERE hash = ?`);
  const consume = prepare<TokenRow>(
    `DELETE FROM one_time_tokens WHERE hash = ? AND purpose = ? RETURNING ${COLUMNS}`,
  );
  const remove = prepare('DELETE FROM one_time_tokens WHERE key = ?');
  const removeByUser = prepare('DELETE FROM one_time_tokens WHERE user_id = ?');
  const removeByPurpose = prepare('DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ?');
  const removeExpired = prepare(
    `DELETE FROM one_time_tokens WHERE key IN
     (SELECT key FROM one_time_tokens WHERE expires_at < ? LIMIT ?)`,
  );
  const first = ([row]: TokenRow[]): OneTimeTokenRecord | null => (row ? toToken(row) : null);

  return {
    put: (token) => write(() => void put.run(...tokenValues(token))),
    find: (hash) => read(() => first(select.all(hash))),
    consume: (hash, purpose) => write(() => first(consume.all(hash, purpose))),
    remove: (key) => write(() => void remove.run(key)),
    removeByUser: (userId, purpose) =>
      write(() => {
        if (purpose === undefined) removeByUser.run(userId);
        else removeByPurpose.run(userId, purpose);
      }),
    removeExpired: (now) => removeInParts((limit) => write(() => removeExpired.run(now, limit))),
  };
}

function toToken([key, hash, purpose, userId, data, createdAt, expiresAt]: TokenRow): OneTimeTokenRecord {
  return {
    key,
    hash,
    purpose,
    userId,
    data: JSON.parse(data) as { [key: string]: Json },
    createdAt,
    expiresAt,
  };
}

function tokenValues(token: OneTimeTokenRecord): TokenRow {
  const { key, hash, purpose, userId, data, createdAt, expiresAt } = token;
  return [key, hash, purpose, userId, JSON.stringify(data), createdAt, expiresAt];
}
