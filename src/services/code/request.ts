import { parseEmail } from '../../core/canonical.ts';
import { findEntrant } from '../../core/mailed-entry.ts';
import type { ServiceContext } from '../../core/service.ts';
import { AccountsError } from '../../errors.ts';
import type { LoginCodes } from './codes.ts';

/** Mails a code to an address by which somebody may enter. */
export async function requestLoginCode(
  context: ServiceContext,
  codes: LoginCodes,
  input: unknown,
): Promise<void> {
  const { canonical } = parseEmail(input);
  await context.discretion.mail(canonical, async () => {
    const entrant = await findEntrant(context, canonical);
    if (!entrant) throw new AccountsError('USER_NOT_FOUND');
    const { user, email, generation } = entrant;
    const code = await codes.create({ userId: user.id, canonical }, generation);
    context.mailer.send({ template: 'loginCode', to: email.address, user, code });
  });
}
