import type { Report } from '../../core/report.ts';
import { SECOND } from '../../core/time.ts';
import { AccountsError } from '../../errors.ts';
import type { ProvedAccount, ProviderTokens } from './account.ts';
import { Client, type Configuration, type Talk } from './client.ts';
import { type Answer, Exchange, type Tokens } from './exchange.ts';
import type { ResolvedProvider } from './options.ts';
import { type Claims, parseSubject, storable } from './profile.ts';
import { isSecure } from './urls.ts';

interface Begin {
  redirectUri: string;
  state: string;
  nonce: string;
  codeVerifier: string;
  /** Whether somebody who is logged in at the provider has to prove it once more. */
  freshLogin: boolean;
}

const MAX_URL = 8_192;

/** A provider, by which one logs in. What it throws is an `AccountsError`. */
export class Provider {
  readonly settings: ResolvedProvider;
  readonly #client: Client;
  readonly #exchange: Exchange;

  constructor(settings: ResolvedProvider, timeout: number, report: Report) {
    this.settings = settings;
    this.#client = new Client(settings, timeout, report);
    this.#exchange = new Exchange(settings);
  }

  /** Where the browser goes. */
  authorizationUrl({ redirectUri, state, nonce, codeVerifier, freshLogin }: Begin): Promise<string> {
    const { scope, params, issuer } = this.settings;
    return this.#client.talk(async ({ openid, configure }) => {
      const url = openid.buildAuthorizationUrl(await configure(), {
        ...(issuer && freshLogin && { prompt: 'login' }),
        ...params,
        ...(scope && { scope }),
        redirect_uri: redirectUri,
        state,
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(issuer && { nonce }),
      });
      if (!isSecure(url) || url.href.length > MAX_URL) {
        throw new TypeError('the authorization endpoint is not safe');
      }
      return url.href;
    });
  }

  /** Exchanges the code for who has logged in at the provider. */
  redeem(answer: Answer): Promise<ProvedAccount> {
    return this.#client.talk(async (talk) => {
      const { tokens, config } = await this.#exchange.exchange(talk, answer);
      const claims = await this.#claims(talk, config, tokens);
      const more = await this.#readMore(talk, config, tokens.access_token);
      const { subject: given, email, emailVerified, label, profile } = this.settings.profile(claims, more);
      const subject = parseSubject(this.settings.issuer ? claims.sub : given);
      if (subject === null) throw new AccountsError('PROVIDER_REFUSED');
      return {
        subject,
        verifiedEmail: emailVerified === true ? email : null,
        data: { profile: storable(profile), ...storable({ label }) },
        tokens: tokensOf(tokens),
      };
    });
  }

  /** The claims of the ID token, and those that a provider gives in its user info only. */
  async #claims(talk: Talk, config: Configuration, tokens: Tokens): Promise<Claims> {
    const { endpoints } = this.settings;
    if (endpoints) return asClaims(await ask(talk, config, tokens.access_token, endpoints.userInfo));
    const claims = tokens.claims();
    if (!claims) throw new AccountsError('PROVIDER_REFUSED');
    if (claims.email !== undefined || talk.metadata.userinfo_endpoint === undefined) return claims;
    const userInfo = await talk.openid.fetchUserInfo(config, tokens.access_token, claims.sub);
    return { ...userInfo, ...claims };
  }

  async #readMore(talk: Talk, config: Configuration, accessToken: string): Promise<Claims> {
    const entries = this.settings.moreEndpoints.map(async ([name, url]) => [
      name,
      await ask(talk, config, accessToken, url),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }
}

async function ask({ openid }: Talk, config: Configuration, accessToken: string, url: URL): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' });
  const response = await openid.fetchProtectedResource(config, accessToken, url, 'GET', null, headers);
  if (response.status !== 200) throw new Error('the provider refuses what it was asked', { cause: response });
  return (await response.json()) as unknown;
}

function asClaims(value: unknown): Claims {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  throw new AccountsError('PROVIDER_REFUSED');
}

function tokensOf(tokens: Tokens): ProviderTokens {
  const seconds = tokens.expiresIn();
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? null,
    expiresAt: seconds === undefined ? null : Date.now() + seconds * SECOND,
    scope: tokens.scope ?? null,
  };
}
