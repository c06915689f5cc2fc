import type { Authentication } from '../../core/authentication.ts';
import { type CanonicalEmail, parseEmail } from '../../core/canonical.ts';
import type { Connection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import { ENTRY_PURPOSES, type Entrant, enter, entrantOf, findEntrant } from '../../core/mailed-entry.ts';
import type { ServiceContext } from '../../core/service.ts';
import type { OneTimeTokenRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { LINK_PATH } from './mail.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';

const PURPOSE = ENTRY_PURPOSES.magicLink;
const AMR = ['link'];
/** To whom the links of people belong that are no users yet. */
const NOBODY = 'nobody';

/** Mails a link to an address by which somebody may enter, or may sign up. */
export async function requestMagicLinkEmail(
  context: ServiceContext,
  options: ResolvedMagicLinkOptions,
  input: unknown,
): Promise<void> {
  const given = parseEmail(input);
  await context.discretion.mail(given.canonical, async () => {
    const holder = await context.names.findHolder('email', given.canonical);
    const entrant = await entrantOf(context, holder, given.canonical);
    if (entrant) return mailEntry(context, options, entrant);
    // An address that is somebody's, and opens nothing, is not free for another user either.
    const isFree = !holder && options.signUp && options.validateEmail(given.address) === true;
    if (!isFree) throw new AccountsError('USER_NOT_FOUND');
    await mailSignUp(context, options, given);
  });
}

async function mailEntry(
  { oneTimeTokens, mailer }: ServiceContext,
  { expiration: lifetime }: ResolvedMagicLinkOptions,
  { user, email: { address, canonical }, generation }: Entrant,
): Promise<void> {
  const data = { canonical, generation };
  const request = { purpose: PURPOSE, userId: user.id, boundTo: canonical, lifetime, data };
  const token = await oneTimeTokens.create(request);
  mailer.send({ template: 'magicLink', to: address, user, link: { path: LINK_PATH, token } });
}

async function mailSignUp(
  { oneTimeTokens, mailer, now }: ServiceContext,
  { expiration: lifetime }: ResolvedMagicLinkOptions,
  { address, canonical }: CanonicalEmail,
): Promise<void> {
  const data = { canonical, address };
  const token = await oneTimeTokens.create({
    purpose: PURPOSE,
    userId: NOBODY,
    boundTo: canonical,
    lifetime,
    data,
  });
  const user = prospect({ address, canonical }, now());
  mailer.send({ template: 'magicLinkSignUp', to: address, user, link: { path: LINK_PATH, token } });
}

/** Whom the words of a mail are for, while there is no user. */
function prospect({ address, canonical }: CanonicalEmail, now: number): UserRecord {
  return {
    id: NOBODY,
    version: 1,
    username: null,
    emails: [{ address, canonical, verified: false, claimed: false }],
    deactivated: false,
    profile: {},
    createdAt: now,
    updatedAt: now,
  };
}

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
  const token = parseString(params.token, 'INVALID_TOKEN', 512);
  const record = await context.oneTimeTokens.consume(token, PURPOSE);
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
