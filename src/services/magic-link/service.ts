import type { Attempt, Authentication } from '../../core/authentication.ts';
import { done } from '../../core/caller.ts';
import type { Connection } from '../../core/connection.ts';
import { masked } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import { MAGIC_LINK_SDL } from '../../generated/sdl.ts';
import type { MutationRequestMagicLinkEmailArgs } from '../../generated/types.ts';
import { authenticate, requestMagicLinkEmail } from './links.ts';
import { magicLinkMails } from './mail.ts';
import type { ResolvedMagicLinkOptions } from './options.ts';

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
    const { limits } = context;
    this.operations = {
      typeDefs: MAGIC_LINK_SDL,
      Mutation: {
        requestMagicLinkEmail: async ({ email }: MutationRequestMagicLinkEmailArgs, { connection }) => {
          await limits.mailFrom(connection.ip);
          // Of every request, known address or not: each may become a new user.
          if (options.signUp) await limits.signUp(connection.ip);
          return done(this.requestMagicLinkEmail(email));
        },
      },
    };
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

  /** A proved address. */
  countWays({ emails }: UserRecord): number {
    return emails.some(({ verified }) => verified) ? 1 : 0;
  }

  #masked<T>(work: () => Promise<T>): Promise<T> {
    return masked(this.#context.report, work);
  }
}
