import type { Connection } from '../../core/connection.ts';
import type { LiveSession } from '../../core/sessions.ts';

/** A login that was begun. */
export interface OAuthStarted {
  /** Where the browser goes. */
  url: string;
  state: string;
  /** The value of a `Set-Cookie` header, which must reach the browser; null where the flow belongs to none. */
  cookie: string | null;
}

export interface OAuthStartOptions {
  /** By default `/oauth/callback` of `siteUrl`. */
  redirectUri?: string | null | undefined;
  /** Whether a browser asks: then the login can be finished in that browser only. */
  browser?: boolean | undefined;
  /** The session that asks, for a link or a fresh proof: no other can finish it as one. */
  session?: LiveSession | null | undefined;
  /** Of the client that asks: what one address begins is bounded then. */
  connection?: Connection | undefined;
  /** Kept for who finishes it. */
  returnTo?: string | null | undefined;
}

/** What a state stands for, for who finishes it. */
export interface OAuthFlow {
  provider: string;
  label: string;
  returnTo: string | null;
  /** The cookie that it is bound to, if it is. */
  cookieName: string | null;
}
