import type { Connection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import { AccountsError } from '../../errors.ts';
import { parseName } from './name.ts';
import type { PasskeyParts } from './parts.ts';
import { type Passkey, type StoredPasskey, toPasskey } from './passkeys.ts';

/** Who changes a passkey, and from where. */
export interface Changer {
  userId: string;
  connection: Connection;
}

/** Throws PASSKEY_NOT_FOUND. */
export async function rename(
  parts: PasskeyParts,
  { userId, connection }: Changer,
  id: unknown,
  typedName: unknown,
): Promise<Passkey> {
  const work = async (): Promise<Passkey> => {
    const name = parseName(typedName);
    const renamed = await parts.passkeys.change(parseId(id), userId, () => ({ name }));
    if (!renamed) throw new AccountsError('PASSKEY_NOT_FOUND');
    const user = parts.toUser(await parts.users.requireActive(userId));
    parts.events.emit('PasskeyRenameSuccess', { user, passkeyId: renamed.id, connection });
    return toPasskey(renamed);
  };
  return parts.events.observe(work, (error) =>
    parts.events.emit('PasskeyRenameError', { userId, error, connection }),
  );
}

/**
 * Throws PASSKEY_NOT_FOUND and LAST_WAY_IN. `stillThere` rejects when the session that asks has ended; it is asked in
 * the last moment, since a passkey must not be brought back once its account may have been taken over.
 */
export async function remove(
  parts: PasskeyParts,
  { userId, connection }: Changer,
  id: unknown,
  stillThere: () => Promise<unknown>,
): Promise<void> {
  const work = async (): Promise<void> => {
    const user = await parts.users.requireActive(userId);
    const passkey = await findOwn(parts, userId, id);
    const take = async (): Promise<void> => {
      await stillThere();
      await parts.passkeys.remove(passkey);
    };
    if (isUseless(parts, passkey)) await take();
    else await parts.waysIn.remove(userId, take, () => parts.ownership.restore(user, passkey.identity));
    // A login that it began, and whose second factor is outstanding, ends with it.
    await parts.background.insist(`challenges ${userId}`, () => parts.secondFactors.voidChallenges(userId));
    parts.events.emit('PasskeyRemoveSuccess', {
      user: parts.toUser(user),
      passkeyId: passkey.id,
      connection,
    });
    parts.notifyOwner('passkeyRemoved', user);
  };
  await parts.events.observe(work, (error) =>
    parts.events.emit('PasskeyRemoveError', { userId, error, connection }),
  );
}

/** One that was made for another domain is no way in. */
export function isUseless({ options }: PasskeyParts, { rpId }: StoredPasskey): boolean {
  return rpId !== options.rp.id;
}

/** Somebody else's is answered as one that nobody has. */
async function findOwn(parts: PasskeyParts, userId: string, id: unknown): Promise<StoredPasskey> {
  const passkey = await parts.passkeys.find(parseId(id));
  if (passkey?.userId === userId) return passkey;
  throw new AccountsError('PASSKEY_NOT_FOUND');
}

function parseId(id: unknown): string {
  return parseString(id, 'PASSKEY_NOT_FOUND', 2_048);
}
