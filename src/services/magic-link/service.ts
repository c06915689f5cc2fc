import type { Attempt, Authentication } from '../../core/authentication.ts';
import type { Connection } from '../../core/connection.ts';
import { countMailedWays } from '../../core/mailed-entry.ts';
import { masked } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { authenticate } from './authentication.ts';
import { magicLinkMails } from './mail.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';
import { requestMagicLinkEmail } from './request.ts';
import { magicLinkOperations } from './resolvers.ts';

/** Accounts that are entered by a mailed link. */
export class MagicLinkService implements AccountsService {
  /** Clients of accounts-js use either name. */
  readonly aliases = ['magicLink', 'magic-link'];
  readonly operations: ServiceOperations;
  readonly #context: ServiceContext;
  readonly #options: ResolvedMagicLinkOptions;

  constructor(context: ServiceContext, options: ResolvedMagicLinkOptions) {
    this.#context = context;
    this.#options = options;
    context.mailer.define(magicLinkMails);
    this.operations = magicLinkOperations(this, context.limits, options);
  }

  /** Mails a link. Throws USER_NOT_FOUND unless errors are ambiguous or links sign up. */
  requestMagicLinkEmail(email: string): Promise<void> {
    return this.#masked(() => requestMagicLinkEmail(this.#context, this.#options, email));
  }

  /** Recognises a user by `{ token }`, and uses the link up. `loginWithService` calls it and does the rest of a login. */
  authenticate(
    params: Readonly<Record<string, unknown>>,
    connection: Connection,
    _attempt: Attempt,
  ): Promise<Authentication> {
    return this.#masked(() => authenticate(this.#context, this.#options, params, connection));
  }

  countWays(user: UserRecord): number {
    return countMailedWays(user);
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#context.report, work);
  }
}
