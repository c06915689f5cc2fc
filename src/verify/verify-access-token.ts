import type { JSONWebKeySet } from 'jose';
import { compactVerify } from 'jose/jws/compact/verify';
import {
  type AccessClaims,
  accessClaims,
  kidOf,
  type OurPayload,
  parsePayload,
  refused,
} from '../core/claims.ts';
import { refuseUnknown } from '../core/known-options.ts';
import { SECOND } from '../core/units.ts';
import { headerOf, parseObject } from './compact.ts';
import { type KeySource, sourceOfKeySet, sourceOfKeys } from './key-source.ts';
import type { AccessTokenKey, Key } from './keys.ts';

/** How an access token is verified: by `key` or by `jwks`. */
export interface VerifyOptions {
  /** The secret or the public key that the accounts server signs with, or several while it changes. */
  key?: AccessTokenKey | readonly AccessTokenKey[] | undefined;
  /** The server's public keys, or the URL where they are: then they are fetched and remembered. */
  jwks?: string | URL | JSONWebKeySet | undefined;
  /** `graphql-accounts` by default. */
  issuer?: string | undefined;
  /** Of several, one is enough. `graphql-accounts` by default. */
  audience?: string | readonly string[] | undefined;
  /** The clock: milliseconds since 1970-01-01 UTC. */
  now?: (() => number) | undefined;
  /** What fetches `jwks`: the one of the runtime by default. Hand in the same function each time. */
  fetch?: typeof fetch | undefined;
}

/** What an access token says. */
export interface VerifiedAccessToken extends AccessClaims {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Milliseconds. */
  readonly issuedAt: number;
  readonly tokenId: string;
}

/** The options at run time; the type makes the list whole. */
const KNOWN: { readonly [O in keyof Required<VerifyOptions>]: true } = {
  key: true,
  jwks: true,
  issuer: true,
  audience: true,
  now: true,
  fetch: true,
};

/**
 * Verifies an access token in another service than the one that made it, with nothing but a key: no database, and Web
 * APIs only, so that it runs in workers too. It refuses what the accounts server refuses (RFC 7519, RFC 8725), but for
 * one thing: it cannot know that a session has ended, so a token is good until it expires.
 *
 * Throws UNAUTHENTICATED for whatever is not a valid access token, SERVICE_UNAVAILABLE (retryable) when the keys cannot
 * be fetched, and a `TypeError` for wrong options.
 *
 * ```ts
 * import { verifyAccessToken } from 'graphql-accounts/verify';
 *
 * const options = { key: process.env.TOKEN_SECRET };
 * const userIdOf = async (token: string) => (await verifyAccessToken(token, options)).userId;
 * ```
 */
export async function verifyAccessToken(
  token: unknown,
  options: VerifyOptions,
): Promise<VerifiedAccessToken> {
  const { find, issuer, audiences, now } = await resolve(options);
  const kid = kidOf(headerOf(token), 'at+jwt');
  const time = now();
  const key = await find(kid, time);
  if (!key) throw refused();
  const payload = parsePayload(await verifySignature(token as string, key), time);
  const { iss, aud } = payload;
  const named = Array.isArray(aud) ? aud : [aud];
  if (iss !== issuer || !named.some((name) => audiences.includes(name))) throw refused();
  const claims = accessClaims(payload);
  if (claims.expiresAt <= time) throw refused('The access token has expired.');
  return Object.freeze({ ...claims, ...registered(payload, issuer, named) });
}

function registered({ iat, jti }: OurPayload, issuer: string, audience: unknown[]) {
  const names = Object.freeze(audience.filter((name) => typeof name === 'string'));
  return { issuer, audience: names, issuedAt: iat * SECOND, tokenId: jti };
}

async function verifySignature(token: string, { key, algorithm }: Key): Promise<unknown> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
    return parseObject(payload);
  } catch {
    throw refused();
  }
}

interface Resolved {
  find: KeySource;
  issuer: string;
  audiences: readonly unknown[];
  now: () => number;
}

async function resolve(options: VerifyOptions): Promise<Resolved> {
  refuseUnknown(options, KNOWN, 'verifyAccessToken');
  const { key, jwks, issuer = 'graphql-accounts', audience = 'graphql-accounts', now = Date.now } = options;
  if ((key === undefined) === (jwks === undefined)) throw wrong('give either key or jwks');
  if (typeof issuer !== 'string' || issuer === '') throw wrong('issuer must be a string');
  const audiences: readonly unknown[] = [audience].flat();
  if (audiences.length === 0 || audiences.some((name) => typeof name !== 'string' || name === '')) {
    throw wrong('audience must be a string or several');
  }
  if (typeof now !== 'function') throw wrong('now must be a function');
  const find = jwks === undefined ? sourceOfKeys(key) : sourceOfKeySet(jwks, options.fetch ?? fetchOfRuntime);
  return { find: await find, issuer, audiences, now };
}

/** Looked up at each call, so that one which the application puts in its place later counts. */
const fetchOfRuntime: typeof fetch = (input, init) => fetch(input, init);

function wrong(reason: string): TypeError {
  return new TypeError(`verifyAccessToken: ${reason}`);
}
