import type { ServiceContext } from '../../core/service.ts';
import type { IdentityRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ResolvedOAuthOptions } from './options.ts';
import { Provider } from './provider.ts';

/** What the operations of the service share. */
export interface OAuthParts extends ServiceContext {
  options: ResolvedOAuthOptions;
  providers: ReadonlyMap<string, Provider>;
  /** Throws PROVIDER_NOT_FOUND. */
  requireProvider(name: unknown): Provider;
  linkedOf(userId: string): Promise<IdentityRecord[]>;
  /** Tells the owner, where an address is proved to be the owner's. */
  notify(template: 'accountLinked' | 'accountUnlinked', user: UserRecord): void;
}

const PREFIX = 'oauth:';

/** The service of the identities of a provider's users. */
export function serviceOf(provider: string): string {
  return `${PREFIX}${provider}`;
}

/** The service of the identities that say what a user has taken off. */
export function removalOf(provider: string): string {
  return `oauth-removed:${provider}`;
}

export function providerOf({ service }: Pick<IdentityRecord, 'service'>): string {
  return service.slice(PREFIX.length);
}

export function createParts(context: ServiceContext, options: ResolvedOAuthOptions): OAuthParts {
  const entries = [...options.providers].map(
    ([name, settings]) => [name, new Provider(settings, options.timeout, context.report)] as const,
  );
  const providers = new Map(entries);
  return {
    ...context,
    options,
    providers,
    requireProvider(name) {
      const provider = typeof name === 'string' ? providers.get(name) : undefined;
      if (!provider) throw new AccountsError('PROVIDER_NOT_FOUND');
      return provider;
    },
    async linkedOf(userId) {
      const identities = await context.users.findIdentities(userId);
      return identities.filter(({ service }) => service.startsWith(PREFIX));
    },
    notify(template, user) {
      const email = user.emails.find(({ verified }) => verified);
      if (email) context.mailer.send({ template, to: email.address, user });
    },
  };
}
