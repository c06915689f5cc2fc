import { linkMail, noticeMail } from '../../core/mail-templates.ts';
import type { EmailTemplate } from '../../core/mailer.ts';

/** The mails of the password service, by the names that accounts-js gave them where it had one. */
export const passwordMails = {
  verifyEmail: linkMail(
    'Verify your e-mail address',
    'An account was made or changed with this e-mail address. If that was you, confirm the address here:',
    'If this was not you, open the same page and choose “This was not me”: the address is taken off that account.',
  ),
  resetPassword: linkMail(
    'Reset your password',
    'Somebody asked to reset the password of your account. If that was you, choose a new one here:',
    'If it was not you, ignore this message: your password stays as it is.',
  ),
  enrollAccount: linkMail(
    'Set your password',
    'An account was made for you. Choose its password here:',
    'If you do not know what this is about, ignore this message.',
  ),
  passwordChanged: noticeMail(
    'Your password has been changed',
    'The password of your account has just been changed. If that was not you, reset it at once.',
  ),
  emailAdded: noticeMail(
    'An e-mail address was added to your account',
    'Another e-mail address has just been added to your account, or confirmed. If that was not you, change your ' +
      'password at once and remove the address.',
  ),
  emailRemoved: noticeMail(
    'An e-mail address was removed from your account',
    'An e-mail address has just been removed from your account. If that was not you, change your password at once.',
  ),
  emailTaken: noticeMail(
    'Somebody used your e-mail address',
    'Somebody tried to sign up with your e-mail address, or to add it to another account. You have an account ' +
      'with it already, and nothing was changed. If it was you, log in, or reset your password if you forgot it.',
  ),
} satisfies { [name: string]: EmailTemplate };
