import type { SessionRecord, SessionStore } from '../ports.ts';
import type { RedisClient } from './client.ts';
import { keysWith } from './keys.ts';
import { millisecondsUntil } from './left.ts';
import { createLookUp } from './look-up.ts';
import { confirmedBy, type Replication } from './replication.ts';
import { run } from './run.ts';
import { CREATE, EXTEND, LIST, REVOKE_ALL, REVOKE_ONE, UPDATE } from './scripts.ts';
import { endOf, fromValue, toValue } from './value.ts';

const NOT_THERE = -2;

/**
 * The hash of a user is the truth about the sessions of that user, and changes as a whole: revoking all cannot miss
 * one, and what is lost of the keys, one or all, ends sessions and never brings one back.
 */
export function createSessions(
  client: RedisClient,
  { prefix, now, replication }: { prefix: string; now: () => number; replication: Replication },
): SessionStore {
  const keys = keysWith(prefix);
  const lookUp = createLookUp(client, keys);
  const runConfirmed = confirmedBy(client, replication);
  const left = (session: SessionRecord): number => millisecondsUntil(endOf(session), now());
  const alive = (session: SessionRecord): boolean => left(session) > 0;

  return {
    create: async (session) => {
      const milliseconds = left(session);
      // It has ended already, and is as if it had been removed.
      if (milliseconds === 0) return;
      // First, for a crash: a key that leads to nothing is nothing, a session that no id leads to would be listed.
      if (!(await client.set(keys.session(session.id), session.userId, 'PX', milliseconds, 'NX')))
        throw known();
      const args = [keys.field(session.id), toValue(session), milliseconds, now()];
      const stored = await run(client, CREATE, keys.user(session.userId), args);
      if (Number(stored) !== 1) throw known();
    },
    findMany: async (ids) =>
      (await lookUp(ids)).map((session) => (session && alive(session) ? session : null)),
    update: async (session) => {
      const milliseconds = left(session);
      const key = keys.session(session.id);
      // First, for a crash: a refreshed session must not end with the key that leads to it. Longer only: who is refused
      // changes nothing of the session that another has refreshed.
      const had = Number(await run(client, EXTEND, key, [milliseconds]));
      if (had === NOT_THERE) return false;
      const value = toValue({ ...session, version: session.version + 1 });
      const args = [keys.field(session.id), session.version, value, milliseconds];
      if (Number(await runConfirmed(UPDATE, keys.user(session.userId), args)) !== 1) return false;
      if (had > milliseconds) await client.pexpire(key, left(session));
      return true;
    },
    revoke: async (id, at) => {
      const userId = await client.get(keys.session(id));
      if (userId === null) return false;
      return Number(await runConfirmed(REVOKE_ONE, keys.user(userId), [keys.field(id), at])) === 1;
    },
    revokeAll: async (userId, at, exceptSessionIds) => {
      await runConfirmed(REVOKE_ALL, keys.user(userId), [at, ...exceptSessionIds.map(keys.field)]);
    },
    findByUser: async (userId) => {
      const listed = await run(client, LIST, keys.user(userId), []);
      return toSessions(userId, listed as string[])
        .filter((session) => session.revokedAt === null && alive(session))
        .sort((a, b) => b.createdAt - a.createdAt);
    },
    // Redis does it, by the TTL of every key.
    removeExpired: async () => 0,
  };
}

function toSessions(userId: string, fieldsAndValues: readonly string[]): SessionRecord[] {
  const sessions: SessionRecord[] = [];
  for (let n = 0; n + 1 < fieldsAndValues.length; n += 2) {
    const [field = '', value = ''] = fieldsAndValues.slice(n, n + 2);
    if (field.startsWith(':')) sessions.push(fromValue(field.slice(1), userId, value));
  }
  return sessions;
}

function known(): Error {
  return new Error('There is a session with this id already.');
}
