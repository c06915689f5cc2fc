import { hash, randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AccountsError } from '../errors.ts';
import type { Keyring } from './keys.ts';
import { type Clock, MINUTE, SECOND } from './time.ts';

/** Whom an access token speaks for. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** Who impersonates the user, if somebody does (RFC 8693, 4.1). */
  readonly actorUserId: string | null;
  /** Milliseconds. */
  readonly expiresAt: number;
  /** What `createJwtPayload` put in. */
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface RefreshClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly rotation: number;
}

/** What a token is made for. Times in milliseconds. */
export interface TokenSubject {
  userId: string;
  sessionId: string;
  rotation: number;
  actorUserId: string | null;
  accessExpiresAt: number;
  refreshExpiresAt: number;
  custom: Readonly<Record<string, unknown>>;
}

export interface Audience {
  issuer: string;
  audience: string | string[];
}

export interface TokensOptions {
  keyring: Keyring;
  access: Audience;
  refresh: Audience;
  now: Clock;
}

/** A longer token is refused before anything is decoded (S24). */
const MAX_TOKEN_LENGTH = 8 * 1024;
const MAX_SKEW = MINUTE;
/** Verified tokens that are remembered: some 400 bytes each. */
const MAX_REMEMBERED = 10_000;

/** RFC 7519, 4.1, and those that are ours: `createJwtPayload` cannot set them. */
const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['act', 'sid', 'data', '__proto__'],
]);

/** Signs and verifies the two kinds of token (RFC 7519, with the practices of RFC 8725). */
export class Tokens {
  readonly #options: TokensOptions;
  /** By digest, so that the memory of the process holds no list of usable tokens. */
  readonly #verified = new Map<string, AccessClaims>();

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  sign(subject: TokenSubject): { accessToken: string; refreshToken: string } {
    const { access, refresh } = this.#options;
    const registered = { sub: subject.userId, sid: subject.sessionId };
    const data = {
      token: subject.sessionId,
      userId: subject.userId,
      isImpersonated: subject.actorUserId !== null,
    };
    const accessToken = this.#sign('at+jwt', access, subject.accessExpiresAt, {
      ...withoutReserved(subject.custom),
      ...registered,
      data,
      ...(subject.actorUserId !== null && { act: { sub: subject.actorUserId } }),
    });
    const refreshToken = this.#sign('rt+jwt', refresh, subject.refreshExpiresAt, {
      ...registered,
      rot: subject.rotation,
    });
    return { accessToken, refreshToken };
  }

  /** Throws UNAUTHENTICATED for whatever is not a valid access token of ours. */
  verifyAccess(token: unknown, { ignoreExpiration = false } = {}): AccessClaims {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw refused();
    const digest = hash('sha256', token, 'base64');
    const claims = this.#verified.get(digest) ?? this.#remember(digest, this.#verifyNewAccess(token));
    if (!ignoreExpiration && claims.expiresAt <= this.#options.now()) {
      this.#verified.delete(digest);
      throw refused('The access token has expired.');
    }
    return claims;
  }

  /** Throws UNAUTHENTICATED for whatever is not a valid refresh token of ours. */
  verifyRefresh(token: unknown): RefreshClaims {
    const payload = this.#verify(token, 'rt+jwt', this.#options.refresh);
    if (expiry(payload) <= this.#options.now()) throw refused('The refresh token has expired.');
    const { sub, sid, rot } = payload;
    if (!Number.isSafeInteger(rot) || rot < 1) throw refused();
    return { userId: sub, sessionId: sid, rotation: rot };
  }

  #verifyNewAccess(token: string): AccessClaims {
    const payload = this.#verify(token, 'at+jwt', this.#options.access);
    const actor: unknown = payload.act?.sub ?? null;
    if (payload.data?.token !== payload.sid || payload.data?.userId !== payload.sub) throw refused();
    if (actor !== null && typeof actor !== 'string') throw refused();
    return Object.freeze({
      userId: payload.sub,
      sessionId: payload.sid,
      actorUserId: actor,
      expiresAt: expiry(payload),
      custom: Object.freeze(withoutReserved(payload)),
    });
  }

  #remember(digest: string, claims: AccessClaims): AccessClaims {
    if (this.#verified.size >= MAX_REMEMBERED) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(digest, claims);
    return claims;
  }

  #sign(typ: string, { issuer, audience }: Audience, expiresAt: number, claims: object): string {
    const { keyring, now } = this.#options;
    if (!keyring.signing) throw new AccountsError('FORBIDDEN', 'This server verifies tokens and makes none.');
    const { key, kid, algorithm } = keyring.signing;
    const token = jwt.sign(
      {
        ...claims,
        iss: issuer,
        aud: audience,
        iat: Math.floor(now() / SECOND),
        exp: Math.floor(expiresAt / SECOND),
        jti: randomBytes(16).toString('base64url'),
      },
      key,
      { algorithm, header: { alg: algorithm, typ, kid } },
    );
    if (token.length > MAX_TOKEN_LENGTH)
      throw new TypeError('createJwtPayload gives too much: a token holds 8 KB');
    return token;
  }

  #verify(token: unknown, typ: string, { issuer, audience }: Audience): OurPayload {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw refused();
    const header = decodeHeader(token);
    // jsonwebtoken lets `crit` pass; RFC 7515, 4.1.11 wants a token refused whose extensions are not understood.
    if (!header || header.typ !== typ || 'crit' in header) throw refused();
    const key = typeof header.kid === 'string' && this.#options.keyring.verification.get(header.kid);
    if (!key) throw refused();
    const payload = verifySignature(token, key, issuer, audience);
    if (!isOurs(payload) || payload.iat * SECOND > this.#options.now() + MAX_SKEW) throw refused();
    return payload;
  }
}

interface OurPayload extends Record<string, unknown> {
  sub: string;
  sid: string;
  jti: string;
  iat: number;
  exp: number;
  rot: number;
  data?: { token?: unknown; userId?: unknown };
  act?: { sub?: unknown };
}

function verifySignature(
  token: string,
  { key, algorithm }: { key: Parameters<typeof jwt.verify>[1]; algorithm: jwt.Algorithm },
  issuer: string,
  audience: string | string[],
): unknown {
  try {
    return jwt.verify(token, key as jwt.PublicKey, {
      algorithms: [algorithm],
      issuer,
      audience: typeof audience === 'string' ? audience : (audience as [string, ...string[]]),
      // Expiry is judged by the injected clock, and a refresh accepts an expired access token.
      ignoreExpiration: true,
    });
  } catch {
    throw refused();
  }
}

function isOurs(payload: unknown): payload is OurPayload {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false;
  const { sub, sid, jti, iat, exp } = payload as Record<string, unknown>;
  return (
    [sub, sid, jti].every((claim) => typeof claim === 'string' && claim !== '') &&
    [iat, exp].every(Number.isFinite)
  );
}

function decodeHeader(token: string): Record<string, unknown> | null {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString(),
    );
    return typeof header === 'object' && header !== null ? (header as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function withoutReserved(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !RESERVED_CLAIMS.has(name)));
}

function expiry(payload: OurPayload): number {
  return payload.exp * SECOND;
}

function refused(message = 'The token is not valid.'): AccountsError {
  return new AccountsError('UNAUTHENTICATED', message);
}
