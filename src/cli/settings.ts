import { isOAuthVariable, type OAuthVariable } from './oauth-variables.ts';

/** One setting of the server: a variable of the environment, or a flag of the same name. */
interface Setting {
  variable: string;
  /** What the help shows for the value. A switch is `1` when its flag stands alone. */
  value: string;
  isSwitch?: boolean;
  meaning: string;
}

export const DEFAULT_DATABASE_URL = 'sqlite:./data/accounts.db';

export const SETTINGS = [
  { variable: 'PORT', value: 'number', meaning: 'where it listens (4000; 0 takes a free port)' },
  { variable: 'HOST', value: 'address', meaning: 'where it listens (127.0.0.1)' },
  {
    variable: 'DATABASE_URL',
    value: 'url',
    meaning: `sqlite:PATH, sqlite::memory:, mongodb://…, postgres://… or mysql://… (${DEFAULT_DATABASE_URL})`,
  },
  {
    variable: 'SESSIONS_URL',
    value: 'url',
    meaning: 'redis://host:port, or redis://h1:p1,h2:p2,h3:p3 for a cluster (sessions are with the users)',
  },
  {
    variable: 'TOKEN_SECRET',
    value: 'secret',
    meaning:
      'signs the tokens: 32 bytes or more (made on first start and kept beside the database; needed when NODE_ENV=production, and with a server of a database)',
  },
  {
    variable: 'ENCRYPTION_KEY',
    value: 'keys',
    meaning:
      'encrypts secrets at rest: 32 bytes or more each, separated by commas; the first encrypts, all decrypt (derived from TOKEN_SECRET)',
  },
  {
    variable: 'STATELESS',
    value: '0|1',
    isSwitch: true,
    meaning: 'trust access tokens until they expire (0)',
  },
  {
    variable: 'MAIL_URL',
    value: 'url',
    meaning: 'file:DIR, smtp://… or smtps://… (printed; with NODE_ENV=production not sent)',
  },
  {
    variable: 'MAIL_FROM',
    value: 'address',
    meaning: 'sender of the mails (no-reply@ the host of SITE_URL)',
  },
  { variable: 'SITE_URL', value: 'url', meaning: 'base of the links in mails (http://localhost:PORT)' },
  {
    variable: 'RP_ID',
    value: 'domain',
    meaning:
      'the domain that passkeys are made for: the host of SITE_URL or one above it (the host of SITE_URL)',
  },
  {
    variable: 'RETURN_TO_ORIGINS',
    value: 'list',
    meaning: 'origins to which the pages that log in may lead on, beside that of SITE_URL (none)',
  },
  {
    variable: 'OAUTH_REDIRECT_URIS',
    value: 'list',
    meaning: 'where providers may send people back to, beside /oauth/callback of SITE_URL (none)',
  },
  { variable: 'AUTOLOGIN', value: '0|1', isSwitch: true, meaning: 'log new users in at once (0)' },
  {
    variable: 'REQUIRE_EMAIL_VERIFICATION',
    value: '0|1',
    isSwitch: true,
    meaning: 'no login before the address is verified (0)',
  },
  {
    variable: 'AMBIGUOUS_ERRORS',
    value: '0|1',
    isSwitch: true,
    meaning: 'the same answers for known and unknown addresses (1)',
  },
  {
    variable: 'RATE_LIMITS',
    value: 'on|off',
    meaning: 'limit guesses, sign-ups and mails; off where something in front does (on)',
  },
  { variable: 'LOG_LEVEL', value: 'level', meaning: 'info, warn (no line per request) or error (info)' },
  { variable: 'HASH_CONCURRENCY', value: 'number', meaning: 'how many passwords are hashed at once' },
  {
    variable: 'TRUSTED_PROXIES',
    value: 'list',
    meaning: 'addresses or CIDRs whose forwarded header is believed (none)',
  },
  {
    variable: 'INTROSPECTION',
    value: '0|1',
    isSwitch: true,
    meaning: 'show the schema and suggest names (1; 0 when NODE_ENV=production)',
  },
  {
    variable: 'GRAPHIQL',
    value: '0|1',
    isSwitch: true,
    meaning: 'serve the page to try operations on (1; 0 when NODE_ENV=production)',
  },
] as const satisfies readonly Setting[];

type SettingName = (typeof SETTINGS)[number]['variable'];

/** The settings that were given, as text. */
export type Settings = { readonly [name in SettingName | 'NODE_ENV']?: string | undefined } & {
  readonly [name: OAuthVariable]: string | undefined;
};

/** The flag of a setting, as commander writes it: `--database-url <url>` for `DATABASE_URL`. */
export function flagOf({ variable, value, isSwitch }: Setting): string {
  const name = variable.toLowerCase().replaceAll('_', '-');
  return isSwitch ? `--${name} [${value}]` : `--${name} <${value}>`;
}

/** Reads the settings. Flags win over the environment; an empty variable counts as not set. */
export function readSettings(
  environment: { readonly [name: string]: string | undefined },
  flags: { readonly [variable: string]: unknown },
): Settings {
  const ofProviders = [environment, flags].flatMap((given) => Object.keys(given).filter(isOAuthVariable));
  const names = new Set([...SETTINGS.map(({ variable }) => variable), 'NODE_ENV', ...ofProviders]);
  const entries = [...names].map((name): [string, string | undefined] => {
    const flag = flags[name];
    if (flag === true) return [name, '1'];
    return [name, typeof flag === 'string' ? flag : environment[name] || undefined];
  });
  return Object.fromEntries(entries);
}
