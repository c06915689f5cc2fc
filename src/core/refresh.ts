import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import type { Issuer } from './issuer.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { LoginResult } from './login.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './user.ts';

interface RefreshParts {
  tokens: Tokens;
  sessions: Sessions;
  live: LiveSessions;
  issuer: Issuer;
  events: Events;
  toUser(record: UserRecord): User;
}

/** Exchanges both tokens of one session for their successors (S14, S15). The access token may have expired. */
export async function refreshTokens(
  { tokens, sessions, live, issuer, events, toUser }: RefreshParts,
  accessToken: unknown,
  refreshToken: unknown,
  connection: Connection,
): Promise<LoginResult> {
  const refresh = tokens.verifyRefresh(refreshToken);
  const access = tokens.verifyAccess(accessToken, { ignoreExpiration: true });
  if (access.sessionId !== refresh.sessionId || access.userId !== refresh.userId) {
    throw new AccountsError('UNAUTHENTICATED', 'The tokens are not of one session.');
  }
  const prepared = issuer.asksApplication ? await sessions.resume(access) : null;
  // Before the rotation: while the application's callback fails, nobody's refresh token is used up.
  const claims = prepared ? await issuer.claims(prepared.session, prepared.user) : {};
  const rotation = await sessions.rotate(access, refresh, connection, ({ session, user }) => ({
    sessionId: session.id,
    tokens: issuer.issue(session, claims),
    user: toUser(user),
  }));
  if (rotation.outcome === 'reused') {
    const { userId, id: sessionId } = rotation.session;
    events.emit('RefreshTokenReused', { userId, sessionId, connection });
    throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
  }
  const { user, sessionId } = rotation.answer;
  // Its streams go on with the new token, for which the signature has to be checked once.
  if (live.has(sessionId)) live.renew(tokens.verifyAccess(rotation.answer.tokens.accessToken));
  events.emit('RefreshTokensSuccess', { user, sessionId, connection });
  return rotation.answer;
}
