import type { Attempt, Authentication } from '../../core/authentication.ts';
import { type Connection, parseConnection } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { FactorVerifier } from '../../core/second-factors.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { TwoFactorSecretKey } from '../../generated/types.ts';
import type { FactorChanger } from './change.ts';
import { twoFactorMails } from './mail.ts';
import type { ResolvedTwoFactorOptions } from './options.ts';
import { createParts, type TwoFactorParts } from './parts.ts';
import { twoFactorOperations } from './resolvers.ts';

/** Who changes a second factor; everything may be missing. Without `session`, every session of the user ends. */
export type FactorChangerInput = {
  session?: FactorChanger['session'] | undefined;
  connection?: unknown;
  stillThere?: FactorChanger['stillThere'] | undefined;
};

/**
 * The second factor of a user: an authenticator and recovery codes. The methods that take a user's id trust the caller
 * to have checked who is asking, and that the proof is a recent one.
 */
export class TwoFactorService implements AccountsService {
  readonly operations: ServiceOperations;
  /** What the pipeline of every login asks. */
  readonly factor: FactorVerifier;
  readonly #parts: TwoFactorParts;
  readonly #run: Runner<typeof import('./actions.ts')>;

  constructor(context: ServiceContext, options: ResolvedTwoFactorOptions) {
    this.#parts = createParts(context, options);
    context.mailer.define(twoFactorMails);
    this.#run = runnerOf(context.report, import('./actions.ts'));
    this.factor = {
      verify: (user, code) => this.#run(({ verifyCode }) => verifyCode(this.#parts, user, code)),
      // Whoever has proved one factor learns from it neither whether there are recovery codes nor whether some are left.
      factors: ['totp', 'recovery'],
    };
    this.operations = twoFactorOperations(this);
  }

  /** The second step of a login, by `{ token: challenge, code }`. `loginWithService` calls it and does the rest. */
  authenticate(
    { token, code }: Readonly<Record<string, unknown>>,
    _connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication> {
    return this.#run(() => this.#parts.secondFactors.redeem(token, code, attempt));
  }

  /** Whether a login of the user asks for a second factor. */
  isEnabled(userId: string): Promise<boolean> {
    return this.#run(
      async ({ findEnrolment }) => (await findEnrolment(this.#parts, parseString(userId))) !== null,
    );
  }

  /** A secret that `set` can prove within 15 minutes. Throws TWO_FACTOR_ALREADY_SET. */
  createSecret(userId: string): Promise<Required<TwoFactorSecretKey>> {
    return this.#run(async ({ createSecret, toSecretKey }) => {
      const { secret, account } = await createSecret(this.#parts, parseString(userId));
      return toSecretKey(secret, { appName: this.#parts.appName, account });
    });
  }

  /** Turns it on by a code of such a secret. Throws INVALID_CODE, TWO_FACTOR_ALREADY_SET and RATE_LIMITED. */
  set(userId: string, code: string, by?: FactorChangerInput | null): Promise<void> {
    return this.#run(({ setFactor }) => setFactor(this.#parts, parseString(userId), code, changer(by)));
  }

  /** Turns it off by a code, which may be a recovery code. Throws INVALID_CODE, TWO_FACTOR_NOT_SET and RATE_LIMITED. */
  unset(userId: string, code: string, by?: FactorChangerInput | null): Promise<void> {
    return this.#run(({ unsetFactor }) => unsetFactor(this.#parts, parseString(userId), code, changer(by)));
  }

  /** Turns it off without a code: for administrators. Throws TWO_FACTOR_NOT_SET. */
  remove(userId: string, by?: FactorChangerInput | null): Promise<void> {
    return this.#run(({ removeFactor }) => removeFactor(this.#parts, parseString(userId), changer(by)));
  }

  /** Ten new codes; those that there were are void. Throws TWO_FACTOR_NOT_SET. */
  generateRecoveryCodes(userId: string, by?: FactorChangerInput | null): Promise<string[]> {
    return this.#run(({ generateRecoveryCodes }) =>
      generateRecoveryCodes(this.#parts, parseString(userId), changer(by)),
    );
  }
}

function changer(by: FactorChangerInput | null | undefined): FactorChanger {
  const { session = null, connection, stillThere = async () => {} } = by ?? {};
  return { session, connection: parseConnection(connection), stillThere };
}
