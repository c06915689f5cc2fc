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
  ...['act', 'sid', 'data'],
  // Not claims, but ways to change the other claims: by the prototype, and by what JSON.stringify calls.
  ...['__proto__', 'toJSON'],
]);

/** Signs and verifies the two kinds of token (RFC 7519, with the practices of RFC 8725). */
export class Tokens {
  readonly #options: TokensOptions;
  /** By digest, so that the memory of the process holds no list of usable tokens. */
  readonly #verified = new Map<string, AccessClaims>();

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** How many verified tokens are remembered: a bounded number. */
  get remembered(): number {
    return this.#verified.size;
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
    const known = this.#verified.get(digest);
    const claims = known ?? this.#verifyNewAccess(token);
    if (claims.expiresAt <= this.#options.now()) {
      this.#verified.delete(digest);
      if (!ignoreExpiration) throw refused('The access token has expired.');
    } else if (!known) this.#remember(digest, claims);
    return claims;
  }

  /** Throws UNAUTHENTICATED for whatever is not a valid refresh token of ours. */
  verifyRefresh(token: unknown): RefreshClaims {
    const payload = this.#verify(token, 'rt+jwt', this.#options.refresh);
    if (expiry(payload) <= this.#options.now()) throw refused('The refresh token has expired.');
    const { sub, sid, rot } = payload;
    if (typeof rot !== 'number' || !Number.isSafeInteger(rot) || rot < 1) throw refused();
    return { userId: sub, sessionId: sid, rotation: rot };
  }

  #verifyNewAccess(token: string): AccessClaims {
    const payload = this.#verify(token, 'at+jwt', this.#options.access);
    const { sub, sid, data } = payload;
    const actorUserId = actorOf(payload);
    const isImpersonated = actorUserId !== null;
    // `data` is what applications of accounts-js read, so it must not say anything else than the claims.
    if (data?.token !== sid || data.userId !== sub || data.isImpersonated !== isImpersonated) throw refused();
    return Object.freeze({
      userId: sub,
      sessionId: sid,
      actorUserId,
      expiresAt: expiry(payload),
      custom: Object.freeze(withoutReserved(payload)),
    });
  }

  #remember(digest: string, claims: AccessClaims): void {
    if (this.#verified.size >= MAX_REMEMBERED) {
      const [oldest] = this.#verified.keys();
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(digest, claims);
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
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !isCompact(token)) throw refused();
    const header = decodeHeader(token);
    // jsonwebtoken lets `crit` pass; RFC 7515, 4.1.11 wants a token refused whose extensions are not understood.
    if (!header || header.typ !== typ || 'crit' in header) throw refused();
    const key = typeof header.kid === 'string' && this.#options.keyring.verification.get(header.kid);
    if (!key) throw refused();
    const payload = verifySignature(token, key, issuer, audience);
    if (!isOurs(payload) || !this.#hasBegun(payload)) throw refused();
    return payload;
  }

  #hasBegun({ iat, nbf = iat }: OurPayload): boolean {
    return Math.max(iat, nbf) * SECOND <= this.#options.now() + MAX_SKEW;
  }
}

interface OurPayload extends Record<string, unknown> {
  sub: string;
  sid: string;
  jti: string;
  iat: number;
  exp: number;
  nbf?: number;
  rot?: unknown;
  data?: { token?: unknown; userId?: unknown; isImpersonated?: unknown } | null;
  act?: unknown;
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
      // Times are judged by the injected clock, and a refresh accepts an expired access token.
      ignoreExpiration: true,
      ignoreNotBefore: true,
    });
  } catch {
    throw refused();
  }
}

function isOurs(payload: unknown): payload is OurPayload {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false;
  const { sub, sid, jti, iat, exp, nbf = iat } = payload as Record<string, unknown>;
  // Whole seconds, as we write them: a time that is beyond all numbers never comes.
  return [sub, sid, jti].every(isName) && [iat, exp, nbf].every(Number.isSafeInteger);
}

/** Null where there is no actor; one whom we cannot read must not pass as none. */
function actorOf({ act }: OurPayload): string | null {
  if (act === undefined) return null;
  const actor = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : null;
  if (!isName(actor)) throw refused();
  return actor;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Three parts, each in the one spelling of its bytes: base64url has bits to spare that nobody signs. */
function isCompact(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every((part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part)
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
