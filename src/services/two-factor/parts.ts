import type { SecretBox } from '../../core/secret-box.ts';
import type { ServiceContext } from '../../core/service.ts';
import type { UserRecord } from '../../database/ports.ts';
import type { TwoFactorMail } from './mail.ts';
import type { ResolvedTwoFactorOptions } from './options.ts';

/** What the operations of the service share. */
export interface TwoFactorParts extends ServiceContext {
  appName: string;
  box: SecretBox;
  /** For the HMACs of recovery codes. */
  codeKeys: readonly Buffer[];
}

/** Throws a TypeError where there is no key to encrypt with. */
export function createParts(context: ServiceContext, { appName }: ResolvedTwoFactorOptions): TwoFactorParts {
  return {
    ...context,
    // The address of a host may be one of IPv6.
    appName: appName ?? new URL(context.siteUrl).hostname.replaceAll(':', '.'),
    box: context.secretBox(),
    codeKeys: context.secretKeys('recovery code'),
  };
}

/** Tells the owner what has become of the second factor: it may have been somebody else. */
export function notifyOwner({ mailer }: TwoFactorParts, user: UserRecord, template: TwoFactorMail): void {
  mailer.notify(template, user);
}
