import { noticeMail } from '../../core/mail-templates.ts';
import type { EmailTemplate } from '../../core/mailer.ts';

/** The mails of the service: notices to the owner of an account. */
export const oauthMails = {
  accountLinked: noticeMail(
    'A way to log in was added to your account',
    'From now on one can log in to your account by an account of another provider. If that was not you, remove it, ' +
      'and change your password at once.',
  ),
  accountUnlinked: noticeMail(
    'A way to log in was removed from your account',
    'An account of another provider was removed from yours: one cannot log in by it any more. If that was not you, ' +
      'change your password at once.',
  ),
} satisfies { [name: string]: EmailTemplate };
