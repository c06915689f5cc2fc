import type { Attempt, Authentication } from '../../core/authentication.ts';
import type { Connection } from '../../core/connection.ts';
import { countMailedWays } from '../../core/mailed-entry.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { magicLinkMails } from './mail.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';
import { magicLinkOperations } from './resolvers.ts';

/** Accounts that are entered by a mailed link. */
export class MagicLinkService implements AccountsService {
  /** Clients of accounts-js use either name. */
  readonly aliases = ['magicLink', 'magic-link'];
  readonly operations: ServiceOperations;
  readonly #context: ServiceContext;
  readonly #run: Runner<typeof import('./actions.ts')>;
  readonly #options: ResolvedMagicLinkOptions;

  constructor(context: ServiceContext, options: ResolvedMagicLinkOptions) {
    this.#context = context;
    this.#run = runnerOf(context.report, import('./actions.ts'));
    this.#options = options;
    context.mailer.define(magicLinkMails);
    this.operations = magicLinkOperations(this, context.limits, options);
  }

  /** Mails a link. Throws USER_NOT_FOUND unless errors are ambiguous or links sign up. */
  requestMagicLinkEmail(email: string): Promise<void> {
    return this.#run(({ requestMagicLinkEmail }) =>
      requestMagicLinkEmail(this.#context, this.#options, email),
    );
  }

  /** Recognises a user by `{ token }`, and uses the link up. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    connection: Connection,
    _attempt: Attempt,
  ): Promise<Authentication> {
    return this.#run(({ authenticate }) => authenticate(this.#context, this.#options, params, connection));
  }

  countWays(user: UserRecord): number {
    return countMailedWays(user);
  }
}
