import type { Tokens } from '../generated/types.ts';
import type { StoredTokens } from './storage.ts';

const SECOND = 1_000;

/** So long before its end an access token is replaced: it must not expire on its way. */
const MARGIN = 30 * SECOND;

/**
 * When tokens that have just come will expire. Their lifetime counts from now on, by the clock of this device: it may
 * be hours away from that of the server.
 */
export function withLifetime({ accessToken, refreshToken }: Tokens, now: number): StoredTokens {
  const { iat = 0, exp = 0 } = payloadOf(accessToken);
  const lifetime = Math.max(0, exp - iat) * SECOND || 0;
  const expiresAt = now + lifetime;
  return { accessToken, refreshToken, expiresAt, refreshAt: expiresAt - Math.min(MARGIN, lifetime / 2) };
}

/** What is no token says nothing, and so has expired. */
function payloadOf(token: string): { iat?: number; exp?: number } {
  try {
    const [, part = ''] = token.split('.');
    return JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as { iat?: number; exp?: number };
  } catch {
    return {};
  }
}
