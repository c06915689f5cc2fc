import type { Report } from '../../core/report.ts';
import { HOUR } from '../../core/time.ts';
import { AccountsError } from '../../errors.ts';
import { boundedFetch } from './bounded-fetch.ts';
import type { Endpoints, ResolvedProvider } from './options.ts';
import { refusalOf } from './problems.ts';
import { isLoopback, mayName } from './urls.ts';

export type OpenId = typeof import('openid-client');
export type Configuration = import('openid-client').Configuration;
export type ServerMetadata = import('openid-client').ServerMetadata;
type ClientAuth = import('openid-client').ClientAuth;
type Keys = ReturnType<OpenId['getJwksCache']>;
type ClientMetadata = import('openid-client').ClientMetadata;

/** Speaking with a provider, until the deadline. */
export interface Talk {
  openid: OpenId;
  /** What the provider says of itself. */
  metadata: ServerMetadata;
  configure(authenticate?: ClientAuth): Promise<Configuration>;
  /** Keeps the provider's keys for the next time. */
  remember(config: Configuration): void;
}

/** How long what a provider says of itself is believed. */
const METADATA_LIFETIME = HOUR;
/** As elsewhere: RFC 7519, 4.1.4. */
const SKEW_SECONDS = 60;
/** `openid-client` asks again for keys that are this old when a token names one that is not among them. */
const KEYS_SETTLED_SECONDS = 60;

/** Reaches one provider, and nothing else. What it throws is an `AccountsError`. */
export class Client {
  readonly #settings: ResolvedProvider;
  readonly #timeout: number;
  readonly #report: Report;
  #metadata: { value: Promise<ServerMetadata>; until: number } | null = null;
  #keys: Keys;

  constructor(settings: ResolvedProvider, timeout: number, report: Report) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#report = report;
  }

  async talk<T>(work: (talk: Talk) => Promise<T>): Promise<T> {
    try {
      // An optional package: loaded where it is needed first.
      const openid = await import('openid-client');
      const deadline = AbortSignal.timeout(this.#timeout);
      const metadata = await this.#discovered(openid, deadline);
      return await work({
        openid,
        metadata,
        configure: (authenticate) => this.#configure(openid, metadata, deadline, authenticate),
        remember: (config) => this.#remember(openid.getJwksCache(config)),
      });
    } catch (error) {
      throw refusalOf(error, this.#settings.name, this.#report);
    }
  }

  /** Tokens come from the provider itself: a key that we do not know is a new one, however lately we asked. */
  #remember(keys: Keys): void {
    if (keys && keys.uat !== this.#keys?.uat) this.#keys = { ...keys, uat: keys.uat - KEYS_SETTLED_SECONDS };
  }

  /** A failure is not kept: the next caller asks again. Callers that ask at once ask together. */
  async #discovered(openid: OpenId, deadline: AbortSignal): Promise<ServerMetadata> {
    const { issuer, endpoints } = this.#settings;
    if (endpoints) return metadataOf(endpoints);
    if (!issuer) throw new TypeError('a provider without issuer and endpoints');
    if (this.#metadata && this.#metadata.until > performance.now()) return this.#metadata.value;
    const value = this.#discover(openid, issuer, deadline);
    const found = { value, until: performance.now() + METADATA_LIFETIME };
    this.#metadata = found;
    value.catch(() => {
      if (this.#metadata === found) this.#metadata = null;
    });
    return value;
  }

  async #discover(openid: OpenId, issuer: URL, deadline: AbortSignal): Promise<ServerMetadata> {
    try {
      const config = await openid.discovery(issuer, this.#settings.clientId, undefined, openid.None(), {
        execute: isLoopback(issuer) ? [openid.allowInsecureRequests] : [],
        timeout: this.#timeout / 1_000,
        [openid.customFetch]: (url, init) => this.#fetch(url, init as RequestInit, deadline),
      });
      return config.serverMetadata();
    } catch (error) {
      // Whoever lies about its issuer is as good as not there.
      const refusal = refusalOf(error, this.#settings.name, this.#report);
      throw refusal.code === 'PROVIDER_REFUSED' ? new AccountsError('PROVIDER_UNAVAILABLE') : refusal;
    }
  }

  async #configure(
    openid: OpenId,
    metadata: ServerMetadata,
    deadline: AbortSignal,
    authenticate: ClientAuth = openid.None(),
  ): Promise<Configuration> {
    const client = { [openid.clockTolerance]: SKEW_SECONDS };
    const config = await this.#configuration(openid, metadata, [client, authenticate]);
    config[openid.customFetch] = (url, init) => this.#fetch(url, init as RequestInit, deadline);
    config.timeout = this.#timeout / 1_000;
    // The ID token comes from the token endpoint over TLS; its signature is checked all the same.
    openid.enableNonRepudiationChecks(config);
    if (isLoopback(this.#place())) openid.allowInsecureRequests(config);
    if (this.#keys) openid.setJwksCache(config, this.#keys);
    return config;
  }

  /**
   * Through a discovery that is answered with what is known: of the issuers that Microsoft has for many tenants
   * `openid-client` knows by that alone which name a token may have.
   */
  #configuration(
    openid: OpenId,
    metadata: ServerMetadata,
    client: [Partial<ClientMetadata>, ClientAuth],
  ): Configuration | Promise<Configuration> {
    const { issuer, clientId } = this.#settings;
    if (!issuer) return new openid.Configuration(metadata, clientId, ...client);
    return openid.discovery(issuer, clientId, ...client, {
      execute: isLoopback(issuer) ? [openid.allowInsecureRequests] : [],
      [openid.customFetch]: async () => Response.json(metadata),
    });
  }

  async #fetch(url: string, init: RequestInit, deadline: AbortSignal): Promise<Response> {
    const mayAsk = (target: URL): boolean => mayName(this.#place(), target);
    const bounded = { ...init, signal: init.signal ?? undefined };
    const response = await boundedFetch(url, bounded, { mayAsk, deadline });
    return url === this.#settings.endpoints?.token.href ? withoutIdToken(response) : response;
  }

  /** Where the provider is. */
  #place(): URL {
    const { issuer, endpoints } = this.#settings;
    const place = issuer ?? endpoints?.token;
    if (!place) throw new TypeError('a provider without issuer and endpoints');
    return place;
  }
}

/**
 * Providers of OpenID Connect that are used by their endpoints send an ID token too. Without issuer there is nothing to
 * check it against; nothing is read from it, since the user info says who it is.
 */
async function withoutIdToken(response: Response): Promise<Response> {
  const answer: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  if (typeof answer !== 'object' || answer === null || !('id_token' in answer)) return response;
  const { id_token: _, ...rest } = answer;
  return Response.json(rest, { status: response.status, headers: response.headers });
}

/** A provider without issuer has a name that only this place knows. */
function metadataOf({ authorization, token }: Endpoints): ServerMetadata {
  return {
    issuer: authorization.origin,
    authorization_endpoint: authorization.href,
    token_endpoint: token.href,
  };
}
