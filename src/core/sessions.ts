import { randomBytes } from 'node:crypto';
import type { SessionRecord, SessionWithUser, UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { batched } from './batch.ts';
import type { Connection } from './connection.ts';
import type { Store } from './store.ts';
import type { Clock } from './time.ts';
import type { AccessClaims, RefreshClaims } from './tokens.ts';

/** What applications see of a session. */
export interface SessionInfo {
  id: string;
  userId: string;
  /** Who impersonates the user, if somebody does. */
  actorUserId: string | null;
  /** When the user last proved who it is (`auth_time` of OpenID Connect). */
  authenticatedAt: Date;
  /** How, in the names of RFC 8176 where it has one; `mfa` among them for two factors. */
  amr: string[];
}

/** What a session must have shown for something. */
export interface RequiredProof {
  /** How old the proof may be, in milliseconds. */
  maxAge?: number | undefined;
  secondFactor?: boolean | undefined;
}

/** RFC 8176: more than one factor. */
export const MULTIPLE_FACTORS = 'mfa';

/** A session that is good now, with its user. */
export interface LiveSession {
  session: SessionRecord;
  user: UserRecord;
}

interface SessionLifetimes {
  /** From one refresh to the next. */
  idle: number;
  absolute: number;
  impersonation: number;
  /** For how long the answer to a refresh may be asked for again. */
  grace: number;
  /** For how long a proof is a fresh one. */
  recent: number;
}

interface NewSession {
  userId: string;
  connection: Connection;
  /** How the user has proved who it is. */
  amr: readonly string[];
  /** The session of who impersonates the user. */
  actor?: SessionRecord;
}

/** What came of presenting a refresh token; `answer` is what was made of the session. */
type Rotation<T> =
  | { outcome: 'rotated' | 'repeated'; answer: T }
  | { outcome: 'reused'; session: SessionRecord };

const MAX_TRIES = 100;

/** Makes, looks up, rotates and ends sessions. A session changes by compare-and-set only (S15, S16). */
export class Sessions {
  readonly #store: Store;
  readonly #now: Clock;
  readonly #lifetimes: SessionLifetimes;
  readonly #load: (id: string) => Promise<SessionWithUser | null>;

  constructor(store: Store, lifetimes: SessionLifetimes, now: Clock) {
    this.#store = store;
    this.#now = now;
    this.#lifetimes = lifetimes;
    this.#load = batched((ids) => store.sessionsWithUsers(ids));
  }

  /**
   * Begins a session and hands it to `use`, which makes its tokens. When that fails, nobody holds them, and the
   * session ends at once. That of an impersonator ends no later than the session it was begun from.
   */
  async begin<T>(begun: NewSession, use: (session: SessionRecord) => Promise<T>): Promise<T> {
    const session = await this.#create(begun);
    try {
      return await use(session);
    } catch (error) {
      // A store that cannot even do this has reported it, and what the caller has to know is the first error.
      const ended = this.revoke(session.id).catch(() => false);
      // One that hangs would hold the answer up for a second deadline.
      if (!(error instanceof AccountsError && error.retryable)) await ended;
      throw error;
    }
  }

  async #create({ userId, connection, amr, actor }: NewSession): Promise<SessionRecord> {
    const now = this.#now();
    const { absolute, impersonation, idle } = this.#lifetimes;
    const expiresAt = actor ? Math.min(now + impersonation, actor.expiresAt) : now + absolute;
    const { ip, userAgent } = connection;
    const session: SessionRecord = {
      id: randomBytes(16).toString('base64url'),
      userId,
      version: 1,
      rotation: 1,
      rotatedAt: now,
      createdAt: now,
      idleExpiresAt: Math.min(now + idle, expiresAt),
      expiresAt,
      revokedAt: null,
      authenticatedAt: actor?.authenticatedAt ?? now,
      amr: unique(amr),
      actorSessionId: actor?.id ?? null,
      actorUserId: actor?.userId ?? null,
      ip,
      userAgent,
    };
    await this.#store.sessions.create(session);
    return session;
  }

  /** The session that an access token names, if it is good now; otherwise throws UNAUTHENTICATED. */
  async resume(claims: AccessClaims): Promise<LiveSession> {
    const live = await this.#live(claims.sessionId);
    if (!live || live.session.userId !== claims.userId || live.session.actorUserId !== claims.actorUserId) {
      throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
    }
    return live;
  }

  /** Those of these sessions that are good now: by one look-up, and one more where somebody impersonates. */
  async findLive(ids: readonly string[]): Promise<Map<string, SessionRecord>> {
    const found = await this.#store.sessionsWithUsers(ids);
    const good = found.flatMap((one) => (this.#isGood(one) ? one.session : []));
    const actorIds = [...new Set(good.flatMap(({ actorSessionId }) => actorSessionId ?? []))];
    const actors: Map<string, SessionRecord> =
      actorIds.length > 0 ? await this.findLive(actorIds) : new Map();
    const live = good.filter(({ actorSessionId }) => actorSessionId === null || actors.has(actorSessionId));
    return new Map(live.map((session) => [session.id, session]));
  }

  /**
   * Takes a refresh token. The number before the current one is answered with the same successor within the grace:
   * an answer was lost, or two tabs asked at once. Any other older number was used by two parties, and one of them
   * is a thief: the session ends (RFC 9700, 4.14.2). The answer is made before the token is used up: when that fails,
   * the token is still good.
   */
  async rotate<T>(
    access: AccessClaims,
    refresh: RefreshClaims,
    connection: Connection,
    answerWith: (live: LiveSession) => T,
  ): Promise<Rotation<T>> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const live = await this.resume(access);
      const { session } = live;
      if (refresh.rotation === session.rotation) {
        const rotated = this.#next(session, connection);
        const answer = answerWith({ ...live, session: rotated });
        if (await this.#store.sessions.update(rotated)) return { outcome: 'rotated', answer };
      } else if (refresh.rotation > session.rotation) {
        throw new AccountsError('UNAUTHENTICATED', 'The refresh token is not valid.');
      } else if (this.#mayRepeat(session, refresh.rotation)) {
        return { outcome: 'repeated', answer: answerWith(live) };
      } else {
        await this.revoke(session.id);
        return { outcome: 'reused', session };
      }
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /**
   * Notes that the owner of a session has proved who it is once more, and how: time and manner are those of one proof,
   * so that an old second factor does not pass for a fresh one. Throws UNAUTHENTICATED when the session has ended.
   */
  reauthenticate(id: string, amr: readonly string[]): Promise<void> {
    return this.#renewProof(id, () => amr);
  }

  /** Notes that the owner of a session has proved one more factor beside those of its last proof. Throws as above. */
  addFactor(id: string, amr: readonly string[]): Promise<void> {
    return this.#renewProof(id, (before) => [...before, ...amr]);
  }

  async #renewProof(id: string, amr: (before: readonly string[]) => readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const live = await this.#live(id);
      if (!live) throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
      const { session } = live;
      const proved = { ...session, authenticatedAt: this.#now(), amr: unique(amr(session.amr)) };
      if (await this.#store.sessions.update(proved)) return;
    }
    throw new AccountsError('SERVICE_UNAVAILABLE');
  }

  /** Throws RECENT_LOGIN_REQUIRED when the last proof was too long ago. */
  requireRecent(session: SessionRecord): void {
    this.requireProof(toSessionInfo(session), { maxAge: this.#lifetimes.recent });
  }

  /** Throws RECENT_LOGIN_REQUIRED and TWO_FACTOR_REQUIRED; the first for what is no session of ours. */
  requireProof(session: SessionInfo | null, { maxAge, secondFactor = false }: RequiredProof): void {
    const { authenticatedAt, amr = [] }: Partial<SessionInfo> = session ?? {};
    const age = authenticatedAt instanceof Date ? this.#now() - authenticatedAt.getTime() : Number.NaN;
    if (!(age <= (maxAge ?? Number.POSITIVE_INFINITY))) throw new AccountsError('RECENT_LOGIN_REQUIRED');
    if (secondFactor && !amr.includes(MULTIPLE_FACTORS))
      throw new AccountsError('TWO_FACTOR_REQUIRED', 'This needs a login with a second factor.');
  }

  /** True when this call ended it. */
  revoke(id: string): Promise<boolean> {
    return this.#store.sessions.revoke(id, this.#now());
  }

  revokeAll(userId: string, exceptSessionIds: readonly string[] = []): Promise<void> {
    return this.#store.sessions.revokeAll(userId, this.#now(), exceptSessionIds);
  }

  #next(session: SessionRecord, connection: Connection): SessionRecord {
    const now = this.#now();
    return {
      ...session,
      ...connection,
      rotation: session.rotation + 1,
      rotatedAt: now,
      idleExpiresAt: Math.min(now + this.#lifetimes.idle, session.expiresAt),
    };
  }

  #mayRepeat(session: SessionRecord, rotation: number): boolean {
    return rotation === session.rotation - 1 && this.#now() - session.rotatedAt <= this.#lifetimes.grace;
  }

  async #live(id: string): Promise<LiveSession | null> {
    const found = await this.#load(id);
    if (!this.#isGood(found)) return null;
    const { actorSessionId } = found.session;
    // An impersonation ends with the session that it was begun from.
    if (actorSessionId !== null && !(await this.#live(actorSessionId))) return null;
    return { session: found.session, user: found.user };
  }

  #isGood(found: SessionWithUser | null): found is LiveSession {
    return found?.user?.deactivated === false && this.#isAlive(found.session);
  }

  #isAlive({ revokedAt, expiresAt, idleExpiresAt }: SessionRecord): boolean {
    return revokedAt === null && this.#now() < Math.min(expiresAt, idleExpiresAt);
  }
}

export function toSessionInfo(session: SessionRecord): SessionInfo {
  const { id, userId, actorUserId, authenticatedAt, amr } = session;
  return { id, userId, actorUserId, authenticatedAt: new Date(authenticatedAt), amr: [...amr] };
}

/** While impersonating nobody changes how the user gets in (S42). */
export function refuseImpersonated({ actorUserId }: Pick<SessionInfo, 'actorUserId'>): void {
  if (actorUserId !== null) throw new AccountsError('FORBIDDEN', 'This cannot be done while impersonating.');
}

function unique(methods: readonly string[]): string[] {
  return [...new Set(methods)];
}
