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
  /** Whether `params.code` was the proof itself: then it is no code of a second factor, and is not tried as one. */
  codeIsProof?: boolean | undefined;
  /**
   * Whether the proof still holds. Asked once the session exists: a password that was reset meanwhile must not leave
   * a session behind that the reset did not see.
   */
  stillHolds?: (() => Promise<boolean>) | undefined;
}

/** What the request of a caller brought beside the parameters. */
export interface Asker {
  /** The value of a cookie; null without one, and where no browser asks. */
  cookie(name: string): string | null;
  /** The `Origin` of the page that asks (RFC 6454, 7); null where no browser says one. */
  readonly origin: string | null;
  /** Whether a client asks, and not the application itself. */
  readonly remote: boolean;
}

/** The application itself, or who brought nothing. */
export const NO_ASKER: Asker = { cookie: () => null, origin: null, remote: false };

/** One attempt to prove an identity. */
export interface Attempt {
  /** Whoever verifies a secret that can be guessed spends a guess at its account before. */
  readonly guesses: Guesses;
  /** The session whose owner proves it once more; null where a new session is to begin. */
  readonly current: LiveSession | null;
  /** Who asks, for what is bound to one browser. */
  readonly asker: Asker;
}
