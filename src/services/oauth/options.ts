import { refuseUnknown } from '../../core/known-options.ts';
import { duration, flag } from '../../core/option-checks.ts';
import { SECOND } from '../../core/time.ts';
import { type OAuthPreset, presetOf } from './presets.ts';
import { type MapProfile, mapOpenId } from './profile.ts';
import { isLoopback, isSecure } from './urls.ts';

export type TokenEndpointAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/** One provider. Its URLs are `https:`, or `http:` on loopback. */
export interface OAuthProviderOptions {
  /** What the provider has called this application. */
  clientId: string;
  /** Or what makes one, for providers whose secrets are short-lived, such as Apple. None: a public client. */
  clientSecret?: string | (() => string | Promise<string>) | undefined;
  /** What people call the provider. By default that of the preset, or its name. */
  label?: string | undefined;
  /** An OpenID provider, whose endpoints are discovered at first use. */
  issuer?: string | undefined;
  /** Whose settings hold where nothing else is given. By default the preset that has the provider's name, if any. */
  preset?: OAuthPreset | undefined;
  /** The three of a provider of OAuth 2.0 that has no issuer; they need `profile`. */
  authorizationEndpoint?: string | undefined;
  tokenEndpoint?: string | undefined;
  userInfoEndpoint?: string | undefined;
  /** What else is read with the access token, for `profile`. */
  moreEndpoints?: { readonly [name: string]: string } | undefined;
  /** `openid email profile` by default. */
  scope?: string | undefined;
  /** What is added to the provider's URL, such as `prompt`. */
  authorizationParams?: { readonly [name: string]: string } | undefined;
  /** By default what the provider takes. */
  tokenEndpointAuthMethod?: TokenEndpointAuthMethod | undefined;
  /** Maps what the provider says of a user. */
  profile?: MapProfile | undefined;
}

/** The options of `oauth()`. Durations are milliseconds. */
export interface OAuthOptions {
  /** By the names that `oauthStart` takes; an identity belongs to a name, so it stays for ever. */
  providers: { readonly [name: string]: OAuthProviderOptions };
  /** Where providers may send the browser, exactly. By default `/oauth/callback` of `siteUrl`, which always may. */
  redirectUris?: readonly string[] | undefined;
  /** A first login by a verified address goes into the account that has it verified. On by default. */
  linkByEmail?: boolean | undefined;
  /** Keep the tokens of providers, encrypted, for `tokensOf`. Off by default. */
  keepTokens?: boolean | undefined;
  /** How long a provider may take in all. 8 seconds by default, and at most. */
  timeout?: number | undefined;
  /** Accounts that a user may link. 25 by default. */
  maxLinkedAccounts?: number | undefined;
}

export interface Endpoints {
  authorization: URL;
  token: URL;
  userInfo: URL;
}

export interface ResolvedProvider {
  name: string;
  label: string;
  clientId: string;
  clientSecret: () => Promise<string | null>;
  /** Either is there. */
  issuer: URL | null;
  endpoints: Endpoints | null;
  moreEndpoints: readonly (readonly [name: string, url: URL])[];
  scope: string;
  params: { readonly [name: string]: string };
  authMethod: TokenEndpointAuthMethod | null;
  profile: MapProfile;
}

export interface ResolvedOAuthOptions {
  /** A Map: a provider named `__proto__` is one that is not there. */
  providers: ReadonlyMap<string, ResolvedProvider>;
  redirectUris: readonly string[];
  linkByEmail: boolean;
  keepTokens: boolean;
  timeout: number;
  maxLinkedAccounts: number;
}

const KNOWN: { readonly [O in keyof Required<OAuthOptions>]: true } = {
  providers: true,
  redirectUris: true,
  linkByEmail: true,
  keepTokens: true,
  timeout: true,
  maxLinkedAccounts: true,
};

const KNOWN_OF_PROVIDER: { readonly [O in keyof Required<OAuthProviderOptions>]: true } = {
  clientId: true,
  clientSecret: true,
  label: true,
  issuer: true,
  preset: true,
  authorizationEndpoint: true,
  tokenEndpoint: true,
  userInfoEndpoint: true,
  moreEndpoints: true,
  scope: true,
  authorizationParams: true,
  tokenEndpointAuthMethod: true,
  profile: true,
};

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
const METHODS: readonly unknown[] = ['client_secret_basic', 'client_secret_post', 'none', undefined];
/** These run in the page that follows them. */
const ACTIVE_SCHEMES = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:']);
/** Under the time that an operation may take: what a slow provider is answered with must not be that of a slow store. */
const TIMEOUT = 8 * SECOND;

/** Checks the options and fills in the defaults. Throws a TypeError. */
export function resolveOAuthOptions(options: OAuthOptions): ResolvedOAuthOptions {
  refuseUnknown(options, KNOWN, 'oauth()');
  const { providers, redirectUris = [], maxLinkedAccounts = 25 } = options;
  if (typeof providers !== 'object' || providers === null || Array.isArray(providers)) {
    throw new TypeError(
      'oauth(): providers must be an object, such as { google: { clientId, clientSecret } }',
    );
  }
  if (!Array.isArray(redirectUris)) throw new TypeError('oauth(): redirectUris must be an array');
  if (!Number.isSafeInteger(maxLinkedAccounts) || maxLinkedAccounts < 1) {
    throw new TypeError('oauth(): maxLinkedAccounts must be a whole number from 1');
  }
  return {
    providers: new Map(
      Object.entries(providers).map(([name, given]) => [name, resolveProvider(name, given)]),
    ),
    redirectUris: redirectUris.map(checkRedirectUri),
    linkByEmail: flag(options.linkByEmail, true, 'linkByEmail'),
    keepTokens: flag(options.keepTokens, false, 'keepTokens'),
    timeout: duration(options.timeout, TIMEOUT, 'timeout', TIMEOUT),
    maxLinkedAccounts,
  };
}

