import type { EmailTemplate } from '../../core/mailer.ts';
import { escapeHtml } from '../../core/text.ts';

export const passkeyMails = {
  passkeyAdded: notice(
    'A passkey was added to your account',
    'A passkey was just added to your account: whoever has it can log in. If that was not you, remove it at once and ' +
      'change your password.',
  ),
  passkeyRemoved: notice(
    'A passkey was removed from your account',
    'A passkey was just removed from your account: it logs nobody in any more. If that was not you, change your ' +
      'password at once.',
  ),
} satisfies { [name: string]: EmailTemplate };

function notice(subject: string, words: string): EmailTemplate {
  return { subject: () => subject, text: () => `${words}\n`, html: () => `<p>${escapeHtml(words)}</p>\n` };
}
