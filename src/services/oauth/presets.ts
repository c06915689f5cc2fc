import type { OAuthProviderOptions } from './options.ts';
import { type MapProfile, mapOpenId, pick } from './profile.ts';

type Preset = Omit<OAuthProviderOptions, 'clientId' | 'clientSecret' | 'preset'> & { label: string };

/** GitHub lists the addresses apart. The primary one is the user's. */
const mapGitHub: MapProfile = (user, { emails }) => {
  const listed: unknown[] = Array.isArray(emails) ? emails : [];
  const primary = listed.find(
    (entry): entry is { email: unknown; verified: unknown } =>
      typeof entry === 'object' && entry !== null && 'primary' in entry && entry.primary === true,
  );
  return {
    subject: user.id,
    email: primary?.email,
    emailVerified: primary?.verified,
    label: user.login,
    profile: pick(user, ['login', 'name', 'avatar_url', 'html_url']),
  };
};

/**
 * Anybody can make a tenant at Microsoft and write any address into it. Only `xms_edov` says that the tenant has proved
 * the domain.
 */
const mapMicrosoft: MapProfile = (claims, more) => ({
  ...mapOpenId(claims, more),
  emailVerified: [true, 'true', 1, '1'].includes(claims.xms_edov as string),
});

/** The providers that are special, by the name that is used for them. */
export const PRESETS = {
  google: { label: 'Google', issuer: 'https://accounts.google.com' },
  apple: {
    label: 'Apple',
    issuer: 'https://appleid.apple.com',
    scope: 'openid email name',
    // Apple asks for it where a name or an address is wanted.
    authorizationParams: { response_mode: 'form_post' },
    tokenEndpointAuthMethod: 'client_secret_post',
  },
  microsoft: {
    label: 'Microsoft',
    issuer: 'https://login.microsoftonline.com/common/v2.0',
    tokenEndpointAuthMethod: 'client_secret_post',
    profile: mapMicrosoft,
  },
  gitlab: { label: 'GitLab', issuer: 'https://gitlab.com' },
  slack: { label: 'Slack', issuer: 'https://slack.com' },
  github: {
    label: 'GitHub',
    authorizationEndpoint: 'https://github.com/login/oauth/authorize',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    userInfoEndpoint: 'https://api.github.com/user',
    moreEndpoints: { emails: 'https://api.github.com/user/emails' },
    scope: 'read:user user:email',
    profile: mapGitHub,
  },
  discord: {
    label: 'Discord',
    authorizationEndpoint: 'https://discord.com/oauth2/authorize',
    tokenEndpoint: 'https://discord.com/api/oauth2/token',
    userInfoEndpoint: 'https://discord.com/api/users/@me',
    scope: 'identify email',
    profile: (user) => ({
      subject: user.id,
      email: user.email,
      emailVerified: user.verified,
      label: user.username,
      profile: pick(user, ['username', 'global_name', 'avatar', 'locale']),
    }),
  },
  facebook: {
    label: 'Facebook',
    authorizationEndpoint: 'https://www.facebook.com/v23.0/dialog/oauth',
    tokenEndpoint: 'https://graph.facebook.com/v23.0/oauth/access_token',
    userInfoEndpoint: 'https://graph.facebook.com/v23.0/me?fields=id,name,email',
    scope: 'public_profile email',
    // Facebook does not say whether it has proved the address.
    profile: (user) => ({ subject: user.id, label: user.name, profile: pick(user, ['name']) }),
  },
} as const satisfies { [name: string]: Preset };

export type OAuthPreset = keyof typeof PRESETS;

export function presetOf(name: string): Preset | undefined {
  return isPreset(name) ? PRESETS[name] : undefined;
}

export function isPreset(name: string): name is OAuthPreset {
  return Object.hasOwn(PRESETS, name);
}
