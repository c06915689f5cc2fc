import { noticeMail } from '../../core/mail-templates.ts';
import type { EmailTemplate } from '../../core/mailer.ts';

/** The mails of the service, none of which has a link. */
export const twoFactorMails = {
  twoFactorEnabled: noticeMail(
    'Your second factor has been turned on',
    'From now on, a login to your account asks for a code of your authenticator. If it was not you who turned this ' +
      'on, somebody else was logged in to your account: ask for help at once.',
  ),
  twoFactorDisabled: noticeMail(
    'Your second factor has been turned off',
    'A login to your account no longer asks for a code of your authenticator. If it was not you who turned this ' +
      'off, change your password at once, and turn it on again.',
  ),
  recoveryCodesChanged: noticeMail(
    'You have new recovery codes',
    'New recovery codes were made for your account, and those that you had before are void. If it was not you who ' +
      'made them, change your password at once, and make new codes.',
  ),
  recoveryCodesLow: noticeMail(
    'You have two recovery codes left',
    'One of your recovery codes has just been used, and two are left. Log in and make new ones, before you lose the ' +
      'way into your account. If it was not you who used it, change your password at once.',
  ),
} satisfies { [name: string]: EmailTemplate };

export type TwoFactorMail = keyof typeof twoFactorMails;
