import type { SessionRecord, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { parseObject, parseString } from './input.ts';
import type { LiveSession, Sessions } from './sessions.ts';
import type { User, UserReference, Users } from './users.ts';

export interface ImpersonationResult<U extends User = User> {
  authorized: true;
  tokens: { accessToken: string; refreshToken: string };
  user: U;
}

export interface ImpersonationParts {
  users: Users;
  sessions: Sessions;
  authorize: ((actor: User, target: User) => unknown) | undefined;
  toUser(record: UserRecord): User;
}

/** The session of an administrator as somebody else. Whatever does not allow it is the same FORBIDDEN. */
export async function impersonate(
  { users, sessions, authorize, toUser }: ImpersonationParts,
  actor: LiveSession,
  impersonated: unknown,
  connection: Connection,
): Promise<{ session: SessionRecord; user: UserRecord }> {
  const target = await users.findByReference(parseTarget(impersonated));
  // No nesting: an administrator who is impersonated would hand on what only they may do.
  const allowed = target && !target.deactivated && actor.session.actorUserId === null && authorize;
  if (!allowed || !(await isAuthorized(authorize, toUser(actor.user), toUser(target)))) {
    throw new AccountsError('FORBIDDEN', 'This impersonation is not allowed.');
  }
  return { session: await sessions.create(target.id, connection, actor.session), user: target };
}

async function isAuthorized(
  authorize: NonNullable<ImpersonationParts['authorize']>,
  actor: User,
  target: User,
): Promise<boolean> {
  try {
    return (await authorize(actor, target)) === true;
  } catch {
    return false;
  }
}

/** Exactly one of `userId`, `username` and `email`; clients send the others as null. */
function parseTarget(input: unknown): UserReference {
  const given = Object.entries(parseObject(input)).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const [name, value] = given.length === 1 && given[0] ? given[0] : [];
  if (name === 'userId') return { id: parseString(value) };
  if (name === 'username') return { username: parseString(value) };
  if (name === 'email') return { email: parseString(value) };
  throw new AccountsError('BAD_USER_INPUT', 'Give one of userId, username and email.');
}
