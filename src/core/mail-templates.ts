import type { EmailTemplate } from './mailer.ts';
import { escapeHtml } from './text.ts';

/** A mail that tells something, and leads nowhere. */
export function noticeMail(subject: string, words: string): EmailTemplate {
  return { subject: () => subject, text: () => `${words}\n`, html: () => `<p>${escapeHtml(words)}</p>\n` };
}

/** A mail around a link. */
export function linkMail(subject: string, before: string, after: string): EmailTemplate {
  return {
    subject: () => subject,
    // The link stands on a line of its own: mail programs and people find it there.
    text: (_user, url) => `${before}\n\n${url}\n\n${after}\n`,
    html: (_user, url) => {
      const href = escapeHtml(url);
      return `<p>${escapeHtml(before)}</p>\n<p><a href="${href}">${href}</a></p>\n<p>${escapeHtml(after)}</p>\n`;
    },
  };
}
