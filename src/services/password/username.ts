import { parseUsername } from '../../core/canonical.ts';
import { AccountsError } from '../../errors.ts';
import type { PasswordParts } from './parts.ts';

/** Gives a user a username, or another one. Throws USERNAME_TAKEN. */
export async function setUsername(parts: PasswordParts, userId: string, input: unknown): Promise<void> {
  const { username, canonical } = parts.parseNewUsername(input);
  const before = await parts.users.find(userId);
  if (!before) throw new AccountsError('USER_NOT_FOUND');
  const former = before.username === null ? canonical : parseUsername(before.username).canonical;
  const user = await parts.names.adopt('username', canonical, userId, {
    former: former === canonical ? [] : [former],
    change: () => ({ username }),
    undo: (current) => (current.username === username ? { username: before.username } : {}),
  });
  if (!user) throw new AccountsError('USERNAME_TAKEN');
  parts.events.emit('SetUsernameSuccess', { user: parts.toUser(user) });
}
