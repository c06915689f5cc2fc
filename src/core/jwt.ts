import jwt from 'jsonwebtoken';
import { kidOf, MAX_TOKEN_LENGTH, type OurPayload, parsePayload, refused, type TokenType } from './claims.ts';
import type { VerificationKey } from './keys.ts';

/**
 * Reads a token of one kind that a key of ours has signed: only then are its claims looked at (RFC 8725). The end of
 * its life is for the caller to judge. Throws UNAUTHENTICATED.
 */
export function readToken(
  token: unknown,
  typ: TokenType,
  keys: ReadonlyMap<string, VerificationKey>,
  { issuer, audience, now }: { issuer: string; audience: string | string[]; now: number },
): OurPayload {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !isCompact(token)) throw refused();
  const key = keys.get(kidOf(decodeHeader(token), typ));
  if (!key) throw refused();
  return parsePayload(verifySignature(token, key, issuer, audience), now);
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

/** The one spelling of some bytes in base64url: of two letters at its end four bits are to spare, and of three two. */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** Three parts, each in the one spelling of its bytes: nobody signs the bits to spare. */
function isCompact(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 3 && parts.every((part) => part !== '' && CANONICAL.test(part));
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
