/** Those of a provider, whose name is in the variable's: `OAUTH_<NAME>_ISSUER` and the others. */
export type OAuthVariable = `OAUTH_${string}_${'ISSUER' | 'CLIENT_ID' | 'CLIENT_SECRET'}`;

const VARIABLE = /^OAUTH_([A-Z0-9]+(?:_[A-Z0-9]+)*)_(?:ISSUER|CLIENT_ID|CLIENT_SECRET)$/;
const FLAG = /^--(oauth-[a-z0-9-]+-(?:issuer|client-id|client-secret))(?:=|$)/;

export function isOAuthVariable(name: string): name is OAuthVariable {
  return VARIABLE.test(name);
}

/** The name of the provider, in capitals. */
export function providerIn(variable: OAuthVariable): string {
  return VARIABLE.exec(variable)?.[1] ?? '';
}

/** The variables whose flags stand on a command line. Their names are the providers', which nobody knows before. */
export function oauthVariablesIn(args: readonly string[]): OAuthVariable[] {
  const names = args.flatMap((arg) => FLAG.exec(arg)?.[1]?.toUpperCase().replaceAll('-', '_') ?? []);
  return [...new Set(names)].filter(isOAuthVariable);
}
