import type { ServiceContext } from '../../core/service.ts';
import type { IdentityRecord, UserRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ResolvedOAuthOptions, ResolvedProvider } from './options.ts';
import type { Provider } from './provider.ts';

/** What the operations of the service share. */
export interface OAuthParts extends ServiceContext {
  options: ResolvedOAuthOptions;
  providers: ReadonlyMap<string, ResolvedProvider>;
  /** Throws PROVIDER_NOT_FOUND. */
  requireProvider(name: unknown): Promise<Provider>;
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
  const { providers } = options;
  const loading = openProviders(options, context.report);
  // Told to each who needs it.
  loading.catch(() => {});
  return {
    ...context,
    options,
    providers,
    async requireProvider(name) {
      const provider = typeof name === 'string' ? (await loading).get(name) : undefined;
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

async function openProviders(
  { providers, timeout }: ResolvedOAuthOptions,
  report: ServiceContext['report'],
): Promise<ReadonlyMap<string, Provider>> {
  const { Provider } = await import('./provider.ts');
  const entries = [...providers].map(
    ([name, settings]) => [name, new Provider(settings, timeout, report)] as const,
  );
  return new Map(entries);
}
