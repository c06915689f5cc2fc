import { createRequire } from 'node:module';
import type { Mail, SendMail } from '../core/mailer.ts';

const SECOND = 1_000;

/**
 * Sends every mail by SMTP, through the package nodemailer. `smtps://user:password@host:465` speaks TLS from the
 * first byte; `smtp://host:587` goes over to TLS where the server offers it, and insists on it before it names a
 * password to a host that is not this machine. Certificates are verified. Throws a TypeError for any other URL, and
 * an Error that names the package when nodemailer is not installed.
 *
 * ```ts
 * const sendMail = smtpMail('smtps://mailer:secret@smtp.example.com');
 * ```
 */
export function smtpMail(url: string): SendMail {
  const transport = loadNodemailer().createTransport(parseServer(url));
  return async ({ to, from, subject, text, html }: Mail) => {
    // Nodemailer takes line breaks out of headers itself. This is the second lock against a header of a stranger's.
    if ([to, from, subject].some((header) => /[\r\n\0]/.test(header))) {
      throw new TypeError('a header of a mail holds a line break');
    }
    // An object is one address whatever is in it; in a string a comma would make it two.
    const recipient = { name: '', address: to };
    await transport.sendMail({ to: recipient, from, subject, text, ...(html !== undefined && { html }) });
  };
}

function parseServer(input: string) {
  const url = URL.parse(input);
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    throw new TypeError('the URL of a mail server is smtp://host:port or smtps://host:port');
  }
  if (url.search || url.hash || (url.pathname !== '' && url.pathname !== '/')) {
    throw new TypeError('the URL of a mail server has neither a path nor parameters');
  }
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const auth = url.username && { user: decode(url.username), pass: decode(url.password) };
  return {
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    ...(auth && { auth, requireTLS: !secure && !isThisMachine(host) }),
    // Shorter than the time that a mail is given in all, so that the error names the step that took too long.
    connectionTimeout: 10 * SECOND,
    greetingTimeout: 10 * SECOND,
    socketTimeout: 20 * SECOND,
    // Nothing in a mail may make nodemailer read a file or fetch a page in place of a text.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new TypeError('the user or the password in the URL of the mail server is not percent-encoded');
  }
}

/** Loads nodemailer, an optional peer: whoever sends no mail by SMTP need not install it. */
function loadNodemailer(): typeof import('nodemailer') {
  try {
    return createRequire(import.meta.url)('nodemailer');
  } catch (cause) {
    throw new Error('sending mail by SMTP needs the package nodemailer: npm install nodemailer', { cause });
  }
}
