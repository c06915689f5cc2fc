import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { BadConfiguration, reasonOf } from '../bad-configuration.ts';
import type { Refusal, RefusalCode } from './finding.ts';
import type { Name } from './map-names.ts';
import type { MappedUser } from './map-user.ts';

/** Finds the users of one source who cannot all come, because they have the same name. */
export interface Collisions {
  add(users: readonly Pick<MappedUser, 'key' | 'label' | 'names'>[]): void;
  /** Ends the adding. To be called once, before the first question. */
  settle(): void;
  /** Why a user cannot come. */
  of(user: Pick<MappedUser, 'key' | 'label' | 'names'>): Refusal[];
  close(): void;
}

/** So many of the others are named in a report. */
const MAX_OTHERS = 10;
const HASH_BYTES = 16;

/**
 * Of those with the same name the only one who has it verified comes, otherwise none of them: the order in which they
 * are read decides nothing. Nobody has a username or a linked account verified.
 *
 * Names are kept in a temporary file, which the operating system removes with the process however it ends: the memory
 * of a million users is that of a thousand. It holds their hashes, since it may lie where others read.
 */
export function createCollisions(): Collisions {
  // An empty path is a temporary file, in the folder for such files.
  const db = new DatabaseSync('');
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;
    CREATE TABLE names (name BLOB NOT NULL, key TEXT NOT NULL, label TEXT NOT NULL, verified INTEGER NOT NULL);`);
  const insert = db.prepare('INSERT INTO names VALUES (?, ?, ?, ?)');
  let shared: ReturnType<DatabaseSync['prepare']> | undefined;
  let others: ReturnType<DatabaseSync['prepare']> | undefined;
  return {
    add: inFolder((users) => {
      db.exec('BEGIN');
      for (const { key, label, names } of users)
        for (const name of names) insert.run(hashOf(name), key, label, name.verified ? 1 : 0);
      db.exec('COMMIT');
    }),
    settle: inFolder(() => {
      db.exec(`CREATE INDEX names_by_name ON names (name);
        CREATE TABLE shared (name BLOB PRIMARY KEY, verified INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO shared SELECT name, sum(verified) FROM names GROUP BY name HAVING count(*) > 1;`);
      shared = db.prepare('SELECT verified FROM shared WHERE name = ?');
      // In the order of the index: those who have one name may be all.
      others = db.prepare('SELECT label FROM names WHERE name = ? AND key <> ? ORDER BY rowid LIMIT ?');
    }),
    of({ key, names }) {
      return names.flatMap((name): Refusal[] => {
        const hash = hashOf(name);
        const found = shared?.get(hash);
        if (!found || (found.verified === 1 && name.verified)) return [];
        const labels = others?.all(hash, key, MAX_OTHERS) ?? [];
        return [{ ...collisionOf(name), others: labels.map(({ label }) => String(label)) }];
      });
    },
    close: () => db.close(),
  };
}

/** Otherwise a full folder would be told as a full database. */
function inFolder<Args extends unknown[]>(work: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      work(...args);
    } catch (error) {
      throw new BadConfiguration(
        `the folder for temporary files cannot be used, set TMPDIR to another: ${reasonOf(error)}`,
      );
    }
  };
}

function hashOf({ kind, canonical }: Name): Buffer {
  return createHash('sha256').update(`${kind}\0${canonical}`).digest().subarray(0, HASH_BYTES);
}

function collisionOf({ kind }: Name): { code: RefusalCode; reason: string; field: string } {
  switch (kind) {
    case 'id':
      return { code: 'ID_CONFLICT', reason: 'another user has the same id, as text', field: 'id' };
    case 'email':
      return {
        code: 'EMAIL_CONFLICT',
        reason: 'others have the same address, and not this user alone has it verified',
        field: 'emails',
      };
    case 'username':
      return { code: 'USERNAME_CONFLICT', reason: 'others have the same username', field: 'username' };
    default:
      return {
        code: 'OAUTH_CONFLICT',
        reason: 'others have linked the same account',
        field: `services.${kind.slice('oauth:'.length)}`,
      };
  }
}
