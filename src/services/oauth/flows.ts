import { randomBytes } from 'node:crypto';
import type { Asker } from '../../core/authentication.ts';
import { hashOf, isSameHash } from '../../core/hash.ts';
import { parseString } from '../../core/input.ts';
import { anyPlaceOf } from '../../core/limits/network.ts';
import type { LiveSession } from '../../core/sessions.ts';
import { MINUTE, SECOND } from '../../core/time.ts';
import { NOBODY } from '../../core/user.ts';
import type { OneTimeTokenRecord } from '../../database/ports.ts';
import { AccountsError } from '../../errors.ts';
import type { ProvedAccount } from './account.ts';
import type { OAuthFlow, OAuthStarted, OAuthStartOptions } from './flow.ts';
import type { OAuthParts } from './parts.ts';

/** What a provider has sent back, as the caller gives it. */
interface Answer {
  provider: unknown;
  code: unknown;
  state: unknown;
  /** Undefined: not asked, because the caller has not seen the callback's address. */
  iss?: unknown;
}

interface Finisher {
  asker: Asker;
  /** The session for which it is finished; undefined for a new one. */
  session?: LiveSession['session'] | undefined;
}

const PURPOSE = 'oauth';
const LIFETIME = 10 * MINUTE;
const MAX_CODE = 4_096;

const EXPIRED = 'This login was not begun here, was already finished, or has expired. Please start again.';

/** Begins a login at a provider. What belongs to it stays here, sealed; its name is the state, which is used once. */
export async function begin(
  parts: OAuthParts,
  name: unknown,
  { redirectUri, browser = false, session = null, returnTo = null, connection }: OAuthStartOptions,
): Promise<OAuthStarted> {
  const provider = await parts.requireProvider(name);
  const target = allowedRedirect(parts, redirectUri);
  const id = secret();
  const value = browser ? secret() : null;
  const [codeVerifier, nonce] = [secret(), secret()];
  const state = await parts.oneTimeTokens.create({
    purpose: PURPOSE,
    // With a password that is reset, say, all that its user has begun is void.
    userId: session?.user.id ?? NOBODY,
    boundTo: connection ? anyPlaceOf(connection.ip) : id,
    lifetime: LIFETIME,
    data: {
      id,
      provider: provider.settings.name,
      redirectUri: target,
      session: session?.session.id ?? null,
      cookie: value && hashOf(value),
      returnTo,
      sealed: parts.secretBox().seal(JSON.stringify([codeVerifier, nonce]), ownerOf(id)),
    },
  });
  const freshLogin = session !== null;
  const url = await provider.authorizationUrl({
    redirectUri: target,
    state,
    nonce,
    codeVerifier,
    freshLogin,
  });
  return { url, state, cookie: value && cookieHeader(parts, state, value) };
}

/** What a state stands for, without using it up. Throws INVALID_TOKEN. */
export async function describe(parts: OAuthParts, state: unknown): Promise<OAuthFlow> {
  const { data } = await find(parts, state);
  const provider = await parts.requireProvider(data.provider);
  return {
    provider: provider.settings.name,
    label: provider.settings.label,
    returnTo: typeof data.returnTo === 'string' ? data.returnTo : null,
    cookieName: data.cookie === null ? null : cookieName(parts, String(state)),
  };
}

/**
 * Finishes a login: who has logged in at the provider. The state is used up, whatever comes of it. Throws INVALID_TOKEN
 * for a state that is not this caller's (S40).
 */
export async function finish(
  parts: OAuthParts,
  { provider: name, code: givenCode, state: givenState, iss }: Answer,
  finisher: Finisher,
): Promise<{ provider: string; account: ProvedAccount }> {
  const provider = await parts.requireProvider(parseString(name));
  const code = parseString(givenCode, 'BAD_USER_INPUT', MAX_CODE);
  const state = parseString(givenState, 'INVALID_TOKEN');
  const { data } = await find(parts, state);
  // Before it is used up: whoever has only read the state somewhere must not end the login of its owner.
  if (data.provider !== provider.settings.name || !isOwn(parts, state, data, finisher)) throw expired();
  await used(parts.oneTimeTokens.consume(state, PURPOSE));
  const [codeVerifier, nonce] = unseal(parts, data);
  const account = await provider.redeem({
    code,
    state,
    iss: iss === undefined || iss === null ? iss : parseString(iss),
    redirectUri: String(data.redirectUri),
    codeVerifier,
    nonce,
  });
  return { provider: provider.settings.name, account };
}

/**
 * A flow that was begun in a browser ends in that browser. One that was begun elsewhere does not end in a page: a
 * stranger could begin one, log in at the provider, and have somebody else's page finish it, who would then work in the
 * stranger's account. What is for a session, a link or a fresh proof, ends in the session in which it was begun; also
 * what was begun in none, by somebody who is no browser that others could lead on.
 */
function isOwn(
  parts: OAuthParts,
  state: string,
  { cookie, session }: OneTimeTokenRecord['data'],
  { asker, session: current }: Finisher,
): boolean {
  const isAdopted = session === null && cookie === null;
  if (current && !isAdopted && session !== current.id) return false;
  if (typeof cookie !== 'string') return asker.origin === null;
  const value = asker.cookie(cookieName(parts, state));
  return value !== null && isSameHash(hashOf(value), cookie);
}

async function find(parts: OAuthParts, state: unknown): Promise<OneTimeTokenRecord> {
  return used(parts.oneTimeTokens.find(state, [PURPOSE]));
}

/** The words for a mailed link would be none for this. */
async function used<T>(token: Promise<T>): Promise<T> {
  try {
    return await token;
  } catch (error) {
    throw error instanceof AccountsError && error.code === 'INVALID_TOKEN' ? expired() : error;
  }
}

function expired(): AccountsError {
  return new AccountsError('INVALID_TOKEN', EXPIRED);
}

function unseal(parts: OAuthParts, { id, sealed }: OneTimeTokenRecord['data']): [string, string] {
  const text = parts.secretBox().open(String(sealed), ownerOf(String(id)));
  // The key was taken away in the ten minutes since.
  if (text === null) throw expired();
  return JSON.parse(text) as [string, string];
}

function allowedRedirect({ options, siteUrl }: OAuthParts, given: unknown): string {
  const own = `${siteUrl}/oauth/callback`;
  if (given === undefined || given === null || given === own) return own;
  const allowed = options.redirectUris.find((uri) => uri === given);
  if (allowed === undefined) throw new AccountsError('INVALID_REDIRECT_URI');
  return allowed;
}

/** One for each flow: two tabs have two. `__Host-` keeps other hosts of the same site from planting one (RFC 6265bis). */
function cookieName({ siteUrl }: OAuthParts, state: string): string {
  return `${isHttps(siteUrl) ? '__Host-' : ''}oauth-${hashOf(state).slice(0, 16)}`;
}

function cookieHeader(parts: OAuthParts, state: string, value: string): string {
  const secure = isHttps(parts.siteUrl) ? '; Secure' : '';
  // Lax: the provider leads back to us from another site.
  return `${cookieName(parts, state)}=${value}; Path=/; Max-Age=${LIFETIME / SECOND}; HttpOnly; SameSite=Lax${secure}`;
}

function isHttps(siteUrl: string): boolean {
  return siteUrl.startsWith('https:');
}

function ownerOf(id: string): { service: string; subject: string } {
  return { service: PURPOSE, subject: id };
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
