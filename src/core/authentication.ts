import type { UserRecord } from '../database/ports.ts';
import type { Guesses } from './limits/guesses.ts';
import type { LiveSession } from './sessions.ts';

/** Whom a service has recognised. */
export interface Authentication {
  user: UserRecord;
  /** By what, in the names of RFC 8176 where it has one: `pwd`, `otp`, `hwk`, `user` … */
  amr?: readonly string[] | undefined;
  /**
   * Whether two factors were proved already. A service that does not say so has its users asked for the second one,
   * whatever it does.
   */
  secondFactor?: boolean | undefined;
  /**
   * Whether the proof still holds. Asked once the session exists: a password that was reset meanwhile must not leave
   * a session behind that the reset did not see.
   */
  stillHolds?: (() => Promise<boolean>) | undefined;
}

/** One attempt to prove an identity. */
export interface Attempt {
  /** Whoever verifies a secret that can be guessed spends a guess at its account before. */
  readonly guesses: Guesses;
  /** The session whose owner proves it once more; null where a new session is to begin. */
  readonly current: LiveSession | null;
}
