import { MissingPackage } from '../need-package.ts';
import { type OAuthOptions, type OAuthServiceFactory, oauth } from '../services/oauth/index.ts';
import { isPreset } from '../services/oauth/presets.ts';
import { BadConfiguration } from './bad-configuration.ts';
import { isOAuthVariable, providerIn } from './oauth-variables.ts';
import type { Settings } from './settings.ts';

type Field = 'ISSUER' | 'CLIENT_ID' | 'CLIENT_SECRET';

/** The providers that the settings name. Throws BadConfiguration, without a value of theirs. */
export function parseOAuth(settings: Settings): OAuthOptions {
  const given = Object.keys(settings)
    .filter(isOAuthVariable)
    .filter((name) => settings[name] !== undefined);
  const names = new Set(given.map(providerIn));
  const providers = [...names].sort().map((name) => [name.toLowerCase(), parseProvider(settings, name)]);
  const redirectUris = (settings.OAUTH_REDIRECT_URIS ?? '').split(/[\s,]+/).filter((uri) => uri !== '');
  return { providers: Object.fromEntries(providers), redirectUris };
}

function parseProvider(settings: Settings, name: string): OAuthOptions['providers'][string] {
  const read = (field: Field): string | undefined => settings[`OAUTH_${name}_${field}`];
  const [issuer, clientId, clientSecret] = [read('ISSUER'), read('CLIENT_ID'), read('CLIENT_SECRET')];
  // Its page would be the one to which all providers lead back.
  if (name === 'CALLBACK')
    throw new BadConfiguration('OAUTH_CALLBACK_CLIENT_ID: a provider cannot be called callback');
  if (clientId === undefined)
    throw new BadConfiguration(`OAUTH_${name}_CLIENT_ID is needed with the others of its name`);
  if (issuer === undefined && !isPreset(name.toLowerCase())) {
    throw new BadConfiguration(
      `OAUTH_${name}_ISSUER is needed: this provider is not among those that are known`,
    );
  }
  return { clientId, clientSecret, issuer, ...(!isPreset(name.toLowerCase()) && { label: labelOf(name) }) };
}

/** For people: `My work` for `MY_WORK`. */
function labelOf(name: string): string {
  return (name.slice(0, 1) + name.slice(1).toLowerCase()).replaceAll('_', ' ');
}

/** The service. Throws BadConfiguration for what whoever started the program can put right. */
export function createOAuth(options: OAuthOptions): OAuthServiceFactory {
  for (const [name, provider] of Object.entries(options.providers)) {
    const variable = `OAUTH_${name.toUpperCase()}_ISSUER`;
    create(
      { providers: { [name]: provider } },
      `${variable} must be an https URL, or an http URL on loopback`,
    );
  }
  return create(
    options,
    'OAUTH_REDIRECT_URIS must be https URLs, http URLs on loopback or those of an app, separated by commas',
  );
}

function create(options: OAuthOptions, problem: string): OAuthServiceFactory {
  try {
    return oauth(options);
  } catch (error) {
    if (error instanceof MissingPackage) throw new BadConfiguration(error.message);
    if (error instanceof TypeError) throw new BadConfiguration(problem);
    throw error;
  }
}
