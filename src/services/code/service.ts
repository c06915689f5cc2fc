import type { Attempt, Authentication } from '../../core/authentication.ts';
import type { Connection } from '../../core/connection.ts';
import { countMailedWays } from '../../core/mailed-entry.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { LoginCodes } from './codes.ts';
import { codeMails } from './mail.ts';
import type { ResolvedCodeOptions } from './options.ts';
import { codeOperations } from './resolvers.ts';

/** Accounts that are entered by a mailed code. */
export class CodeService implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #context: ServiceContext;
  readonly #run: Runner<typeof import('./actions.ts')>;
  readonly #codes: LoginCodes;

  constructor(context: ServiceContext, options: ResolvedCodeOptions) {
    this.#context = context;
    this.#run = runnerOf(context.report, import('./actions.ts'));
    this.#codes = new LoginCodes(context, options);
    context.mailer.define(codeMails);
    this.operations = codeOperations(this, context.limits);
  }

  /** Mails a code. Throws USER_NOT_FOUND unless errors are ambiguous. */
  requestLoginCode(email: string): Promise<void> {
    return this.#run(({ requestLoginCode }) => requestLoginCode(this.#context, this.#codes, email));
  }

  /** Recognises a user by `{ user: { email }, code }`. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    _connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication> {
    return this.#run(({ authenticate }) => authenticate(this.#context, this.#codes, params, attempt));
  }

  countWays(user: UserRecord): number {
    return countMailedWays(user);
  }
}
