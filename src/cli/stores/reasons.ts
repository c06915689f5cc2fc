import { UNUSABLE } from '../../database/sql/failures.ts';
import { AccountsError } from '../../errors.ts';
import { reasonOf } from '../bad-configuration.ts';
import { redact } from '../redaction.ts';

/** The line of the program has a place and says the same. */
const SAID_ALREADY = new RegExp(`^${UNUSABLE}: `);

/**
 * Why a server cannot be used, for whoever started the program. Drivers like to quote what they were given: whatever
 * stands before the host in the URL is taken out, and so is what looks like a secret.
 */
export function whyUnusable(error: unknown, url: string): string {
  if (error instanceof AccountsError) return 'it does not answer';
  // The beginning first: a password may be a word of it.
  const reason = reasonOf(rootOf(error)).replace(SAID_ALREADY, '');
  return redact(withoutCredentials(reason, url)) || 'it does not answer';
}

/** Of several attempts, one for each address of a host, the first. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError) return rootOf(error.errors[0]);
  return error;
}

function withoutCredentials(text: string, url: string): string {
  const credentials = /^[^:]+:\/\/([^/?#]*)@/.exec(url)?.[1] ?? '';
  const password = credentials.slice(credentials.indexOf(':') + 1);
  return [password, decoded(password)]
    .filter((secret) => secret !== '')
    .reduce((told, secret) => told.replaceAll(secret, '…'), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
