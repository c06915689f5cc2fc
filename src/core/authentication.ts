import type { UserRecord } from '../database/ports.ts';

/** Whom a service has recognised. */
export interface Authentication {
  user: UserRecord;
  /**
   * Whether the proof still holds. Asked once the session exists: a password that was reset meanwhile must not leave
   * a session behind that the reset did not see.
   */
  stillHolds?: (() => Promise<boolean>) | undefined;
}
