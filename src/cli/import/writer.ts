import { setTimeout as sleep } from 'node:timers/promises';
import type { NameService } from '../../core/names.ts';
import { SECOND } from '../../core/time.ts';
import { Users } from '../../core/users.ts';
import type { AccountsDatabase, Conflict, NewUser } from '../../database/ports.ts';
import { mapAtOnce } from './at-once.ts';
import type { Refusal } from './finding.ts';
import { lengthOf } from './plain-data.ts';

/** What became of a user: in the database now, in it before, or why not. */
export type Outcome = 'imported' | 'already there' | Refusal;

/** Puts users into the new database. */
export interface Writer {
  /** Those of the ids who are there. */
  present(ids: readonly string[]): Promise<Set<string>>;
  /** Puts users in who were not there, but for those whose names somebody of the new system has. */
  write(users: readonly NewUser[]): Promise<Outcome[]>;
}

/** So many users are on their way into the database at once: enough to fill the transactions of SQLite. */
const IN_FLIGHT = 256;
const BULK = 100;
const BULKS_AT_ONCE = 4;
/** What is on its way is memory here, and a packet or a transaction there. In UTF-16 units. */
const BULK_LENGTH = 4 * 1024 * 1024;

/** What a killed process has left behind counts as free after a while: longer than that nobody is waited for. */
const PATIENCE = 15 * SECOND;
const PAUSE = 250;

/** Writes nothing and says what it would have written. `target` is null where there is no database yet. */
export function dryWriter(target: AccountsDatabase | null): Writer {
  if (!target) return { present: async () => new Set(), write: async (users) => users.map(() => 'imported') };
  const holderOf = findHolders(target);
  const pretend = async ({ identities }: NewUser): Promise<Outcome> => {
    for (const identity of identities) {
      const holder = await holderOf(identity);
      if (holder !== null) return taken(identity, holder);
    }
    return 'imported';
  };
  return {
    present: (ids) => findPresent(target, ids),
    write: (users) => mapAtOnce(IN_FLIGHT, users, pretend),
  };
}

export function createWriter(target: AccountsDatabase): Writer {
  const store = target.users;
  const createOne = createEach(target);
  const writeEach = (users: readonly NewUser[]): Promise<Outcome[]> => mapAtOnce(IN_FLIGHT, users, createOne);
  const writeBulk = async (users: readonly NewUser[]): Promise<Outcome[]> =>
    (await store.createAll?.(users)) ? users.map(() => 'imported') : writeEach(users);
  return {
    present: (ids) => findPresent(target, ids),
    write: async (users) => {
      const outcomes = store.createAll
        ? await mapAtOnce(BULKS_AT_ONCE, chunksOf(users, BULK), writeBulk)
        : await mapAtOnce(1, chunksOf(users, users.length), writeEach);
      return outcomes.flat();
    },
  };
}

function createEach(target: AccountsDatabase): (user: NewUser) => Promise<Outcome> {
  const names = namesOf(target);
  const holderOf = findHolders(target);
  return async ({ user, identities }) => {
    for (const since = performance.now(); ; await sleep(PAUSE)) {
      const conflict = await target.users.create(user, identities);
      if (!conflict) return 'imported';
      if (conflict.service === 'id') {
        if ((await findPresent(target, [user.id])).has(user.id)) return 'already there';
      } else {
        const holder = await holderOf(conflict);
        if (holder !== null) return taken(conflict, holder);
        if (isName(conflict.service)) await names.release(conflict.service, conflict.subject);
      }
      // It is somebody's, whom nobody can find yet: a process that makes a user now, or was killed while it did.
      if (performance.now() - since > PATIENCE) return taken(conflict, null);
    }
  };
}

/** In parts of so many users, or of fewer where they are large. */
function chunksOf(users: readonly NewUser[], size: number): NewUser[][] {
  const chunks: NewUser[][] = [];
  let chunk: NewUser[] = [];
  let length = 0;
  for (const user of users) {
    const own =
      lengthOf(user.user.profile) + user.identities.reduce((sum, { data }) => sum + lengthOf(data), 0);
    if (chunk.length === size || (chunk.length > 0 && length + own > BULK_LENGTH)) {
      chunks.push(chunk);
      [chunk, length] = [[], 0];
    }
    chunk.push(user);
    length += own;
  }
  return chunk.length > 0 ? [...chunks, chunk] : chunks;
}

/** Null when nobody has it, or somebody's who is not there, or does not list it. */
function findHolders(target: AccountsDatabase): (wanted: Conflict) => Promise<string | null> {
  const names = namesOf(target);
  return async ({ service, subject }) => {
    if (isName(service)) return (await names.findHolder(service, subject))?.id ?? null;
    const identity = await target.identities.find(service, subject);
    if (!identity) return null;
    return (await findPresent(target, [identity.userId])).has(identity.userId) ? identity.userId : null;
  };
}

function namesOf(target: AccountsDatabase) {
  const { users, identities, sessions, oneTimeTokens } = target;
  const asked = { counters: null, sessionsWithUsers: async () => [], ping: async () => {} };
  const store = { users, identities, sessions, oneTimeTokens, ...asked };
  return new Users(store, Date.now).names;
}

function isName(service: string): service is NameService {
  return service === 'email' || service === 'username';
}

async function findPresent(target: AccountsDatabase, ids: readonly string[]): Promise<Set<string>> {
  const found = await target.users.findMany(ids);
  return new Set(found.flatMap((user) => (user ? [user.id] : [])));
}

/** What the new system holds wins. */
function taken({ service }: Conflict, holder: string | null): Refusal {
  const others = holder === null ? {} : { others: [holder] };
  if (service === 'email')
    return {
      code: 'EMAIL_TAKEN',
      reason: 'a user of the new database has the address',
      field: 'emails',
      ...others,
    };
  if (service === 'username')
    return {
      code: 'USERNAME_TAKEN',
      reason: 'a user of the new database has it',
      field: 'username',
      ...others,
    };
  if (service === 'id')
    return { code: 'ID_CONFLICT', reason: 'the new database has the id, and no user of it', field: 'id' };
  const field = service.replace(/^oauth:/, 'services.');
  return {
    code: 'OAUTH_TAKEN',
    reason: 'a user of the new database has linked the account',
    field,
    ...others,
  };
}
