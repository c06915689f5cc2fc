import { parseUsername } from '../../core/canonical.ts';
import { AccountsError } from '../../errors.ts';
import type { PasswordParts } from './parts.ts';

/** Gives a user a username, or another one. Throws USERNAME_TAKEN. */
export async function setUsername(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { username, canonical } = parts.parseNewUsername(input);
  const before = await parts.users.find(userId);
  if (!before) throw new AccountsError('USER_NOT_FOUND');
  const user = await parts.names.adopt('username', canonical, userId, {
    change: () => ({ username }),
    undo: (current) => (current.username === username ? { username: before.username } : {}),
  });
  if (!user) throw new AccountsError('USERNAME_TAKEN');
  const former = before.username === null ? null : parseUsername(before.username).canonical;
  if (former !== null && former !== canonical) await parts.names.unclaim('username', former, userId);
  parts.events.emit('SetUsernameSuccess', { user: parts.toUser(user) });
}
