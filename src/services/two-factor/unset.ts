import type { IdentityRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { change, endOthers, type FactorChange, type FactorChanger } from './change.ts';
import { type Enrolment, findEnrolment } from './enrolment.ts';
import { notifyOwner, type TwoFactorParts } from './parts.ts';
import { removeRecoveryCodes } from './recovery-codes.ts';
import { verifyCode } from './verification.ts';

/** Turns the second factor off, by a code of the authenticator or a recovery code. */
export async function unsetFactor(
  parts: TwoFactorParts,
  userId: string,
  code: unknown,
  by: FactorChanger,
): Promise<void> {
  await change(parts, 'TwoFactorUnsetError', userId, by, async (made) => {
    const enrolment = await requireEnrolment(made);
    await made.spendGuess(`of ${userId} ${enrolment.id}`);
    await verifyCode(parts, made.user, code);
    await remove(made, enrolment.id);
  });
}

/** Turns it off without a code: for administrators, who have made sure who asks. Every session of the user ends. */
export async function removeFactor(parts: TwoFactorParts, userId: string, by: FactorChanger): Promise<void> {
  await change(parts, 'TwoFactorUnsetError', userId, by, async (made) => {
    await remove(made, (await requireEnrolment(made)).id);
  });
}

async function requireEnrolment({ parts, user }: FactorChange): Promise<Enrolment> {
  const enrolment = await findEnrolment(parts, user.id);
  if (!enrolment) throw new AccountsError('TWO_FACTOR_NOT_SET');
  return enrolment;
}

/** `id`: the enrolment whose code was right; another one may have taken its place meanwhile. */
async function remove(made: FactorChange, id: string | null): Promise<void> {
  const { parts, user, by } = made;
  const { users, background } = parts;
  await by.stillThere();
  await endOthers(made);
  // Read again: the code that was just given is used in it.
  const { record, id: current } = await requireEnrolment(made);
  if (current !== id || !(await users.removeIdentity(record))) throw new AccountsError('TWO_FACTOR_NOT_SET');
  await background.insist(`sessions ${user.id}`, () => endOthers(made));
  await background.keepIf(by.stillThere, `factor ${user.id}`, () => restore(made, record));
  // They count for this enrolment only: what follows cleans up.
  await background.insist(`codes ${user.id}`, () => removeRecoveryCodes(parts, user.id));
  parts.events.emit('TwoFactorUnsetSuccess', { user: parts.toUser(user), connection: by.connection });
  notifyOwner(parts, user, 'twoFactorDisabled');
}

async function restore({ parts, user }: FactorChange, record: IdentityRecord): Promise<void> {
  // Those too that were begun without a code in between. Not where the session ended because the owner of the address
  // has the account now: that factor was a stranger's (S39).
  if (await parts.ownership.restore(user, record)) await parts.sessions.revokeAll(user.id);
}
