import { parseEmail, parseUsername } from '../../core/canonical.ts';
import type { EmailAddress } from '../../database/ports.ts';
import type { Findings } from './findings.ts';
import { isPlainObject } from './plain-data.ts';

/** What one user only can have. */
export interface Name {
  kind: 'id' | 'email' | 'username' | `oauth:${string}`;
  canonical: string;
  /** Whether the user has proved to own it. */
  verified: boolean;
}

export function mapUsername(value: unknown, findings: Findings): { username: string; name: Name } | null {
  // Forms have left an empty one.
  if (value === undefined || value === null || value === '') return null;
  try {
    const { username, canonical } = parseUsername(value);
    return { username, name: { kind: 'username', canonical, verified: false } };
  } catch {
    const rule =
      'a username has 1 to 64 letters, marks, numbers, ".", "_" and "-", the first a letter or number';
    findings.refuse('INVALID_USERNAME', rule, 'username');
    return null;
  }
}

/**
 * The addresses, each once: two spellings of one are one, verified if either is. Every one allows login, verified or
 * not, as it did.
 */
export function mapEmails(value: unknown, findings: Findings): EmailAddress[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    findings.refuse('INVALID_EMAIL', 'it must be a list', 'emails');
    return [];
  }
  const emails = new Map<string, EmailAddress>();
  for (const [index, entry] of value.entries()) {
    const email = mapEmail(entry, `emails.${index}`, findings);
    const known = email && emails.get(email.canonical);
    if (email && (!known || (email.verified && !known.verified))) emails.set(email.canonical, email);
  }
  return [...emails.values()];
}

function mapEmail(entry: unknown, field: string, findings: Findings): EmailAddress | null {
  if (!isPlainObject(entry)) {
    findings.refuse('INVALID_EMAIL', 'it must be an object of address and verified', field);
    return null;
  }
  const verified = entry.verified ?? false;
  if (typeof verified !== 'boolean')
    findings.refuse('INVALID_EMAIL', 'verified must be true or false', field);
  try {
    return { ...parseEmail(entry.address), verified: verified === true, claimed: true };
  } catch {
    findings.refuse('INVALID_EMAIL', 'the address is no e-mail address', field);
    return null;
  }
}
