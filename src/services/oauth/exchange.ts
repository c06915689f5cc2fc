import type { Configuration, OpenId, ServerMetadata, Talk } from './client.ts';
import type { ResolvedProvider, TokenEndpointAuthMethod } from './options.ts';
import { isClientRefused } from './problems.ts';

/** What came back from a provider, and what was kept here for it. */
export interface Answer {
  code: string;
  state: string;
  /** Who says that it answers (RFC 9207). Undefined: not asked. */
  iss: string | null | undefined;
  redirectUri: string;
  nonce: string;
  codeVerifier: string;
}

export type Tokens = Awaited<ReturnType<OpenId['authorizationCodeGrant']>>;

interface Granted {
  tokens: Tokens;
  config: Configuration;
}

/** The callback itself is not read from a URL: this one only carries its parameters. */
const CALLBACK = 'https://callback.invalid/';

/** Exchanges codes for tokens, and remembers how a provider takes the secret. */
export class Exchange {
  readonly #settings: ResolvedProvider;
  #method: TokenEndpointAuthMethod | null;

  constructor(settings: ResolvedProvider) {
    this.#settings = settings;
    this.#method = settings.authMethod;
  }

  /** A provider that takes the secret in one way refuses it in the other before it has looked at the code. */
  async exchange(talk: Talk, answer: Answer): Promise<Granted> {
    const secret = await this.#settings.clientSecret();
    const [first = 'none', other] = this.#methods(talk.metadata, secret);
    try {
      return await this.#grant(talk, answer, first, secret);
    } catch (error) {
      if (other === undefined || !isClientRefused(error)) throw error;
      const granted = await this.#grant(talk, answer, other, secret);
      this.#method = other;
      return granted;
    }
  }

  #methods(metadata: ServerMetadata, secret: string | null): TokenEndpointAuthMethod[] {
    if (secret === null) return ['none'];
    if (this.#method) return [this.#method];
    const both: TokenEndpointAuthMethod[] = ['client_secret_basic', 'client_secret_post'];
    // Without issuer most providers read the body; RFC 8414, 2 has the header as default.
    if (this.#settings.endpoints) return both.reverse();
    const supported = metadata.token_endpoint_auth_methods_supported;
    const known = supported ? both.filter((method) => supported.includes(method)) : both;
    return known.length > 0 ? known : both;
  }

  async #grant(
    { openid, metadata, configure, remember }: Talk,
    { code, state, iss, redirectUri, nonce, codeVerifier }: Answer,
    method: TokenEndpointAuthMethod,
    secret: string | null,
  ): Promise<Granted> {
    const authenticate = authenticationOf(openid, method, secret);
    const config = await configure((as, client, body, headers) => {
      body.set('redirect_uri', redirectUri);
      return authenticate(as, client, body, headers);
    });
    const callback = new URL(CALLBACK);
    // Without issuer there is none to compare it with.
    const from = iss === undefined || !this.#settings.issuer ? metadata.issuer : iss;
    callback.search = new URLSearchParams({ code, state, ...(from !== null && { iss: from }) }).toString();
    const tokens = await openid.authorizationCodeGrant(config, callback, {
      expectedState: state,
      pkceCodeVerifier: codeVerifier,
      ...(this.#settings.issuer && { expectedNonce: nonce, idTokenExpected: true }),
    });
    remember(config);
    return { tokens, config };
  }
}

function authenticationOf(openid: OpenId, method: TokenEndpointAuthMethod, secret: string | null) {
  if (secret === null || method === 'none') return openid.None();
  return method === 'client_secret_basic'
    ? openid.ClientSecretBasic(secret)
    : openid.ClientSecretPost(secret);
}
