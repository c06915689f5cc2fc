import type { Attempt, Authentication } from '../../core/authentication.ts';
import type { Connection } from '../../core/connection.ts';
import { countMailedWays } from '../../core/mailed-entry.ts';
import { masked } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { authenticate } from './authentication.ts';
import { LoginCodes } from './codes.ts';
import { codeMails } from './mail.ts';
import type { ResolvedCodeOptions } from './options.ts';
import { requestLoginCode } from './request.ts';
import { codeOperations } from './resolvers.ts';

/** Accounts that are entered by a mailed code. */
export class CodeService implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #context: ServiceContext;
  readonly #codes: LoginCodes;

  constructor(context: ServiceContext, options: ResolvedCodeOptions) {
    this.#context = context;
    this.#codes = new LoginCodes(context, options);
    context.mailer.define(codeMails);
    this.operations = codeOperations(this, context.limits);
  }

  /** Mails a code. Throws USER_NOT_FOUND unless errors are ambiguous. */
  requestLoginCode(email: string): Promise<void> {
    return this.#masked(() => requestLoginCode(this.#context, this.#codes, email));
  }

  /** Recognises a user by `{ user: { email }, code }`. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    _connection: Connection,
    attempt: Attempt,
  ): Promise<Authentication> {
    return this.#masked(() => authenticate(this.#context, this.#codes, params, attempt));
  }

  countWays(user: UserRecord): number {
    return countMailedWays(user);
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#context.report, work);
  }
}
