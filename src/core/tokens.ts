import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AccountsError } from '../errors.ts';
import { isName, MAX_TOKEN_LENGTH, type OurPayload, readToken, refused } from './jwt.ts';
import type { Keyring } from './keys.ts';
import { type Clock, MINUTE, SECOND } from './time.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** Whom an access token speaks for. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** Who impersonates the user, if somebody does (RFC 8693, 4.1). */
  readonly actorUserId: string | null;
  /** When the user last proved who it is, and how. Milliseconds. */
  readonly authenticatedAt: number;
  readonly amr: readonly string[];
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
interface TokenSubject {
  userId: string;
  sessionId: string;
  rotation: number;
  actorUserId: string | null;
  authenticatedAt: number;
  amr: readonly string[];
  accessExpiresAt: number;
  refreshExpiresAt: number;
  custom: Readonly<Record<string, unknown>>;
}

interface Audience {
  issuer: string;
  audience: string | string[];
}

interface TokensOptions {
  keyring: Keyring;
  access: Audience;
  refresh: Audience;
  now: Clock;
}

const MAX_SKEW = MINUTE;

/** RFC 7519, 4.1, and those that are ours: `createJwtPayload` cannot set them. */
const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'act',
  'sid',
  'auth_time',
  'amr',
  'data',
  // Not claims, but ways to change the other claims: by the prototype, and by what JSON.stringify calls.
  '__proto__',
  'toJSON',
]);

/** Signs and verifies the two kinds of token (RFC 7519, with the practices of RFC 8725). */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #verified = new VerifiedTokens<AccessClaims>();

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
      auth_time: Math.floor(subject.authenticatedAt / SECOND),
      amr: subject.amr,
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
    const now = this.#options.now();
    const claims = this.#verified.claimsOf(token, now, (fresh) => this.#readAccess(fresh));
    if (claims.expiresAt <= now && !ignoreExpiration) throw refused('The access token has expired.');
    return claims;
  }

  /** Throws UNAUTHENTICATED for whatever is not a valid refresh token of ours. */
  verifyRefresh(token: unknown): RefreshClaims {
    const payload = this.#read(token, 'rt+jwt', this.#options.refresh);
    if (expiry(payload) <= this.#options.now()) throw refused('The refresh token has expired.');
    const { sub, sid, rot } = payload;
    if (typeof rot !== 'number' || !Number.isSafeInteger(rot) || rot < 1) throw refused();
    return { userId: sub, sessionId: sid, rotation: rot };
  }

  #readAccess(token: string): AccessClaims {
    const payload = this.#read(token, 'at+jwt', this.#options.access);
    const { sub, sid, data } = payload;
    const actorUserId = actorOf(payload);
    const isImpersonated = actorUserId !== null;
    // `data` is what applications of accounts-js read, so it must not say anything else than the claims.
    if (data?.token !== sid || data.userId !== sub || data.isImpersonated !== isImpersonated) throw refused();
    return Object.freeze({
      userId: sub,
      sessionId: sid,
      actorUserId,
      authenticatedAt: Number.isSafeInteger(payload.auth_time) ? Number(payload.auth_time) * SECOND : 0,
      amr: Object.freeze(Array.isArray(payload.amr) ? payload.amr.filter(isName) : []),
      expiresAt: expiry(payload),
      custom: Object.freeze(withoutReserved(payload)),
    });
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

  #read(token: unknown, typ: string, audience: Audience): OurPayload {
    const { keyring, now } = this.#options;
    const payload = readToken(token, typ, keyring.verification, audience);
    const { iat, nbf = iat } = payload;
    if (Math.max(iat, nbf) * SECOND > now() + MAX_SKEW) throw refused();
    return payload;
  }
}

/** Null where there is no actor; one whom we cannot read must not pass as none. */
function actorOf({ act }: OurPayload): string | null {
  if (act === undefined) return null;
  const actor = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : null;
  if (!isName(actor)) throw refused();
  return actor;
}

function withoutReserved(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(claims).filter(([name]) => !RESERVED_CLAIMS.has(name) && !(name in {})),
  );
}

function expiry(payload: OurPayload): number {
  return payload.exp * SECOND;
}
