import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { copyOf } from './copy.ts';
import { within } from './deadline.ts';
import { type Events, refusal } from './events.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { ResolvedOptions } from './options.ts';
import { masked, type Report } from './report.ts';
import { type LiveSession, type SessionInfo, type Sessions, toSessionInfo } from './sessions.ts';
import type { AccessClaims, Tokens } from './tokens.ts';
import type { Trace } from './tracing.ts';
import type { User } from './user.ts';
import type { Users } from './users.ts';

/** Who asks: whom an access token speaks for. In stateless mode the user is what the token says. */
export interface Requester<U extends User = User> {
  user: U;
  session: SessionInfo;
}

interface RequestersParts {
  tokens: Tokens;
  sessions: Sessions;
  live: Pick<LiveSessions, 'renew'>;
  users: Users;
  events: Events;
  report: Report;
  trace: Trace;
  stateless: boolean;
  micro: boolean;
  /** How long a look-up may take, the application's own check included. */
  timeout: number;
  validate: ResolvedOptions['resumeSessionValidator'];
  toUser(record: UserRecord): User;
}

/** Finds out who is behind an access token: with one look-up, or with none in stateless and micro mode. */
export class Requesters {
  readonly #parts: RequestersParts;

  constructor(parts: RequestersParts) {
    this.#parts = parts;
  }

  /** Whom a token speaks for; no promise where nothing is looked up. Throws UNAUTHENTICATED. */
  resume(accessToken: unknown): Requester | Promise<Requester> {
    const { tokens, live, stateless, micro, events } = this.#parts;
    try {
      const claims = tokens.verifyAccess(accessToken);
      live.renew(claims);
      if (stateless || micro) return withoutLookUp(claims, micro);
      return this.#resumeStored(claims);
    } catch (error) {
      events.emit('ResumeSessionError', { error: refusal(error) });
      throw error;
    }
  }

  /** Whether a token is good, and of the same session as another, where that was one of ours. */
  succeeds(accessToken: unknown, former: unknown): boolean {
    const { tokens, live } = this.#parts;
    const claims = read(() => tokens.verifyAccess(accessToken));
    const before = read(() => tokens.verifyAccess(former, { ignoreExpiration: true }));
    if (!claims || (before && !isSameSession(claims, before))) return false;
    live.renew(claims);
    return true;
  }

  /** The stored user of a requester. Throws UNAUTHENTICATED when deactivated or gone. */
  async resumeUser({ session }: Requester): Promise<User> {
    const { users, toUser, stateless, validate } = this.#parts;
    const work = async (): Promise<User> => {
      const record = await users.find(session.userId);
      if (!record || record.deactivated) throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
      const found = toUser(record);
      if (stateless && validate) await this.#validate(found, session);
      return found;
    };
    const user = await this.#lookUp(work, { isOneCall: true });
    if (stateless) this.#resumed({ user, session });
    return user;
  }

  /** The session as stored, in stateless mode too. Throws UNAUTHENTICATED. */
  resumeLive(accessToken: unknown): Promise<LiveSession> {
    const { tokens, sessions, toUser } = this.#parts;
    return this.#lookUp(async () => {
      const live = await sessions.resume(tokens.verifyAccess(accessToken));
      await this.#validate(toUser(live.user), toSessionInfo(live.session));
      return live;
    });
  }

  async #resumeStored(claims: AccessClaims): Promise<Requester> {
    const { sessions, toUser, validate } = this.#parts;
    const work = async (): Promise<Requester> => {
      const live = await sessions.resume(claims);
      const found = { user: toUser(live.user), session: toSessionInfo(live.session) };
      if (validate) await this.#validate(found.user, found.session);
      return found;
    };
    const requester = await this.#lookUp(work, { isOneCall: claims.actorUserId === null });
    this.#resumed(requester);
    return requester;
  }

  #resumed({ user, session }: Requester): void {
    this.#parts.events.emit('ResumeSessionSuccess', { user, sessionId: session.id });
  }

  /** The application's own check. */
  async #validate(user: User, session: SessionInfo): Promise<void> {
    const { validate, stateless } = this.#parts;
    try {
      await validate?.(user, stateless ? null : session);
    } catch (error) {
      if (error instanceof AccountsError) throw error;
      throw new AccountsError('UNAUTHENTICATED', 'The session was refused.', { cause: error });
    }
  }

  /**
   * A look-up ends in time as a whole: an impersonator's session is two calls of the store, and nothing else bounds
   * the application's check (S55).
   */
  #lookUp<T>(work: () => Promise<T>, { isOneCall = false } = {}): Promise<T> {
    const { events, report, timeout, trace, validate } = this.#parts;
    const bounded = (): Promise<T> =>
      within(timeout, work(), () => {
        report(new Error(`not done within ${timeout} ms`), "the look-up of a request's session");
        throw new AccountsError('SERVICE_UNAVAILABLE');
      });
    // What is one call of the store ends in time by itself, and a timer for each request costs 4 % of it.
    const endsByItself = isOneCall && !validate;
    return events.observe(
      () => trace('accounts.session', {}, () => masked(report, endsByItself ? work : bounded)),
      (error) => events.emit('ResumeSessionError', { error }),
    );
  }
}

/** Null for what is refused. */
function read(verify: () => AccessClaims): AccessClaims | null {
  try {
    return verify();
  } catch (error) {
    if (error instanceof AccountsError) return null;
    throw error;
  }
}

function isSameSession(one: AccessClaims, other: AccessClaims): boolean {
  return (
    one.sessionId === other.sessionId && one.userId === other.userId && one.actorUserId === other.actorUserId
  );
}

function withoutLookUp(claims: AccessClaims, micro: boolean): Requester {
  const { userId, sessionId, actorUserId, authenticatedAt, amr, custom } = claims;
  // A copy: the claims are remembered, and what one request writes into its user is not for the next.
  const user = micro ? { id: userId } : { ...copyOf(custom), id: userId };
  const session = {
    id: sessionId,
    userId,
    actorUserId,
    authenticatedAt: new Date(authenticatedAt),
    amr: [...amr],
  };
  return { user: user as User, session };
}
