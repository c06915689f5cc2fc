import { printable } from './text.ts';

/** Where a request came from. */
export interface Connection {
  ip: string | null;
  userAgent: string | null;
}

/** What a caller may say of its connection; everything may be missing. */
export interface ConnectionInput {
  readonly ip?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
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
  return { ip: printableOrNull(ip, MAX_IP), userAgent: printableOrNull(userAgent, MAX_USER_AGENT) };
}

/** A string of a stranger's that is fit for logs and events; null for what is none. */
export function printableOrNull(value: unknown, limit: number): string | null {
  return typeof value === 'string' && value !== '' ? printable(value.slice(0, limit)) : null;
}
