import { AccountsError } from '../../errors.ts';
import { change, type FactorChanger } from './change.ts';
import { findEnrolment } from './enrolment.ts';
import { notifyOwner, type TwoFactorParts } from './parts.ts';
import { newCodes, recoveryData, replaceRecoveryCodes } from './recovery-codes.ts';

/** Ten new recovery codes, which void the old ones and are told this once (S35). Throws TWO_FACTOR_NOT_SET. */
export async function generateRecoveryCodes(
  parts: TwoFactorParts,
  userId: string,
  by: FactorChanger,
): Promise<string[]> {
  return change(parts, 'GenerateRecoveryCodesError', userId, by, async ({ user }) => {
    const enrolment = await findEnrolment(parts, user.id);
    if (!enrolment) throw new AccountsError('TWO_FACTOR_NOT_SET');
    const codes = newCodes();
    const undo = await replaceRecoveryCodes(parts, user.id, recoveryData(parts, enrolment, codes));
    try {
      await by.stillThere();
    } catch (error) {
      await parts.background.insist(`codes ${user.id}`, undo);
      throw error;
    }
    parts.events.emit('GenerateRecoveryCodesSuccess', {
      user: parts.toUser(user),
      connection: by.connection,
    });
    notifyOwner(parts, user, 'recoveryCodesChanged');
    return codes;
  });
}
