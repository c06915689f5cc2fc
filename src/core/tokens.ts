import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { AccountsError } from '../errors.ts';
import {
  type AccessClaims,
  accessClaims,
  expiry,
  MAX_TOKEN_LENGTH,
  type OurPayload,
  refused,
  type TokenType,
  withoutReserved,
} from './claims.ts';
import { readToken } from './jwt.ts';
import type { Keyring } from './keys.ts';
import { type Clock, SECOND } from './time.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export type { AccessClaims };

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
    return accessClaims(this.#read(token, 'at+jwt', this.#options.access));
  }

  #sign(typ: TokenType, { issuer, audience }: Audience, expiresAt: number, claims: object): string {
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
        jti: randomUUID(),
      },
      key,
      { algorithm, header: { alg: algorithm, typ, kid } },
    );
    if (token.length > MAX_TOKEN_LENGTH)
      throw new TypeError('createJwtPayload gives too much: a token holds 8 KB');
    return token;
  }

  #read(token: unknown, typ: TokenType, audience: Audience): OurPayload {
    const { keyring, now } = this.#options;
    return readToken(token, typ, keyring.verification, { ...audience, now: now() });
  }
}
