import type { EmailTemplate } from '../../core/mailer.ts';
import { escapeHtml } from '../../core/text.ts';

const BEFORE = 'Somebody asked to log in to your account. If that was you, type this code:';
const AFTER =
  'It works once, and not for long. Type it only where you asked for it, and tell it to nobody. If it was not you, ' +
  'ignore this message.';

/** The mail of the service. */
export const codeMails = {
  loginCode: {
    // Not the code: subjects are shown on locked screens.
    subject: () => 'Your code to log in',
    text: (_user, _url, code) => `${BEFORE}\n\n${code}\n\n${AFTER}\n`,
    html: (_user, _url, code) =>
      `<p>${BEFORE}</p>\n<p><strong>${escapeHtml(code)}</strong></p>\n<p>${AFTER}</p>\n`,
  },
} satisfies { [name: string]: EmailTemplate };
