import { randomBytes } from 'node:crypto';
import { mainEmail } from '../../core/addresses.ts';
import { parseString } from '../../core/input.ts';
import { FACTOR_SERVICE } from '../../core/second-factors.ts';
import { MULTIPLE_FACTORS } from '../../core/sessions.ts';
import { AccountsError } from '../../errors.ts';
import { change, endOthers, type FactorChange, type FactorChanger } from './change.ts';
import { enrolmentData, findEnrolment } from './enrolment.ts';
import { notifyOwner, type TwoFactorParts } from './parts.ts';
import { addPending, type ProvedSecret, provePending } from './pending.ts';
import { removeRecoveryCodes } from './recovery-codes.ts';

const MAX_LENGTH = 64;

/** A secret that waits for its proof. Throws TWO_FACTOR_ALREADY_SET. */
export async function createSecret(
  parts: TwoFactorParts,
  userId: string,
): Promise<{ secret: string; account: string }> {
  const user = await parts.users.requireActive(userId);
  if (await findEnrolment(parts, user.id)) throw new AccountsError('TWO_FACTOR_ALREADY_SET');
  const account = mainEmail(user)?.address ?? user.username ?? user.id;
  return { secret: await addPending(parts, user.id), account };
}

/** Turns the second factor on, by a code of a secret that waits (S32). */
export async function setFactor(
  parts: TwoFactorParts,
  userId: string,
  code: unknown,
  by: FactorChanger,
): Promise<void> {
  await change(parts, 'TwoFactorSetError', userId, by, async (made) => {
    const { user } = made;
    if (await findEnrolment(parts, user.id)) throw new AccountsError('TWO_FACTOR_ALREADY_SET');
    await made.spendGuess(`pending ${user.id}`);
    const proved = await provePending(parts, user.id, parseString(code, 'INVALID_CODE', MAX_LENGTH));
    await enrol(made, proved);
    parts.events.emit('TwoFactorSetSuccess', { user: parts.toUser(user), connection: by.connection });
    notifyOwner(parts, user, 'twoFactorEnabled');
  });
}

/**
 * The steps are ordered so that a process that is killed between any two leaves no session beside a second factor that
 * the session did not see. Whoever takes the pending secrets away is the one of 16 who may do the rest.
 */
async function enrol(made: FactorChange, { record, secret, step }: ProvedSecret): Promise<void> {
  const { parts, user, by } = made;
  const { users, sessions, background } = parts;
  if (!(await users.removeIdentity(record))) throw new AccountsError('TWO_FACTOR_ALREADY_SET');
  await endOthers(made);
  // What was made for an earlier one counts no more in any case.
  await removeRecoveryCodes(parts, user.id);
  const id = randomBytes(16).toString('base64url');
  const data = enrolmentData(parts, user.id, { id, secret, step });
  if (!(await users.insertIdentity(FACTOR_SERVICE, user.id, user.id, data))) {
    throw new AccountsError('TWO_FACTOR_ALREADY_SET');
  }
  // For those that were begun in between. A login under way finds out by itself once its session is made.
  await background.insist(`sessions ${user.id}`, () => endOthers(made));
  const sessionProves = async (): Promise<void> => {
    await by.stillThere();
    if (by.session) await sessions.addFactor(by.session.id, ['otp', MULTIPLE_FACTORS]);
  };
  await background.keepIf(sessionProves, `factor ${user.id}`, () => dropEnrolment(parts, user.id, id));
}

async function dropEnrolment(parts: TwoFactorParts, userId: string, id: string): Promise<void> {
  const enrolment = await findEnrolment(parts, userId);
  if (enrolment?.id === id) await parts.users.removeIdentity(enrolment.record);
}
