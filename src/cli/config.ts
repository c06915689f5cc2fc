import { clientAddress } from '../graphql/request/client-address.ts';
import type { OAuthOptions } from '../services/oauth/index.ts';
import { isRpId } from '../services/passkey/relying-party.ts';
import { BadConfiguration } from './bad-configuration.ts';
import type { LogLevel } from './log.ts';
import { parseOAuth } from './oauth.ts';
import { DEFAULT_DATABASE_URL, type Settings } from './settings.ts';
import { type DatabaseUrl, parseDatabaseUrl, parseSessionsUrl, type SessionsUrl } from './stores/urls.ts';
import { checkTokenSecret } from './token-secret.ts';

/** The settings of `serve`, checked, with their defaults. */
export interface Config {
  production: boolean;
  port: number;
  host: string;
  database: DatabaseUrl;
  /** Null: sessions are where the users are. */
  sessions: SessionsUrl | null;
  /** Null: a secret is made on first start. */
  tokenSecret: string | null;
  /** The first encrypts, all decrypt. Empty: the key is derived from the token secret. */
  encryptionKeys: string[];
  stateless: boolean;
  mail: { to: 'console' } | { to: 'nowhere' } | { to: 'files'; dir: string } | { to: 'smtp'; url: string };
  /** Null: the sender is `no-reply@` the host of the site. */
  mailFrom: string | null;
  /** Null: the site is `http://localhost` with the port that was taken. */
  siteUrl: string | null;
  /** Null: passkeys are made for the host of the site. */
  rpId: string | null;
  /** Where a page that logs in may lead on to, beside the site. */
  returnToOrigins: string[];
  oauth: OAuthOptions;
  autologin: boolean;
  requireEmailVerification: boolean;
  ambiguousErrors: boolean;
  rateLimits: boolean;
  logLevel: LogLevel;
  /** Undefined: as many passwords at once as suit the machine. */
  hashConcurrency: number | undefined;
  trustedProxies: string[];
  introspection: boolean;
  graphiql: boolean;
}

/**
 * Checks the settings and fills in the defaults. Throws BadConfiguration, whose message never holds a value: it may be a
 * secret.
 */
export function parseConfig(settings: Settings): Config {
  const production = settings.NODE_ENV === 'production';
  const autologin = parseSwitch(settings, 'AUTOLOGIN', false);
  const ambiguousErrors = parseSwitch(settings, 'AMBIGUOUS_ERRORS', true);
  const requireEmailVerification = parseSwitch(settings, 'REQUIRE_EMAIL_VERIFICATION', false);
  if (autologin && ambiguousErrors) {
    throw new BadConfiguration(
      'AUTOLOGIN shows whether an address was taken: set AMBIGUOUS_ERRORS=0 with it',
    );
  }
  if (autologin && requireEmailVerification) {
    throw new BadConfiguration('AUTOLOGIN and REQUIRE_EMAIL_VERIFICATION exclude each other');
  }
  if (production && settings.TOKEN_SECRET === undefined) {
    throw new BadConfiguration('TOKEN_SECRET is needed when NODE_ENV=production: 32 random bytes or more');
  }
  const database = parseDatabaseUrl(settings.DATABASE_URL ?? DEFAULT_DATABASE_URL, 'DATABASE_URL');
  const sessions = settings.SESSIONS_URL === undefined ? null : parseSessionsUrl(settings.SESSIONS_URL);
  const onServer = sessions !== null || database.kind === 'sql' || database.kind === 'mongodb';
  if (onServer && settings.TOKEN_SECRET === undefined) {
    throw new BadConfiguration(
      'TOKEN_SECRET is needed when DATABASE_URL or SESSIONS_URL names a server: 32 random bytes or more',
    );
  }
  return {
    production,
    autologin,
    ambiguousErrors,
    requireEmailVerification,
    rateLimits: parseRateLimits(settings.RATE_LIMITS ?? 'on'),
    port: parseNumber(settings, 'PORT', 0, 65_535) ?? 4000,
    host: settings.HOST ?? '127.0.0.1',
    database,
    sessions,
    tokenSecret: parseSecret(settings.TOKEN_SECRET),
    encryptionKeys: parseEncryptionKeys(settings.ENCRYPTION_KEY ?? ''),
    stateless: parseSwitch(settings, 'STATELESS', false),
    mail: parseMail(settings.MAIL_URL, production),
    mailFrom: parseSender(settings.MAIL_FROM),
    siteUrl: parseSite(settings.SITE_URL),
    rpId: parseRpId(settings.RP_ID),
    oauth: parseOAuth(settings),
    returnToOrigins: parseOrigins(settings.RETURN_TO_ORIGINS ?? ''),
    logLevel: parseLevel(settings.LOG_LEVEL ?? 'info'),
    hashConcurrency: parseNumber(settings, 'HASH_CONCURRENCY', 1, 1024) ?? undefined,
    trustedProxies: parseProxies(settings.TRUSTED_PROXIES ?? ''),
    introspection: parseSwitch(settings, 'INTROSPECTION', !production),
    graphiql: parseSwitch(settings, 'GRAPHIQL', !production),
  };
}

