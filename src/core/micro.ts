import type { AccountsDatabase } from '../database/ports.ts';
import { AccountsError } from '../errors.ts';

/** What stands in for a database in micro mode: everything that would need one is refused. */
export const NO_DATABASE: AccountsDatabase = {
  ...{
    users: refuser(['create', 'findMany', 'update']),
    identities: refuser(['find', 'insert', 'update', 'remove']),
  },
  sessions: refuser(['create', 'findMany', 'update', 'revoke', 'revokeAll', 'findByUser', 'removeExpired']),
  oneTimeTokens: refuser(['put', 'find', 'consume', 'removeByUser', 'removeExpired']),
  invalidateAllSessions: refuse,
  // There is nothing that could be down.
  ping: async () => undefined,
};

function refuser<T>(methods: readonly (keyof T & string)[]): T {
  return Object.fromEntries(methods.map((method) => [method, refuse])) as T;
}

async function refuse(): Promise<never> {
  // Not SERVICE_UNAVAILABLE: trying again does not help.
  throw new AccountsError('FORBIDDEN', 'This server only verifies tokens (micro) and has no database.');
}
