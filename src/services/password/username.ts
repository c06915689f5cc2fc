import { type CanonicalUsername, parseUsername } from '../../core/canonical.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { PasswordParts } from './parts.ts';

/** Gives a user a username, or another one. Throws USERNAME_TAKEN. */
export async function setUsername(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { username, canonical } = parts.parseNewUsername(input);
  const before = await parts.users.require(userId);
  const user = await adoptUsername(parts, userId, { username, canonical });
  if (!user) {
    // The new name was lost in the last moment. The former one may be free by now, so it is claimed anew.
    if (before.username !== null) await adoptUsername(parts, userId, parseUsername(before.username));
    throw new AccountsError('USERNAME_TAKEN');
  }
  parts.events.emit('SetUsernameSuccess', { user: parts.toUser(user) });
}

/** Null when somebody else has it: then the record shows no name that the user does not have. */
function adoptUsername(
  { names }: PasswordParts,
  userId: string,
  { username, canonical }: CanonicalUsername,
): Promise<UserRecord | null> {
  return names.adopt('username', canonical, userId, {
    change: () => ({ username }),
    undo: (current) => (current.username === username ? { username: null } : {}),
  });
}
