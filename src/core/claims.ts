import { AccountsError } from '../errors.ts';
import { MINUTE, SECOND } from './units.ts';

// What a token of ours has to say, whoever verifies it: the server, and other services (src/verify). Web APIs alone.

/** A longer token is refused before anything is decoded (S24). */
export const MAX_TOKEN_LENGTH = 8 * 1024;

const MAX_SKEW = MINUTE;

/** The kind of a token, as its header names it: of access, or of refresh (RFC 9068, 2.1). */
export type TokenType = 'at+jwt' | 'rt+jwt';

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

/** The claims of a token of ours, as far as both kinds have them. */
export interface OurPayload extends Record<string, unknown> {
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

/** The name of the key that has signed a token of this kind, by its header. Throws UNAUTHENTICATED. */
export function kidOf(header: Readonly<Record<string, unknown>> | null, typ: TokenType): string {
  // RFC 7515, 4.1.11: a token whose extensions are not understood is refused, and none is understood here.
  if (header?.typ !== typ || 'crit' in header || typeof header.kid !== 'string') throw refused();
  return header.kid;
}

/** Throws UNAUTHENTICATED for what lacks a claim of ours, and for what was made later than now. */
export function parsePayload(payload: unknown, now: number): OurPayload {
  if (!isOurs(payload)) throw refused();
  const { iat, nbf = iat } = payload;
  if (Math.max(iat, nbf) * SECOND > now + MAX_SKEW) throw refused();
  return payload;
}

/** What the payload of an access token says. Throws UNAUTHENTICATED where it says two things at once. */
export function accessClaims(payload: OurPayload): AccessClaims {
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

/** Null where there is no actor; one whom we cannot read must not pass as none. */
function actorOf({ act }: OurPayload): string | null {
  if (act === undefined) return null;
  const actor = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : null;
  if (!isName(actor)) throw refused();
  return actor;
}

export function withoutReserved(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(claims).filter(([name]) => !RESERVED_CLAIMS.has(name) && !(name in {})),
  );
}

export function expiry(payload: OurPayload): number {
  return payload.exp * SECOND;
}

function isOurs(payload: unknown): payload is OurPayload {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false;
  const { sub, sid, jti, iat, exp, nbf = iat } = payload as Record<string, unknown>;
  // Whole seconds, as we write them: a time that is beyond all numbers never comes.
  return [sub, sid, jti].every(isName) && [iat, exp, nbf].every(Number.isSafeInteger);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function refused(message = 'The token is not valid.'): AccountsError {
  return new AccountsError('UNAUTHENTICATED', message);
}
