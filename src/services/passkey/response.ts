import { createHash } from 'node:crypto';
import { AccountsError } from '../../errors.ts';
import type { RelyingParty } from './relying-party.ts';

/** What the browser says that was signed. */
interface ClientData {
  type: string;
  challenge: string;
  origin: string;
  /** Whether a page of somebody else's framed the one that asked. */
  crossOrigin: boolean;
}

interface ClientResponse {
  /** The id of the credential. */
  id: string;
  clientDataJSON: string;
  clientData: ClientData;
}

/** What a browser answers when a passkey was made (`RegistrationResponseJSON` of WebAuthn), as far as it is used. */
export interface Registration extends ClientResponse {
  attestationObject: string;
  transports: string[];
}

/** What a browser answers when a passkey was used (`AuthenticationResponseJSON`). */
export interface Assertion extends ClientResponse {
  authenticatorData: string;
  signature: string;
  userHandle: string;
}

/** Characters in base64url. Ids have 1,023 bytes at most (WebAuthn, 5.4.3); with the rest, real answers are far below. */
const LIMITS = {
  id: 1_364,
  clientDataJSON: 8_192,
  attestationObject: 16_384,
  signature: 4_096,
  userHandle: 88,
};
const MAX_TRANSPORTS = 8;

/** Throws INVALID_PASSKEY for whatever no browser answers. Nothing else of the input is looked at, or handed on. */
export function parseRegistration(input: unknown): Registration {
  const { id, response } = parseCredential(input);
  return {
    ...parseClientData(id, response),
    attestationObject: encoded(response.attestationObject, LIMITS.attestationObject),
    transports: parseTransports(response.transports),
  };
}

/** Throws INVALID_PASSKEY. */
export function parseAssertion(input: unknown): Assertion {
  const { id, response } = parseCredential(input);
  return {
    ...parseClientData(id, response),
    authenticatorData: encoded(response.authenticatorData, LIMITS.signature),
    signature: encoded(response.signature, LIMITS.signature),
    // Only passkeys that are not discoverable leave it out, and those cannot say who logs in.
    userHandle: encoded(response.userHandle, LIMITS.userHandle),
  };
}

/**
 * Refuses what was signed for something else. The origin is what keeps a passkey from being used through a page that
 * only looks like the site; a page of ours in somebody else's frame may be clicked by people who do not see it.
 */
export function refuseForeign(
  { type, challenge, origin, crossOrigin }: ClientData,
  expected: { type: 'webauthn.create' | 'webauthn.get'; challenge: string; rp: RelyingParty },
): void {
  if (type !== expected.type || challenge !== expected.challenge || crossOrigin) throw invalid();
  if (!expected.rp.origins.includes(origin)) {
    throw new AccountsError('INVALID_PASSKEY', 'Passkeys of this site cannot be used on that page.');
  }
}

/** Refuses what was signed for another domain, or without anybody being there (WebAuthn, 6.1). */
export function refuseForeignDomain({ authenticatorData }: Assertion, rp: RelyingParty): void {
  const data = Buffer.from(authenticatorData, 'base64url');
  const [flags = 0] = data.subarray(32, 33);
  const isOurs = createHash('sha256').update(rp.id).digest().equals(data.subarray(0, 32));
  if (!isOurs || (flags & 1) === 0) throw invalid();
}

function parseCredential(input: unknown): { id: string; response: Fields } {
  const { id, rawId, type, response } = parseFields(input);
  if (id !== rawId || type !== 'public-key') throw invalid();
  return { id: encoded(id, LIMITS.id), response: parseFields(response) };
}

function parseClientData(id: string, { clientDataJSON }: Fields): ClientResponse {
  const json = encoded(clientDataJSON, LIMITS.clientDataJSON);
  const { type, challenge, origin, topOrigin, crossOrigin = false } = parseFields(parseJson(json));
  const isWhole = typeof type === 'string' && typeof challenge === 'string' && typeof origin === 'string';
  if (!isWhole || typeof crossOrigin !== 'boolean') throw invalid();
  const isFramed = crossOrigin || topOrigin !== undefined;
  return { id, clientDataJSON: json, clientData: { type, challenge, origin, crossOrigin: isFramed } };
}

/** How the authenticator can be reached: a hint for the browser, so that what is not one is left out. */
function parseTransports(transports: unknown): string[] {
  if (!Array.isArray(transports)) return [];
  return transports
    .slice(0, MAX_TRANSPORTS)
    .filter(
      (transport): transport is string => typeof transport === 'string' && /^[a-z-]{1,32}$/.test(transport),
    );
}

type Fields = Readonly<Record<string, unknown>>;

function parseFields(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid();
}

function encoded(value: unknown, limit: number): string {
  if (typeof value === 'string' && value.length <= limit && /^[\w-]+$/.test(value)) return value;
  throw invalid();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw invalid();
  }
}

function invalid(): AccountsError {
  return new AccountsError('INVALID_PASSKEY');
}
