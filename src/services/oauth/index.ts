import type { ServiceFactory } from '../../core/service.ts';
import { needPackage } from '../../need-package.ts';
import { type OAuthOptions, resolveOAuthOptions } from './options.ts';
import { OAuthService } from './service.ts';

export type { ProviderTokens } from './account.ts';
export type { OAuthFlow, OAuthStarted, OAuthStartOptions } from './flow.ts';
export type { OAuthOptions, OAuthProviderOptions, TokenEndpointAuthMethod } from './options.ts';
export type { OAuthPreset } from './presets.ts';
export type { Claims, MapProfile, OAuthProfile } from './profile.ts';
export type { LinkedAccount, OAuthOwner, OAuthService } from './service.ts';

export type OAuthServiceFactory = ServiceFactory<OAuthService>;

/**
 * Login by OpenID providers and by those of OAuth 2.0: authorization code with PKCE, state and nonce (RFC 9700, OpenID
 * Connect Core 1.0). Needs the package `openid-client`.
 *
 * ```ts
 * new AccountsServer(
 *   { db, tokenSecret: process.env.TOKEN_SECRET, siteUrl: 'https://shop.example' },
 *   {
 *     oauth: oauth({
 *       providers: {
 *         google: { clientId: 'the id from Google', clientSecret: 'the secret from Google' },
 *         work: { issuer: 'https://login.shop.example', clientId: 'shop', clientSecret: 'another secret' },
 *       },
 *     }),
 *   },
 * );
 * ```
 *
 * Throws a TypeError for an unknown or unsafe option. No provider is asked for anything before somebody logs in by it.
 */
export function oauth(options: OAuthOptions): OAuthServiceFactory {
  const resolved = resolveOAuthOptions(options);
  if (resolved.providers.size > 0) needPackage('openid-client', 'oauth()');
  return { create: (context) => new OAuthService(context, resolved) };
}
