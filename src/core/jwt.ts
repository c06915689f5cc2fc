import jwt from 'jsonwebtoken';
import { AccountsError } from '../errors.ts';
import type { VerificationKey } from './keys.ts';

/** A longer token is refused before anything is decoded (S24). */
export const MAX_TOKEN_LENGTH = 8 * 1024;

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

/**
 * Reads a token of one kind that a key of ours has signed: only then are its claims looked at (RFC 8725). Times are
 * for the caller to judge. Throws UNAUTHENTICATED.
 */
export function readToken(
  token: unknown,
  typ: string,
  keys: ReadonlyMap<string, VerificationKey>,
  { issuer, audience }: { issuer: string; audience: string | string[] },
): OurPayload {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !isCompact(token)) throw refused();
  const header = decodeHeader(token);
  // jsonwebtoken lets `crit` pass; RFC 7515, 4.1.11 wants a token refused whose extensions are not understood.
  if (!header || header.typ !== typ || 'crit' in header) throw refused();
  const key = typeof header.kid === 'string' && keys.get(header.kid);
  if (!key) throw refused();
  const payload = verifySignature(token, key, issuer, audience);
  if (!isOurs(payload)) throw refused();
  return payload;
}

function verifySignature(
  token: string,
  { key, algorithm }: VerificationKey,
  issuer: string,
  audience: string | string[],
): unknown {
  try {
    return jwt.verify(token, key, {
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

export function isName(value: unknown): value is string {
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

export function refused(message = 'The token is not valid.'): AccountsError {
  return new AccountsError('UNAUTHENTICATED', message);
}
