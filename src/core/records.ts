/** The stored records, for services: they know the core, not the database. */
export type {
  EmailAddress,
  IdentityRecord,
  Json,
  OneTimeTokenRecord,
  UserRecord,
} from '../database/ports.ts';
