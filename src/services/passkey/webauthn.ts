import type { AuthenticatorTransport } from '@simplewebauthn/server';
import { mainEmail } from '../../core/addresses.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { rethrow } from '../../need-package.ts';
import { CHALLENGE_LIFETIME } from './challenges.ts';
import type { PasskeyData, StoredPasskey } from './passkeys.ts';
import type { RelyingParty } from './relying-party.ts';
import type { Assertion, Registration } from './response.ts';
import { userHandleOf } from './user-handle.ts';

/** What a passkey has proved. */
export interface Proof {
  /** Whether it has checked who holds it, as it did when it was made. */
  userVerified: boolean;
  counter: number;
  backedUp: boolean;
  deviceType: string;
}

/** EdDSA, ES256, RS256: every authenticator knows one of them. */
const ALGORITHMS = [-8, -7, -257];
/** In base64url: a key of RSA with 4,096 bits has 710. A larger one would make every login slow. */
const MAX_PUBLIC_KEY = 1_000;

/** For `navigator.credentials.create`. Asks for no attestation: who made the authenticator is nothing to us. */
export async function registrationOptions(
  user: UserRecord,
  challenge: string,
  rp: RelyingParty,
  known: readonly StoredPasskey[],
): Promise<object> {
  const { generateRegistrationOptions } = await loadServer();
  const name = user.username ?? mainEmail(user)?.address ?? rp.name;
  return generateRegistrationOptions({
    ...{ rpID: rp.id, rpName: rp.name, userID: userHandleOf(user.id), userName: name, userDisplayName: name },
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: CHALLENGE_LIFETIME,
    attestationType: 'none',
    excludeCredentials: known.map(({ id, transports }) => ({
      id,
      transports: transports as AuthenticatorTransport[],
    })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** For `navigator.credentials.get`: any passkey of this domain, with or without an autofill. */
export async function loginOptions(challenge: string, rp: RelyingParty): Promise<object> {
  const { generateAuthenticationOptions } = await loadServer();
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: CHALLENGE_LIFETIME,
    userVerification: 'preferred',
  });
}

/** What to keep of a new passkey. Throws INVALID_PASSKEY. */
export async function verifyRegistration(
  { id, clientDataJSON, attestationObject, transports, clientData }: Registration,
  rp: RelyingParty,
): Promise<Omit<PasskeyData, 'name' | 'lastUsedAt'>> {
  const [{ verifyRegistrationResponse }, withoutAttestation] = await Promise.all([
    loadServer(),
    loadStripper(),
  ]);
  const result = await refused('INVALID_PASSKEY', () =>
    verifyRegistrationResponse({
      response: {
        ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
        response: {
          clientDataJSON,
          attestationObject: withoutAttestation(attestationObject),
          transports: transports as AuthenticatorTransport[],
        },
      },
      ...{ expectedChallenge: clientData.challenge, expectedOrigin: [...rp.origins], expectedRPID: rp.id },
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  );
  const { registrationInfo: made } = result;
  const publicKey = made && Buffer.from(made.credential.publicKey).toString('base64url');
  if (!made || !publicKey || made.credential.id !== id || publicKey.length > MAX_PUBLIC_KEY) {
    throw new AccountsError('INVALID_PASSKEY');
  }
  return {
    rpId: rp.id,
    publicKey,
    counter: made.credential.counter,
    transports,
    backedUp: made.credentialBackedUp,
    deviceType: made.credentialDeviceType,
    verifiesUser: made.userVerified,
    aaguid: made.aaguid,
  };
}

/** What the passkey has proved, its counter aside. Throws INVALID_CREDENTIALS when it is not the one that signed. */
export async function verifyAssertion(
  { id, clientDataJSON, authenticatorData, signature, clientData }: Assertion,
  rp: RelyingParty,
  passkey: StoredPasskey,
): Promise<Proof> {
  const { verifyAuthenticationResponse } = await loadServer();
  const { verified, authenticationInfo: info } = await refused('INVALID_CREDENTIALS', () =>
    verifyAuthenticationResponse({
      response: {
        ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
        response: { clientDataJSON, authenticatorData, signature },
      },
      ...{ expectedChallenge: clientData.challenge, expectedOrigin: [...rp.origins], expectedRPID: rp.id },
      credential: {
        id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        // Any counter is more. It is compared where it is stored, and once the signature is known to be good: otherwise
        // anybody who knows an id could make us cry that a passkey was copied.
        counter: -1,
      },
      requireUserVerification: false,
    }),
  );
  // What may be synchronised, or may not, stays so for its life: another one has signed (WebAuthn Level 3, 7.2).
  if (!verified || info.credentialDeviceType !== passkey.deviceType) throw unknownPasskey();
  return {
    userVerified: info.userVerified && passkey.verifiesUser === true,
    counter: info.newCounter,
    backedUp: info.credentialBackedUp,
    deviceType: info.credentialDeviceType,
  };
}

/** The same whatever it is that is unknown: the passkey, its owner, or that it was removed (S7). */
export function unknownPasskey(): AccountsError {
  return new AccountsError('INVALID_CREDENTIALS', 'This passkey is not known here.');
}

/** The library throws plain errors, whose text repeats what was sent. */
async function refused<T>(
  code: 'INVALID_PASSKEY' | 'INVALID_CREDENTIALS',
  verify: () => Promise<T>,
): Promise<T> {
  try {
    return await verify();
  } catch {
    throw code === 'INVALID_CREDENTIALS' ? unknownPasskey() : new AccountsError(code);
  }
}

/** Loaded when first needed: the package is there only where the service is used. */
function loadServer() {
  return import('@simplewebauthn/server').catch(rethrow);
}

/**
 * Drops the attestation, as browsers do where none is asked for. What is sent all the same is not verified: certificates
 * would be parsed, and revocation lists fetched from addresses that whoever sends it can choose.
 */
async function loadStripper(): Promise<(attestationObject: string) => string> {
  const { decodeAttestationObject, isoCBOR } = await import('@simplewebauthn/server/helpers').catch(rethrow);
  return (attestationObject) => {
    const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
    const bare = new Map<string, string | Uint8Array | Map<string | number, string>>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', decoded.get('authData')],
    ]);
    return Buffer.from(isoCBOR.encode(bare)).toString('base64url');
  };
}
