import type { SessionRecord, UserRecord } from '../database/ports.ts';
import type { ResolvedOptions } from './options.ts';
import type { Clock } from './time.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './user.ts';

/** What the application adds to an access token. */
export type Claims = Readonly<Record<string, unknown>>;

interface IssuerParts {
  tokens: Tokens;
  createJwtPayload: ResolvedOptions['createJwtPayload'];
  /** Of an access token. */
  lifetime: number;
  now: Clock;
  toUser(record: UserRecord): User;
}

/** Makes the pair of tokens of a session, with what the application adds. */
export class Issuer {
  readonly #parts: IssuerParts;

  constructor(parts: IssuerParts) {
    this.#parts = parts;
  }

  /** Whether the application has something to say of each token. */
  get asksApplication(): boolean {
    return this.#parts.createJwtPayload !== undefined;
  }

  /** Asks `createJwtPayload`. What it throws reaches the caller; a TypeError when it returns no object. */
  async claims({ id, actorUserId }: SessionRecord, user: UserRecord): Promise<Claims> {
    const { createJwtPayload, toUser } = this.#parts;
    if (!createJwtPayload) return {};
    const data = { token: id, userId: user.id, isImpersonated: actorUserId !== null };
    const claims: unknown = await createJwtPayload(data, toUser(user));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Claims;
    throw new TypeError('createJwtPayload must return an object');
  }

  /** Tokens that never outlive the session. */
  issue(session: SessionRecord, claims: Claims): ReturnType<Tokens['sign']> {
    const { tokens, lifetime, now } = this.#parts;
    const ends = Math.min(session.idleExpiresAt, session.expiresAt);
    return tokens.sign({
      userId: session.userId,
      sessionId: session.id,
      rotation: session.rotation,
      actorUserId: session.actorUserId,
      authenticatedAt: session.authenticatedAt,
      amr: session.amr,
      accessExpiresAt: Math.min(now() + lifetime, ends),
      refreshExpiresAt: ends,
      custom: claims,
    });
  }
}
