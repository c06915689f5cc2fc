import type { Json } from '../../database/ports.ts';

/** What a provider says of a user: the claims of an ID token and of its user info, or the answer of an API. */
export type Claims = { readonly [claim: string]: unknown };

/** What of it counts here. */
export interface OAuthProfile {
  /** What the provider calls the user for ever. Of OpenID providers it is `sub`, whatever stands here. */
  subject?: unknown;
  email?: unknown;
  /** Whether the provider has proved the address: `true`, and nothing else. */
  emailVerified?: unknown;
  /** How the account is called where its owner sees it. */
  label?: unknown;
  /** What is kept of the user: JSON. */
  profile?: { readonly [field: string]: unknown } | undefined;
}

/** Maps what a provider says. `more` holds the answers of `moreEndpoints`, by their names. */
export type MapProfile = (claims: Claims, more: Claims) => OAuthProfile;

const MAX_TEXT = 1_024;
const MAX_FIELDS = 50;
const MAX_SUBJECT = 255;

/** The claims of OpenID Connect that are kept where nothing else is asked for (Core 1.0, 5.1). */
const STANDARD = [
  'name',
  'given_name',
  'family_name',
  'nickname',
  'preferred_username',
  'picture',
  'profile',
  'website',
  'locale',
  'email',
  'email_verified',
];

export const mapOpenId: MapProfile = (claims) => ({
  email: claims.email,
  // Apple writes it as text.
  emailVerified: claims.email_verified === true || claims.email_verified === 'true',
  profile: pick(claims, STANDARD),
});

/** The fields of those names that are there. */
export function pick(claims: Claims, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]),
  );
}

/** Null for what names nobody. */
export function parseSubject(subject: unknown): string | null {
  const text = typeof subject === 'number' && Number.isSafeInteger(subject) ? String(subject) : subject;
  return isText(text, MAX_SUBJECT) ? text : null;
}

/** What of a profile is stored: texts, numbers and switches of bounded size, whatever else the provider sends. */
export function storable(profile: unknown): { [field: string]: Json } {
  const fields = typeof profile === 'object' && profile !== null ? Object.entries(profile) : [];
  const kept = fields.filter(
    ([name, value]) =>
      isText(name, 100) && name !== '__proto__' && (isText(value, MAX_TEXT) || isPlain(value)),
  );
  return Object.fromEntries(kept.slice(0, MAX_FIELDS)) as { [field: string]: Json };
}

/** How the owner knows a linked account: also one that came from accounts-js, with a profile of any form. */
export function labelOf(data: { readonly [field: string]: unknown }, subject: string): string {
  const profile = typeof data.profile === 'object' && data.profile !== null ? (data.profile as Claims) : {};
  const names = ['email', 'name', 'preferred_username', 'username', 'login', 'displayName', 'nickname'];
  const candidates = [
    data.label,
    ...names.map((name) => (Object.hasOwn(profile, name) ? profile[name] : null)),
  ];
  return candidates.find((candidate): candidate is string => isText(candidate, MAX_TEXT)) ?? subject;
}

function isText(value: unknown, limit: number): value is string {
  const isString = typeof value === 'string' && value !== '' && value.length <= limit;
  return isString && value.isWellFormed() && !value.includes('\0');
}

function isPlain(value: unknown): boolean {
  return (
    value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}
