import type { ServiceFactory } from '../../core/service.ts';
import { type MagicLinkOptions, resolveMagicLinkOptions } from './options.ts';
import { MagicLinkService } from './service.ts';

export { LINK_PATH } from './mail.ts';
export type { MagicLinkOptions } from './options.ts';
export type { MagicLinkService } from './service.ts';

/**
 * Login by a link that is mailed: `authenticate(serviceName: "magicLink", params: { token })`.
 *
 * ```ts
 * new AccountsServer(
 *   { db, tokenSecret: process.env.TOKEN_SECRET },
 *   { password: password(), magicLink: magicLink({ signUp: true }) },
 * );
 * ```
 *
 * Throws a TypeError for an unknown or unsafe option.
 */
export function magicLink(options: MagicLinkOptions = {}): ServiceFactory<MagicLinkService> {
  const resolved = resolveMagicLinkOptions(options);
  return { create: (context) => new MagicLinkService(context, resolved) };
}
