import type { Connection } from '../../core/connection.ts';
import type { Refusal } from '../../core/events.ts';
import type { Guesses } from '../../core/limits/guesses.ts';
import { rateLimited } from '../../core/limits/limiter.ts';
import { refuseImpersonated, type SessionInfo } from '../../core/sessions.ts';
import { MINUTE } from '../../core/time.ts';
import type { UserRecord } from '../../database/ports.ts';
import type { TwoFactorParts } from './parts.ts';

/** Who changes a second factor. */
export interface FactorChanger {
  /** The session that stays; the others end. Null: none stays. */
  session: Pick<SessionInfo, 'id' | 'actorUserId'> | null;
  connection: Connection;
  /**
   * Rejects when the session that asks has ended. It is asked again once the change is made, which is undone then: a
   * thief who is logged out meanwhile must not leave a second factor behind, or take one away.
   */
  stillThere: () => Promise<unknown>;
}

/** One change of a user's second factor. */
export interface FactorChange {
  parts: TwoFactorParts;
  user: UserRecord;
  by: FactorChanger;
  /** To be called before a code is verified. `secret` names whose code it is. Throws RATE_LIMITED. */
  spendGuess(secret: string): Promise<void>;
}

/** As many as the account has; they count also where rates are not limited, since six digits are soon guessed. */
const TRIES = 9;
const TRIES_LIFE = 15 * MINUTE;

type FailureEvent = 'TwoFactorSetError' | 'TwoFactorUnsetError' | 'GenerateRecoveryCodesError';

/** Checks who asks, counts guesses as a login does (S11), and tells of the failure. */
export function change<T>(
  parts: TwoFactorParts,
  failure: FailureEvent,
  userId: string,
  by: FactorChanger,
  work: (change: FactorChange) => Promise<T>,
): Promise<T> {
  const { session, connection } = by;
  const guesses = parts.limits.guessesIn(session, connection);
  const checked = async (): Promise<T> => {
    if (session) refuseImpersonated(session);
    const user = await parts.users.requireActive(userId);
    return work({
      parts,
      user,
      by,
      spendGuess: (secret) => spend(parts, guesses, `${secret} ${session?.id}`, userId),
    });
  };
  // Not `completed`: a code alone is no login, and does not reset what was guessed before (S10).
  return parts.events.observe(
    () => guesses.during(checked, { completed: false }),
    (error: Refusal) => parts.events.emit(failure, { userId, error, connection }),
  );
}

async function spend(parts: TwoFactorParts, guesses: Guesses, secret: string, userId: string): Promise<void> {
  await guesses.spend({ userId });
  if (!(await parts.limits.try(`second factor ${secret}`, TRIES, TRIES_LIFE))) throw rateLimited(TRIES_LIFE);
}

/** Ends what was begun before the second factor changed (S19): the other sessions, and logins that are half done. */
export async function endOthers({ parts, user, by }: FactorChange): Promise<void> {
  await parts.sessions.revokeAll(user.id, by.session ? [by.session.id] : []);
  await parts.secondFactors.voidChallenges(user.id);
}
