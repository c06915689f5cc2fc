import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import { parseObject, parseString } from './input.ts';
import type { Issuer } from './issuer.ts';
import type { LiveSession, Sessions } from './sessions.ts';
import type { User } from './user.ts';
import type { UserReference, Users } from './users.ts';

export interface ImpersonationResult<U extends User = User> {
  authorized: true;
  tokens: { accessToken: string; refreshToken: string };
  user: U;
}

/** Names the user by exactly one of three. */
export type Impersonated =
  | { userId: string; username?: null | undefined; email?: null | undefined }
  | { username: string; userId?: null | undefined; email?: null | undefined }
  | { email: string; userId?: null | undefined; username?: null | undefined };

interface ImpersonationParts {
  users: Users;
  sessions: Sessions;
  issuer: Issuer;
  events: Events;
  authorize: ((actor: User, target: User) => unknown) | undefined;
  toUser(record: UserRecord): User;
}

/** The session of an administrator as somebody else. Whatever does not allow it is the same FORBIDDEN. */
export async function impersonate(
  { users, sessions, issuer, events, authorize, toUser }: ImpersonationParts,
  actor: LiveSession,
  impersonated: unknown,
  connection: Connection,
): Promise<ImpersonationResult> {
  const reference = parseTarget(impersonated);
  // Before anybody is looked up: who may not impersonate learns nothing by the time it takes. No nesting: an
  // administrator who is impersonated would hand on what only they may do.
  if (!authorize || actor.session.actorUserId !== null) throw forbidden();
  const target = await users.findByReference(reference);
  if (!target || target.deactivated) throw forbidden();
  await requireYes(async () => authorize(toUser(actor.user), toUser(target)));
  const begun = { userId: target.id, connection, amr: [], actor: actor.session };
  return sessions.begin(begun, async (session) => {
    const tokens = issuer.issue(session, await issuer.claims(session, target));
    const [user, seen] = [toUser(actor.user), toUser(target)];
    events.emit('ImpersonationSuccess', { user, impersonated: seen, sessionId: session.id, connection });
    return { authorized: true, tokens, user: seen };
  });
}

/** Only `true` is yes. */
async function requireYes(ask: () => Promise<unknown>): Promise<void> {
  const allowed = await ask().catch((error: unknown) => {
    throw forbidden(error);
  });
  if (allowed !== true) throw forbidden();
}

function forbidden(cause?: unknown): AccountsError {
  return new AccountsError('FORBIDDEN', 'This impersonation is not allowed.', { cause });
}

/** Clients send those that they do not use as null. */
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
