import type { Attempt, Authentication } from '../../core/authentication.ts';
import { parseEmail } from '../../core/canonical.ts';
import { parseObject, parseString } from '../../core/input.ts';
import { enter, entrantOf } from '../../core/mailed-entry.ts';
import type { ServiceContext } from '../../core/service.ts';
import { NOBODY } from '../../core/user.ts';
import { AccountsError } from '../../errors.ts';
import type { LoginCodes } from './codes.ts';

/** Of RFC 8176 none fits: `otp` is a code that no mail carries. */
const AMR = ['code'];
const SIX_DIGITS = /^[0-9]{6}$/;

/**
 * Recognises a user by a mailed code. Unknown address, wrong code, a code that was used, has expired or was tried too
 * often: one refusal, after the same work (S7, S8).
 */
export async function authenticate(
  context: ServiceContext,
  codes: LoginCodes,
  params: Readonly<Record<string, unknown>>,
  { guesses }: Attempt,
): Promise<Authentication> {
  const email = parseReference(params.user);
  const { canonical } = parseEmail(email);
  const code = parseCode(params.code);
  const holder = await context.names.findHolder('email', canonical);
  await guesses.spend(
    holder ? { userId: holder.id } : { unknown: context.users.nameOf({ email: canonical }) },
  );
  const entrant = await entrantOf(context, holder, canonical);
  const generation = await codes.consume({ userId: entrant?.user.id ?? NOBODY, canonical }, code);
  if (!entrant || entrant.generation !== generation) throw new AccountsError('INVALID_CODE');
  return { ...(await enter(context, entrant, AMR)), codeIsProof: true };
}

/** `user` is an address, or an object with `email`; clients send what they do not use as null. */
function parseReference(input: unknown): string {
  if (typeof input === 'string') return parseString(input);
  const { email, id, username, ...unknown } = parseObject(input);
  const others = [id, username].filter((name) => name !== undefined && name !== null);
  if (others.length > 0 || Object.keys(unknown).length > 0) {
    throw new AccountsError('BAD_USER_INPUT', 'A mailed code logs in by the e-mail address.');
  }
  return parseString(email);
}

/** As people copy it, with spaces. What can be no code is refused whoever the user is. */
function parseCode(input: unknown): string {
  const code = parseString(input, 'INVALID_CODE', 64).replace(/\s/g, '');
  if (!SIX_DIGITS.test(code)) throw new AccountsError('INVALID_CODE');
  return code;
}