function parseSwitch(settings: Settings, name: keyof Settings, fallback: boolean): boolean {
  const value = settings[name];
  if (value === undefined) return fallback;
  if (value === '1') return true;
  if (value === '0') return false;
  throw new BadConfiguration(`${name} must be 0 or 1`);
}

function parseNumber(settings: Settings, name: keyof Settings, min: number, max: number): number | null {
  const value = settings[name];
  if (value === undefined) return null;
  if (/^\d{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw new BadConfiguration(`${name} must be a whole number from ${min} to ${max}`);
}

function parseRateLimits(value: string): boolean {
  if (value === 'on') return true;
  if (value === 'off') return false;
  throw new BadConfiguration('RATE_LIMITS must be on or off');
}

function parseSecret(secret: string | undefined): string | null {
  if (secret === undefined) return null;
  checkTokenSecret(secret, 'TOKEN_SECRET');
  return secret;
}

/** Throws BadConfiguration for a list of keys that secrets are not safe with. */
export function parseEncryptionKeys(list: string): string[] {
  if (list === '') return [];
  const keys = list.split(',').map((key) => key.trim());
  if (keys.every((key) => Buffer.byteLength(key) >= 32)) return keys;
  throw new BadConfiguration('ENCRYPTION_KEY must be keys of 32 bytes or more each, separated by commas');
}

function parseMail(url: string | undefined, production: boolean): Config['mail'] {
  if (url === undefined) return { to: production ? 'nowhere' : 'console' };
  if (/^smtps?:/.test(url)) return { to: 'smtp', url };
  const dir = /^file:(?:\/\/)?(.+)$/.exec(url)?.[1];
  if (dir !== undefined) return { to: 'files', dir };
  throw new BadConfiguration('MAIL_URL must be file:DIR, smtp://host:port or smtps://host:port');
}

function parseSender(from: string | undefined): string | null {
  if (from === undefined) return null;
  if (/^[^\p{Cc}]*@[^\p{Cc}]+$/u.test(from)) return from;
  throw new BadConfiguration('MAIL_FROM must be an e-mail address, with a name or without');
}

function parseSite(url: string | undefined): string | null {
  if (url === undefined) return null;
  const parsed = URL.parse(url);
  const isSite = parsed && ['http:', 'https:'].includes(parsed.protocol) && !parsed.search && !parsed.hash;
  if (isSite && !parsed.username && !parsed.password) return url;
  throw new BadConfiguration('SITE_URL must be an http or https URL without query and fragment');
}

function parseOrigins(list: string): string[] {
  const origins = list.split(/[\s,]+/).filter((entry) => entry !== '');
  return origins.map((entry) => {
    const url = URL.parse(entry);
    const isOrigin = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
    if (isOrigin) return url.origin;
    throw new BadConfiguration(
      'RETURN_TO_ORIGINS must be origins such as https://app.example.com, separated by commas',
    );
  });
}

function parseRpId(domain: string | undefined): string | null {
  if (domain === undefined) return null;
  if (isRpId(domain)) return domain;
  throw new BadConfiguration('RP_ID must be a domain without scheme and port, such as example.com');
}

function parseLevel(level: string): LogLevel {
  if (level === 'info' || level === 'warn' || level === 'error') return level;
  throw new BadConfiguration('LOG_LEVEL must be info, warn or error');
}

function parseProxies(list: string): string[] {
  const proxies = list.split(/[\s,]+/).filter((entry) => entry !== '');
  try {
    clientAddress(proxies);
    return proxies;
  } catch {
    throw new BadConfiguration('TRUSTED_PROXIES must be IP addresses or CIDRs, separated by commas');
  }
}
