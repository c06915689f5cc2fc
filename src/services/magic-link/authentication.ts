import type { Authentication } from '../../core/authentication.ts';
import type { CanonicalEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import { ENTRY_PURPOSES, type Entrant, enter, findEntrant } from '../../core/mailed-entry.ts';
import type { ServiceContext } from '../../core/service.ts';
import { NOBODY } from '../../core/user.ts';
import type { OneTimeTokenRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';

const AMR = ['link'];

/**
 * Recognises a user by a link. The link is used up first, so that of many who use it at once one gets in, and it is
 * void whatever becomes of that login.
 */
export async function authenticate(
  context: ServiceContext,
  options: ResolvedMagicLinkOptions,
  params: Readonly<Record<string, unknown>>,
  connection: Connection,
): Promise<Authentication> {
  const record = await context.oneTimeTokens.consume(params.token, ENTRY_PURPOSES.magicLink);
  const { canonical, address } = record.data;
  if (typeof canonical !== 'string') throw new AccountsError('INVALID_TOKEN');
  if (record.userId === NOBODY && typeof address === 'string' && options.signUp) {
    return signUp(context, { address, canonical }, connection);
  }
  return enter(context, await requireEntrant(context, canonical, record), AMR);
}

/** The user of a link, unless the address is another's now, or the password another one (S28, S29). */
async function requireEntrant(
  context: ServiceContext,
  canonical: string,
  { userId, data }: OneTimeTokenRecord,
): Promise<Entrant> {
  const entrant = await findEntrant(context, canonical);
  if (entrant && entrant.user.id === userId && entrant.generation === data.generation) return entrant;
  throw new AccountsError('INVALID_TOKEN');
}

/** The address is proved, so the new user has it verified. Whoever has signed up with it meanwhile logs in. */
async function signUp(
  context: ServiceContext,
  { address, canonical }: CanonicalEmail,
  connection: Connection,
): Promise<Authentication> {
  const { users, events, toUser } = context;
  const emails = [{ address, canonical, verified: true, claimed: true }];
  const created = await users.create({ username: null, emails, profile: {}, credentials: {} });
  if (!('taken' in created)) events.emit('CreateUserSuccess', { user: toUser(created), connection });
  const entrant = await findEntrant(context, canonical);
  if (!entrant) throw new AccountsError('INVALID_TOKEN');
  return enter(context, entrant, AMR);
}
