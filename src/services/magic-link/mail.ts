import { linkMail } from '../../core/mail-templates.ts';
import type { EmailTemplate } from '../../core/mailer.ts';

/** The path below `siteUrl` at which a link leads somewhere; the token is the segment that follows. */
export const LINK_PATH = 'magic-link';

/** The mails of the service; `magicLink` has its name from accounts-js, the other is ours. */
export const magicLinkMails = {
  magicLink: linkMail(
    'Your link to log in',
    'Somebody asked to log in to your account. If that was you, log in here:',
    'The link works once, and not for long. If it was not you, ignore this message: nobody gets in without the link.',
  ),
  magicLinkSignUp: linkMail(
    'Your link to sign up',
    'Somebody asked to log in with this e-mail address, which has no account yet. If that was you, this link makes ' +
      'an account for you and logs you in:',
    'The link works once, and not for long. If it was not you, ignore this message: no account is made.',
  ),
} satisfies { [name: string]: EmailTemplate };
