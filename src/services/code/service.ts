import type { Attempt, Authentication } from '../../core/authentication.ts';
import { done } from '../../core/caller.ts';
import type { Connection } from '../../core/connection.ts';
import { masked } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { CODE_SDL } from '../../generated/sdl.ts';
import type { MutationRequestLoginCodeArgs } from '../../generated/types.ts';
import { authenticate } from './authentication.ts';
import { LoginCodes } from './codes.ts';
import { codeMails } from './mail.ts';
import type { ResolvedCodeOptions } from './options.ts';
import { requestLoginCode } from './request.ts';

/** Accounts that are entered by a mailed code. */
export class CodeService implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #context: ServiceContext;
  readonly #codes: LoginCodes;

  constructor(context: ServiceContext, options: ResolvedCodeOptions) {
    this.#context = context;
    this.#codes = new LoginCodes(context, options);
    context.mailer.define(codeMails);
    const { limits } = context;
    this.operations = {
      typeDefs: CODE_SDL,
      Mutation: {
        requestLoginCode: async ({ email }: MutationRequestLoginCodeArgs, { connection }) => {
          await limits.mailFrom(connection.ip);
          return done(this.requestLoginCode(email));
        },
      },
    };
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

  /** A proved address. */
  countWays({ emails }: UserRecord): number {
    return emails.some(({ verified }) => verified) ? 1 : 0;
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#context.report, work);
  }
}
