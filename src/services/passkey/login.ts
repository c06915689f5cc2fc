import type { Authentication } from '../../core/authentication.ts';
import type { Connection } from '../../core/connection.ts';
import { MULTIPLE_FACTORS } from '../../core/sessions.ts';
import type { PasskeyParts } from './parts.ts';
import type { PasskeyData, StoredPasskey } from './passkeys.ts';
import { parseAssertion, refuseForeign, refuseForeignDomain } from './response.ts';
import { isUserHandleOf } from './user-handle.ts';
import { loginOptions, type Proof, unknownPasskey, verifyAssertion } from './webauthn.ts';

/** Options for anybody's login; the challenge in them is also the token to answer with. */
export async function createLoginOptions(
  { challenges, options }: PasskeyParts,
  { ip }: Connection,
): Promise<{ options: object; challenge: string }> {
  const challenge = await challenges.forLogin(ip);
  return { options: await loginOptions(challenge, options.rp), challenge };
}

/**
 * Recognises a user by `{ token, response }`. INVALID_TOKEN is about the challenge, INVALID_PASSKEY about what can be
 * seen from the response alone, INVALID_CREDENTIALS about everything that depends on who has which passkey. The
 * challenge is used up first, whatever comes of it. There is nothing to guess.
 */
export async function authenticate(
  parts: PasskeyParts,
  { token, response }: Readonly<Record<string, unknown>>,
  connection: Connection,
): Promise<Authentication> {
  const { rp } = parts.options;
  await parts.challenges.useForLogin(token);
  const assertion = parseAssertion(response);
  refuseForeign(assertion.clientData, { type: 'webauthn.get', challenge: token as string, rp });
  refuseForeignDomain(assertion, rp);
  const passkey = await parts.passkeys.find(assertion.id);
  const user = passkey && (await parts.users.find(passkey.userId));
  if (!passkey || !user || user.deactivated || !isUserHandleOf(user.id, assertion.userHandle)) {
    throw unknownPasskey();
  }
  const proof = await verifyAssertion(assertion, rp, passkey);
  if (!(await recordUse(parts, passkey, proof))) {
    const { id: passkeyId, userId } = passkey;
    parts.events.emit('PasskeyCounterReused', { userId, passkeyId, connection });
    throw unknownPasskey();
  }
  return {
    user,
    amr: methodsOf(proof),
    // Something that one has, and something that one knows or is (NIST SP 800-63B-4, 3.2.12).
    secondFactor: proof.userVerified,
    stillHolds: async () => {
      const current = await parts.passkeys.find(passkey.id);
      return current?.userId === user.id && current.publicKey === passkey.publicKey;
    },
  };
}

/**
 * Keeps the counter and the time. False when the counter did not grow: somebody has a copy of the passkey, and who of
 * the two this is, nobody knows (WebAuthn, 6.1.1). Those that are synchronised do not count, and always say 0.
 */
async function recordUse(
  { passkeys, now }: PasskeyParts,
  { id, userId }: StoredPasskey,
  { counter, backedUp }: Proof,
): Promise<boolean> {
  let isCopy = false;
  const used = await passkeys.change(id, userId, (passkey): Partial<PasskeyData> => {
    const counts = counter > 0 || passkey.counter > 0;
    isCopy = counts && counter <= passkey.counter;
    const isKept = !counts && (passkey.lastUsedAt ?? 0) >= now() && passkey.backedUp === backedUp;
    return isCopy || isKept ? {} : { counter, backedUp, lastUsedAt: now() };
  });
  if (!used) throw unknownPasskey();
  return !isCopy;
}

/** RFC 8176. What may be synchronised is no key in hardware. */
function methodsOf({ deviceType, userVerified }: Proof): string[] {
  return [deviceType === 'multiDevice' ? 'swk' : 'hwk', 'user', ...(userVerified ? [MULTIPLE_FACTORS] : [])];
}
