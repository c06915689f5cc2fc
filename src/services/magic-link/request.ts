import { type CanonicalEmail, parseEmail } from '../../core/canonical.ts';
import { ENTRY_PURPOSES, type Entrant, entrantOf } from '../../core/mailed-entry.ts';
import type { ServiceContext } from '../../core/service.ts';
import { NOBODY } from '../../core/user.ts';
import type { UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import { LINK_PATH } from './mail.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';

const PURPOSE = ENTRY_PURPOSES.magicLink;

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
