import { AccountsError } from '../errors.ts';
import type { Report } from './report.ts';
import type { Sessions } from './sessions.ts';
import { type Clock, SECOND } from './time.ts';
import type { AccessClaims } from './tokens.ts';

/** How often sessions are checked on which somebody waits. */
const INTERVAL = 1.5 * SECOND;

/**
 * A session was good when the check that found it so began. This many intervals later nobody knows any more: 4.5 s, so
 * that what was revoked ends within 5 s whatever the store does (S52).
 */
const LONGEST_UNKNOWN = 3;

/** The ids of one query: below what any store allows. */
const CHUNK = 10_000;

type OnEnd = (error: AccountsError) => void;

type WatchedClaims = Pick<AccessClaims, 'sessionId' | 'userId' | 'actorUserId' | 'expiresAt'>;

interface Watched {
  readonly userId: string;
  readonly actorUserId: string | null;
  /** That of the newest token that came by. */
  expiresAt: number;
  /** The interval at whose beginning the session was good. */
  goodAt: number;
  readonly watchers: Set<OnEnd>;
}

interface LiveSessionsParts {
  sessions: Pick<Sessions, 'findLive'>;
  /** Whether the token alone decides. */
  stateless: boolean;
  now: Clock;
  report: Report;
}

/**
 * The sessions of open streams. All of them are checked by one timer and one query for each interval, however many
 * they are; there is no timer while there is none.
 *
 * A request's session is looked up once, before it begins. A stream goes on for days, and would otherwise tell
 * whoever was thrown out everything until then.
 */
export class LiveSessions {
  readonly #parts: LiveSessionsParts;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | null = null;
  /** Counted, not measured: a process that was stopped for a while asks first, and gives up later. */
  #intervals = 0;
  #checking = false;
  /** Whether an interval began while a check was still on its way. */
  #late = false;

  constructor(parts: LiveSessionsParts) {
    this.#parts = parts;
  }

  /**
   * Calls `onEnd` once, when the session has ended (UNAUTHENTICATED) or nobody knows any more whether it has
   * (SERVICE_UNAVAILABLE). What it returns ends the watch.
   */
  watch({ sessionId, userId, actorUserId, expiresAt }: WatchedClaims, onEnd: OnEnd): () => void {
    const watched = this.#watched.get(sessionId) ?? {
      ...{ userId, actorUserId, expiresAt },
      goodAt: this.#intervals,
      watchers: new Set(),
    };
    if (watched.userId !== userId || watched.actorUserId !== actorUserId) throw ended();
    watched.expiresAt = Math.max(watched.expiresAt, expiresAt);
    // A call of its own, also where one function watches two streams.
    const watcher: OnEnd = (error) => onEnd(error);
    watched.watchers.add(watcher);
    this.#watched.set(sessionId, watched);
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL).unref();
    return () => {
      if (watched.watchers.delete(watcher) && watched.watchers.size === 0) this.#forget(sessionId, watched);
    };
  }

  /** A token has come by that is good: what waits for its session lives as long as it does, at least. */
  renew({ sessionId, userId, actorUserId, expiresAt }: WatchedClaims): void {
    const watched = this.#watched.get(sessionId);
    if (watched?.userId === userId && watched.actorUserId === actorUserId)
      watched.expiresAt = Math.max(watched.expiresAt, expiresAt);
  }

  has(sessionId: string): boolean {
    return this.#watched.has(sessionId);
  }

  #tick(): void {
    this.#intervals++;
    if (this.#parts.stateless) {
      this.#endExpired();
      return;
    }
    for (const [sessionId, watched] of this.#watched) {
      if (this.#intervals - watched.goodAt >= LONGEST_UNKNOWN)
        this.#end(sessionId, watched, new AccountsError('SERVICE_UNAVAILABLE'));
    }
    if (this.#checking) this.#late = true;
    else if (this.#watched.size > 0) void this.#check();
  }

  #endExpired(): void {
    const now = this.#parts.now();
    for (const [sessionId, watched] of this.#watched) {
      if (watched.expiresAt <= now)
        this.#end(sessionId, watched, new AccountsError('UNAUTHENTICATED', 'The access token has expired.'));
    }
  }

  async #check(): Promise<void> {
    const { sessions, report } = this.#parts;
    const begun = this.#intervals;
    this.#checking = true;
    try {
      const ids = [...this.#watched.keys()];
      for (let start = 0; start < ids.length; start += CHUNK) {
        const asked = ids.slice(start, start + CHUNK);
        const live = await sessions.findLive(asked);
        for (const id of asked) this.#judge(id, live.get(id), begun);
      }
    } catch (error) {
      // What a store throws was reported, and the next interval asks again.
      if (!(error instanceof AccountsError)) report(error, 'the sessions of live streams');
    } finally {
      this.#checking = false;
    }
    if (!this.#late) return;
    this.#late = false;
    if (this.#watched.size > 0) void this.#check();
  }

  #judge(
    sessionId: string,
    found: { userId: string; actorUserId: string | null } | undefined,
    at: number,
  ): void {
    const watched = this.#watched.get(sessionId);
    if (!watched) return;
    if (found?.userId === watched.userId && found.actorUserId === watched.actorUserId) {
      watched.goodAt = Math.max(watched.goodAt, at);
    } else {
      this.#end(sessionId, watched, ended());
    }
  }

  #end(sessionId: string, watched: Watched, error: AccountsError): void {
    this.#forget(sessionId, watched);
    for (const onEnd of [...watched.watchers]) {
      try {
        onEnd(error);
      } catch (failure) {
        this.#parts.report(failure, 'the end of a live stream');
      }
    }
  }

  #forget(sessionId: string, watched: Watched): void {
    // Another may stand there by now.
    if (this.#watched.get(sessionId) === watched) this.#watched.delete(sessionId);
    if (this.#watched.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function ended(): AccountsError {
  return new AccountsError('UNAUTHENTICATED', 'The session has ended.');
}
