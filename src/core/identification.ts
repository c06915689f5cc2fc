import type { UserRecord } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';
import { type Events, type Report, refusal } from './events.ts';
import { masked } from './masked.ts';
import type { ResolvedOptions } from './options.ts';
import { type LiveSession, type SessionInfo, type Sessions, toSessionInfo } from './sessions.ts';
import type { AccessClaims, Tokens } from './tokens.ts';
import type { User, Users } from './users.ts';

/** Whom an access token speaks for. In stateless mode the user is what the token says. */
export interface Identified<U extends User = User> {
  user: U;
  session: SessionInfo;
}

export interface IdentificationParts {
  tokens: Tokens;
  sessions: Sessions;
  users: Users;
  events: Events;
  report: Report;
  stateless: boolean;
  micro: boolean;
  validate: ResolvedOptions['resumeSessionValidator'];
  toUser(record: UserRecord): User;
}

/** Finds out who is behind an access token: with one look-up, or with none in stateless and micro mode. */
export class Identification {
  readonly #parts: IdentificationParts;

  constructor(parts: IdentificationParts) {
    this.#parts = parts;
  }

  /** Answers without a promise where nothing is looked up. Throws UNAUTHENTICATED. */
  identify(accessToken: unknown): Identified | Promise<Identified> {
    const { tokens, stateless, micro } = this.#parts;
    try {
      const claims = tokens.verifyAccess(accessToken);
      if (stateless || micro) return withoutLookUp(claims, micro);
      return this.#observed(() => this.#lookUp(claims));
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /** The user whom `identify` has named, as stored. Throws UNAUTHENTICATED when deactivated or gone. */
  load({ session }: Identified): Promise<User> {
    return this.#observed(async () => {
      const record = await this.#parts.users.find(session.userId);
      if (!record || record.deactivated) throw new AccountsError('UNAUTHENTICATED', 'The session has ended.');
      const user = this.#parts.toUser(record);
      if (this.#parts.stateless) await this.#resumed(user, session);
      return user;
    });
  }

  /** The session as stored, in stateless mode too. Throws UNAUTHENTICATED. */
  live(accessToken: unknown): Promise<LiveSession> {
    const { tokens, sessions, toUser } = this.#parts;
    return this.#observed(async () => {
      const live = await sessions.resume(tokens.verifyAccess(accessToken));
      await this.#validate(toUser(live.user), toSessionInfo(live.session));
      return live;
    });
  }

  async #lookUp(claims: AccessClaims): Promise<Identified> {
    const live = await this.#parts.sessions.resume(claims);
    const identified = { user: this.#parts.toUser(live.user), session: toSessionInfo(live.session) };
    await this.#resumed(identified.user, identified.session);
    return identified;
  }

  async #resumed(user: User, session: SessionInfo): Promise<void> {
    await this.#validate(user, session);
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

  async #observed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await masked(this.#parts.report, work);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    this.#parts.events.emit('ResumeSessionError', { error: refusal(error) });
  }
}

function withoutLookUp(claims: AccessClaims, micro: boolean): Identified {
  const { userId, sessionId, actorUserId, custom } = claims;
  // A copy: the claims are remembered, and what one request writes into its user is not for the next.
  const user = micro ? { id: userId } : { ...structuredClone(custom), id: userId };
  return { user: user as User, session: { id: sessionId, userId, actorUserId } };
}
