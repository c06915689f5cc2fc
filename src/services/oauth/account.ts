import type { Json } from '../../database/ports.ts';

/** An account at a provider, once the provider has proved it. */
export interface ProvedAccount {
  subject: string;
  /** As the provider writes it; null where it has not proved it. */
  verifiedEmail: unknown;
  data: { profile: { [field: string]: Json }; label?: string };
  tokens: ProviderTokens;
}

/** What a provider lets the application do in the user's name. */
export interface ProviderTokens {
  accessToken: string;
  refreshToken: string | null;
  /** Milliseconds since 1970-01-01 UTC. */
  expiresAt: number | null;
  scope: string | null;
}
