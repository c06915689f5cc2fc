import { noticeMail } from '../../core/mail-templates.ts';
import type { EmailTemplate } from '../../core/mailer.ts';

export const passkeyMails = {
  passkeyAdded: noticeMail(
    'A passkey was added to your account',
    'A passkey was just added to your account: whoever has it can log in. If that was not you, remove it at once and ' +
      'change your password.',
  ),
  passkeyRemoved: noticeMail(
    'A passkey was removed from your account',
    'A passkey was just removed from your account: it logs nobody in any more. If that was not you, change your ' +
      'password at once.',
  ),
} satisfies { [name: string]: EmailTemplate };
