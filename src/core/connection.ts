/** Where a request came from. */
export interface Connection {
  ip: string | null;
  userAgent: string | null;
}

const MAX_USER_AGENT = 512;
const MAX_IP = 64;

/**
 * What a caller says of its connection, as we keep, log and emit it: bounded, and without the control characters by
 * which a user agent could forge lines of a log.
 */
export function parseConnection(input: unknown): Connection {
  if (typeof input !== 'object' || input === null) return { ip: null, userAgent: null };
  const { ip, userAgent } = input as { ip?: unknown; userAgent?: unknown };
  return { ip: printable(ip, MAX_IP), userAgent: printable(userAgent, MAX_USER_AGENT) };
}

/** A string of a stranger's that is fit for a log; null for what is none. */
export function printable(value: unknown, limit: number): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value
    .slice(0, limit)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}
