import type { Connection } from '../../core/connection.ts';
import { AccountsError } from '../../errors.ts';
import { parseName } from './name.ts';
import type { PasskeyParts } from './parts.ts';
import { type Passkey, type StoredPasskey, toPasskey } from './passkeys.ts';
import { parseRegistration, refuseForeign } from './response.ts';
import { registrationOptions, verifyRegistration } from './webauthn.ts';

/** Who registers a passkey, and from where. */
export interface Registrant {
  userId: string;
  /** The session that asks, to which the challenge is bound; null where the application itself does. */
  session: string | null;
  connection: Connection;
  /** Rejects when the session that asks has ended. */
  stillThere: () => Promise<unknown>;
}

/** Throws TOO_MANY_PASSKEYS. */
export async function createRegistrationOptions(
  parts: PasskeyParts,
  { userId, session }: Pick<Registrant, 'userId' | 'session'>,
): Promise<object> {
  const { rp } = parts.options;
  const user = await parts.users.requireActive(userId);
  const known = await parts.passkeys.ofUser(userId);
  refuseTooMany(parts, known.length + 1);
  const challenge = await parts.challenges.forRegistration(userId, session);
  return registrationOptions(
    user,
    challenge,
    rp,
    known.filter(({ rpId }) => rpId === rp.id),
  );
}

/**
 * Keeps a passkey. The session is asked for again once it is stored: a thief who is thrown out meanwhile must not leave a
 * passkey behind.
 */
export async function register(
  parts: PasskeyParts,
  { userId, session, connection, stillThere }: Registrant,
  response: unknown,
  typedName: unknown,
): Promise<Passkey> {
  const work = async (): Promise<Passkey> => {
    const { rp } = parts.options;
    const name = parseName(typedName ?? 'Passkey');
    const registration = parseRegistration(response);
    const { challenge } = registration.clientData;
    const user = await parts.users.requireActive(userId);
    await parts.challenges.useForRegistration(challenge, userId, session);
    refuseForeign(registration.clientData, { type: 'webauthn.create', challenge, rp });
    const made = await verifyRegistration(registration, rp);
    const stored = await parts.passkeys.insert(registration.id, userId, { ...made, name, lastUsedAt: null });
    // Never moved over to whoever shows it last: its id is no secret, and its owner would log in as somebody else.
    if (!stored) throw new AccountsError('INVALID_PASSKEY', 'This passkey is registered already.');
    const kept = await keep(parts, registration.id, { userId, stillThere });
    const passkey = toPasskey(kept);
    parts.events.emit('PasskeyRegisterSuccess', { user: parts.toUser(user), passkeyId: kept.id, connection });
    parts.notifyOwner('passkeyAdded', user);
    return passkey;
  };
  return parts.events.observe(work, (error) =>
    parts.events.emit('PasskeyRegisterError', { userId, error, connection }),
  );
}

/** Takes a new passkey back when it came too late, or was one too many. */
async function keep(
  parts: PasskeyParts,
  id: string,
  { userId, stillThere }: Pick<Registrant, 'userId' | 'stillThere'>,
): Promise<StoredPasskey> {
  const mayStay = async (): Promise<StoredPasskey> => {
    await stillThere();
    const all = await parts.passkeys.ofUser(userId);
    // Two at once, in whatever processes, may both be refused; there are never more.
    refuseTooMany(parts, all.length);
    const kept = all.find((passkey) => passkey.id === id);
    if (!kept) throw new AccountsError('INVALID_PASSKEY');
    return kept;
  };
  return parts.background.keepIf(mayStay, `passkey ${id}`, async () => {
    const passkey = await parts.passkeys.find(id);
    if (passkey?.userId === userId) await parts.passkeys.remove(passkey);
  });
}

function refuseTooMany({ options }: PasskeyParts, count: number): void {
  if (count > options.maxPasskeys) throw new AccountsError('TOO_MANY_PASSKEYS');
}
