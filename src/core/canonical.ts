import { domainToASCII } from 'node:url';
import { AccountsError } from '../errors.ts';

/** An address that may be stored: `address` gets the mail, `canonical` is what it is compared by. */
export interface CanonicalEmail {
  readonly address: string;
  readonly canonical: string;
}

/** A name that may be stored: `username` is shown, `canonical` is what it is compared by. */
export interface CanonicalUsername {
  readonly username: string;
  readonly canonical: string;
}

// Far above what can be valid: longer input is refused before any work is done on it.
const INPUT_LIMIT = 1_024;

const LOCAL_PART = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-][\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]*$/u;
const LOCAL_LIMIT = 64;
const ADDRESS_LIMIT = 254;
const DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
const ASCII_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ALL_DIGITS = /^[0-9]+$/;

// Invisible, yet letters or marks to Unicode (variation selectors, Hangul fillers): with one of them,
// somebody else's name could be taken a second time and look the same.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

const USERNAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;
// One letter may become several (the Arabic ligatures); what is stored as a key stays bounded.
const CANONICAL_USERNAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,254}$/u;

/**
 * Reads one e-mail address (S37). `address` is as written but for the white space around it; only characters that
 * are another spelling of plain ones (full width letters, the Kelvin sign) are written plainly, so that the mailbox
 * that gets our mail always is the one whose canonical form was claimed. `canonical` is that in NFKC and lower case,
 * with the domain in ASCII (UTS 46); the canonical form of a canonical form is itself.
 *
 * Send mail to the `address` in the database, never to one that was typed into a form: two written forms may have
 * one canonical form.
 *
 * @throws AccountsError `INVALID_EMAIL`, also for quoted local parts, IP addresses and domains without a dot.
 */
export function parseEmail(input: unknown): CanonicalEmail {
  if (typeof input !== 'string' || input.length > INPUT_LIMIT) throw new AccountsError('INVALID_EMAIL');
  const written = input.trim();
  const address = written.normalize('NFKC');
  const [local = '', domain = '', ...more] = address.split('@');
  const canonicalLocal = lowerCase(local);
  const canonicalDomain = asciiDomain(domain);
  const canonical = `${canonicalLocal}@${canonicalDomain}`;
  if (
    more.length > 0 ||
    signs(written) !== signs(address) ||
    INVISIBLE.test(written) ||
    !isLocalPart(local) ||
    !isLocalPart(canonicalLocal) ||
    lowerCase(canonicalLocal) !== canonicalLocal ||
    canonicalDomain === null ||
    asciiDomain(canonicalDomain) !== canonicalDomain ||
    Buffer.byteLength(address) > ADDRESS_LIMIT ||
    Buffer.byteLength(canonical) > ADDRESS_LIMIT
  ) {
    throw new AccountsError('INVALID_EMAIL');
  }
  return { address, canonical };
}

/**
 * Reads a username: 1 to 64 code points of letters, marks, numbers and `.` `_` `-`, the first a letter or number;
 * nothing invisible. Usernames are compared after NFKC, upper case, lower case and NFKC: so `Straße` is `STRASSE`,
 * and the canonical form of a canonical form is itself.
 *
 * @throws AccountsError `INVALID_USERNAME`
 */
export function parseUsername(input: unknown): CanonicalUsername {
  if (typeof input !== 'string' || input.length > INPUT_LIMIT || !USERNAME.test(input)) {
    throw new AccountsError('INVALID_USERNAME');
  }
  const canonical = foldCase(input);
  if (INVISIBLE.test(input) || !CANONICAL_USERNAME.test(canonical) || foldCase(canonical) !== canonical) {
    throw new AccountsError('INVALID_USERNAME');
  }
  return { username: input, canonical };
}

function lowerCase(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC');
}

function foldCase(text: string): string {
  // Twice for the capital ẞ: it becomes ß at first, and ß becomes ss.
  return foldOnce(foldOnce(text));
}

function foldOnce(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

// NFKC makes signs out of other characters: `＠` an at sign, `⒈` and `㏂` dots, `，` a comma. An address has the
// signs that its writer sees, or is refused.
function signs(text: string): string {
  return text.replace(/[\p{L}\p{M}\p{N}]/gu, '');
}

function isLocalPart(local: string): boolean {
  return (
    LOCAL_PART.test(local) &&
    !local.includes('..') &&
    !local.endsWith('.') &&
    Buffer.byteLength(local) <= LOCAL_LIMIT
  );
}

function asciiDomain(domain: string): string | null {
  // Checked before, because domainToASCII reads a URL's host: it would take `%40`, `[::1]` and a port.
  if (!DOMAIN.test(domain)) return null;
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  const valid =
    labels.length >= 2 &&
    labels.every((label) => ASCII_LABEL.test(label)) &&
    !ALL_DIGITS.test(labels.at(-1) ?? '');
  return valid ? ascii : null;
}
