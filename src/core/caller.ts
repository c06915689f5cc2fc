import type { Connection } from './connection.ts';
import { type LiveSession, refuseImpersonated } from './sessions.ts';

/** Who has sent a GraphQL operation, and from where. */
export interface Caller {
  readonly connection: Connection;
  /** As the request brought it; it may have expired. */
  readonly accessToken: string | null;
  /** The id of the user whose good access token the request carries, as far as the context knows: without a look-up. */
  readonly userId: string | null;
  /** The `Origin` of the page that asks (RFC 6454, 7); null where no browser says one. */
  readonly origin: string | null;
  /** A cookie that the request brought. */
  cookie(name: string): string | null;
  /** Sends the value of a `Set-Cookie` header with the answer. Throws FORBIDDEN on hosts that give us no response. */
  setCookie(cookie: string): void;
  /** The caller's session and user as the store has them now. Throws UNAUTHENTICATED. */
  session(): Promise<LiveSession>;
  /** Throws RECENT_LOGIN_REQUIRED unless the session's owner has proved who it is lately. */
  requireRecent(live: LiveSession): void;
}

/** Who changes how the account is entered must be its owner, not somebody who impersonates (S42). */
export async function ownerOf(caller: Caller): Promise<LiveSession> {
  const live = await caller.session();
  refuseImpersonated(live.session);
  return live;
}

/** The owner, with a fresh proof: a session that was left open, or stolen, must not be enough (S36, S41). */
export async function recentOwnerOf(caller: Caller): Promise<LiveSession> {
  const live = await ownerOf(caller);
  caller.requireRecent(live);
  return live;
}

/** Boolean mutations answer true when done. */
export async function done(work: Promise<unknown>): Promise<true> {
  await work;
  return true;
}
