import type { Json, UserRecord } from '../database/ports.ts';
import { copyOf } from './copy.ts';

/** A user as applications see one. Applications keep data of their own in `profile` or in their own tables, by `id`. */
export interface User {
  id: string;
  username: string | null;
  emails: { address: string; verified: boolean }[];
  deactivated: boolean;
  profile: { [key: string]: Json };
  createdAt: Date;
  updatedAt: Date;
}

/** The id where there is no user: nobody has it, and to look it up costs what any other id costs (S8). */
export const NOBODY = 'nobody';

export function toUser(record: UserRecord): User {
  return {
    id: record.id,
    username: record.username,
    emails: record.emails.map(({ address, verified }) => ({ address, verified })),
    deactivated: record.deactivated,
    // A copy: look-ups are shared, and what one request writes into its user is not for another.
    profile: copyOf(record.profile),
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
  };
}
