import type { SendMail } from '../core/mailer.ts';
import { consoleMail } from '../mail/console.ts';
import { fileMail } from '../mail/file.ts';
import { smtpMail } from '../mail/smtp.ts';
import { BadConfiguration, reasonOf } from './bad-configuration.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';

/** Makes the mailer, and says where it puts mails, for people. Throws BadConfiguration. */
export function chooseMail(mail: Config['mail'], log: Log): { sendMail: SendMail; place: string } {
  try {
    switch (mail.to) {
      case 'console':
        return { sendMail: consoleMail(), place: 'printed here' };
      case 'files':
        return { sendMail: fileMail(mail.dir), place: `files in ${mail.dir}` };
      case 'smtp':
        return { sendMail: smtpMail(mail.url), place: 'sent by SMTP' };
      case 'nowhere':
        log.warn('MAIL_URL is not set: mails are not sent');
        return { sendMail: () => log.warn('a mail was not sent: MAIL_URL is not set'), place: 'not sent' };
    }
  } catch (error) {
    throw new BadConfiguration(`MAIL_URL: ${reasonOf(error)}`);
  }
}