function resolveProvider(name: string, given: OAuthProviderOptions): ResolvedProvider {
  const where = `oauth(): the provider ${name}`;
  if (!NAME.test(name)) throw new TypeError(`${where}: its name must be of letters, digits, . _ and -`);
  refuseUnknown(given, KNOWN_OF_PROVIDER, where);
  const preset = presetOf(given.preset ?? name);
  if (given.preset !== undefined && !preset)
    throw new TypeError(`${where}: there is no preset ${given.preset}`);
  const { label: presetLabel, ...settings } = preset ?? { label: name };
  // An issuer of one's own, such as a GitLab in the house, has nothing of a provider without issuers but its name.
  const fits = given.issuer === undefined || settings.issuer !== undefined;
  const options: OAuthProviderOptions = { label: presetLabel, ...(fits && settings), ...defined(given) };
  const { clientId, issuer, authorizationParams = {}, profile = mapOpenId } = options;
  const endpoints = endpointsOf(options, where);
  if (typeof clientId !== 'string' || clientId === '') throw new TypeError(`${where} needs a clientId`);
  if ((issuer === undefined) === (endpoints === null)) {
    throw new TypeError(`${where} needs an issuer, or its endpoints, and not both`);
  }
  if (endpoints && !options.profile)
    throw new TypeError(`${where} needs profile, which maps what it says of a user`);
  if (typeof profile !== 'function') throw new TypeError(`${where}: profile must be a function`);
  if (!METHODS.includes(options.tokenEndpointAuthMethod)) {
    throw new TypeError(
      `${where}: tokenEndpointAuthMethod must be client_secret_basic, client_secret_post or none`,
    );
  }
  const scope = text(options.scope, endpoints ? '' : 'openid email profile', `${where}: scope`);
  if (!endpoints && !scope.split(' ').includes('openid'))
    throw new TypeError(`${where}: scope must contain openid`);
  return {
    name,
    label: text(options.label, name, `${where}: label`),
    clientId,
    clientSecret: secretOf(options.clientSecret, where),
    issuer: issuer === undefined ? null : issuerUrl(issuer, `${where}: issuer`),
    endpoints,
    moreEndpoints: Object.entries(options.moreEndpoints ?? {}).map(([more, url]) => [
      more,
      secureUrl(url, `${where}: moreEndpoints.${more}`),
    ]),
    scope,
    params: { ...authorizationParams },
    authMethod: options.tokenEndpointAuthMethod ?? null,
    profile,
  };
}

function endpointsOf(
  { authorizationEndpoint, tokenEndpoint, userInfoEndpoint }: OAuthProviderOptions,
  where: string,
): Endpoints | null {
  if (authorizationEndpoint === undefined && tokenEndpoint === undefined && userInfoEndpoint === undefined)
    return null;
  return {
    authorization: secureUrl(authorizationEndpoint, `${where}: authorizationEndpoint`),
    token: secureUrl(tokenEndpoint, `${where}: tokenEndpoint`),
    userInfo: secureUrl(userInfoEndpoint, `${where}: userInfoEndpoint`),
  };
}

function secretOf(secret: unknown, where: string): () => Promise<string | null> {
  if (secret === undefined) return async () => null;
  if (typeof secret === 'string' && secret !== '') return async () => secret;
  if (typeof secret === 'function') return async () => checkSecret(await secret(), where);
  throw new TypeError(`${where}: clientSecret must be a string, or a function that makes one`);
}

function checkSecret(secret: unknown, where: string): string {
  if (typeof secret === 'string' && secret !== '') return secret;
  throw new TypeError(`${where}: clientSecret has made no secret`);
}

function secureUrl(value: unknown, option: string): URL {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url && isSecure(url) && !url.username && !url.password && !url.hash) return url;
  throw new TypeError(`${option} must be an https URL, or an http URL on loopback`);
}

/** Not the address of its metadata: there nobody could say whether the provider lies about its name. */
function issuerUrl(value: unknown, option: string): URL {
  const url = secureUrl(value, option);
  if (url.search === '' && !url.pathname.includes('/.well-known/')) return url;
  throw new TypeError(`${option} must be the issuer, without /.well-known/ and a query`);
}

/** A private scheme belongs to an app on the user's device (RFC 8252, 7.1). */
function checkRedirectUri(value: unknown): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isSafe = url && !url.hash && !ACTIVE_SCHEMES.has(url.protocol);
  if (isSafe && (url.protocol !== 'http:' || isLoopback(url))) return value as string;
  throw new TypeError(
    'oauth(): redirectUris must be https URLs, http URLs on loopback, or of the scheme of an app',
  );
}

function text(value: unknown, fallback: string, option: string): string {
  if (value === undefined) return fallback;
  if (typeof value === 'string' && value !== '' && value.length <= 1_024) return value;
  throw new TypeError(`${option} must be text`);
}

/** An option that is undefined is one that is not given. */
function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
