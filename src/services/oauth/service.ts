import type { Attempt, Authentication } from '../../core/authentication.ts';
import { type Connection, printableOrNull } from '../../core/connection.ts';
import { parseString } from '../../core/input.ts';
import { type Runner, runnerOf } from '../../core/report.ts';
import type { AccountsService, ServiceContext, ServiceOperations } from '../../core/service.ts';
import type { LiveSession } from '../../core/sessions.ts';
import type { User } from '../../core/user.ts';
import type { UserRecord } from '../../database/ports.ts';
import type { ProviderTokens } from './account.ts';
import type { OAuthFlow, OAuthStarted, OAuthStartOptions } from './flow.ts';
import { oauthMails } from './mail.ts';
import type { ResolvedOAuthOptions } from './options.ts';
import { createParts, type OAuthParts, providerOf, serviceOf } from './parts.ts';
import { labelOf } from './profile.ts';
import { oauthOperations } from './resolvers.ts';

export interface LinkedAccount {
  provider: string;
  /** What the provider calls the user. */
  subject: string;
  label: string;
}

/** Who links or unlinks, and how to ask whether that session is still there. */
export interface OAuthOwner {
  live: LiveSession;
  asker: Attempt['asker'];
  connection: Connection;
  /** Rejects when the session has ended. */
  stillThere(): Promise<unknown>;
}

/**
 * Logins by accounts of other providers. Every method checks what it is given and throws an `AccountsError`; those that
 * take a user or a session trust the caller to have checked who is asking.
 */
export class OAuthService implements AccountsService {
  readonly operations: ServiceOperations;
  readonly #parts: OAuthParts;
  readonly #run: Runner<typeof import('./actions.ts')>;

  constructor(context: ServiceContext, options: ResolvedOAuthOptions) {
    this.#parts = createParts(context, options);
    this.#run = runnerOf(context.report, import('./actions.ts'));
    // Without a key nothing could be begun: that is told at the start.
    if (options.providers.size > 0) context.secretBox();
    context.mailer.define(oauthMails);
    this.operations = oauthOperations(this);
  }

  /**
   * Recognises a user by `{ provider, code, state }`; with `iss`, the callback's, that is checked too.
   * `loginWithService` calls it and does the rest of a login.
   */
  authenticate(
    { provider, code, state, iss }: Readonly<Record<string, unknown>>,
    connection: Connection,
    { asker, current }: Attempt,
  ): Promise<Authentication> {
    return this.#run(async ({ finish, recognise, recogniseAgain }) => {
      const finisher = { asker, session: current?.session };
      const proved = await finish(this.#parts, { provider, code, state, iss }, finisher);
      const found = current
        ? await recogniseAgain(this.#parts, proved, current.user.id)
        : await recognise(this.#parts, proved, { connection, asker });
      return { ...found, amr: ['oauth'], codeIsProof: true };
    });
  }

  /** The linked accounts whose providers are there. */
  async countWays({ id }: Pick<UserRecord, 'id'>): Promise<number> {
    const linked = await this.#parts.linkedOf(id);
    return linked.filter((identity) => this.#parts.providers.has(providerOf(identity))).length;
  }

  /** By which one can log in. */
  listProviders(): { name: string; label: string }[] {
    return [...this.#parts.providers.values()].map(({ name, label }) => ({ name, label }));
  }

  /** Begins a login. Throws PROVIDER_NOT_FOUND, INVALID_REDIRECT_URI and PROVIDER_UNAVAILABLE. */
  start(provider: string, options: OAuthStartOptions = {}): Promise<OAuthStarted> {
    return this.#run(({ begin }) => begin(this.#parts, provider, options));
  }

  /** What was begun under a state, for a page that finishes it. Uses nothing up. Throws INVALID_TOKEN. */
  describe(state: string): Promise<OAuthFlow> {
    return this.#run(({ describe }) => describe(this.#parts, state));
  }

  /** Links an account of a provider. Throws ACCOUNT_EXISTS when it is another user's. */
  link(answer: { provider: string; code: string; state: string }, owner: OAuthOwner): Promise<void> {
    const { user, session } = owner.live;
    const { provider, code, state } = answer;
    const work = () =>
      this.#run(async ({ finish, linkTo }) => {
        const proved = await finish(this.#parts, { provider, code, state }, { asker: owner.asker, session });
        await linkTo(this.#parts, user, proved, owner);
      });
    return this.#parts.events.observe(work, (error) =>
      this.#parts.events.emit('LinkOAuthError', { ...told(owner, provider), error }),
    );
  }

  /** Takes a linked account off. Throws LINKED_ACCOUNT_NOT_FOUND and LAST_WAY_IN. */
  unlink(account: { provider: string; subject: string }, owner: Omit<OAuthOwner, 'asker'>): Promise<void> {
    const { user } = owner.live;
    const { provider, subject } = account;
    const work = () =>
      this.#run(({ unlink }) =>
        unlink(this.#parts, user, { provider: parseString(provider), subject: parseString(subject) }, owner),
      );
    return this.#parts.events.observe(work, (error) =>
      this.#parts.events.emit('UnlinkOAuthError', { ...told(owner, provider), error }),
    );
  }

  linkedAccounts(user: Pick<User, 'id'>): Promise<LinkedAccount[]> {
    return this.#run(async () => {
      const linked = await this.#parts.linkedOf(parseString(user.id));
      return linked.map((identity) => ({
        provider: providerOf(identity),
        subject: identity.subject,
        label: labelOf(identity.data, identity.subject),
      }));
    });
  }

  /**
   * The tokens that a provider gave at the user's last login by it; null without `keepTokens`, and for those whose key
   * is gone. They act in the user's name: hand them to nobody.
   */
  tokensOf(userId: string, provider: string): Promise<ProviderTokens | null> {
    return this.#run(async () => {
      const service = serviceOf(parseString(provider));
      const linked = await this.#parts.linkedOf(parseString(userId));
      const identity = linked.find((candidate) => candidate.service === service);
      if (typeof identity?.data.tokens !== 'string') return null;
      const text = this.#parts.secretBox().open(identity.data.tokens, { service, subject: identity.subject });
      return text === null ? null : (JSON.parse(text) as ProviderTokens);
    });
  }
}

function told({ live, connection }: Omit<OAuthOwner, 'asker'>, provider: unknown) {
  return { userId: live.user.id, provider: printableOrNull(provider, 64), connection };
}
