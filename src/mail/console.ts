import type { Mail, SendMail } from '../core/mailer.ts';
import { printable } from '../core/text.ts';

interface ConsoleMailOptions {
  /** Where the text goes. Standard output by default. */
  write?: ((text: string) => unknown) | undefined;
}

const RULE = '-'.repeat(72);

/**
 * Prints every mail, for development. A link stands on a line of its own, as in the text of the mail.
 *
 * ```ts
 * new AccountsServer({ db, tokenSecret, sendMail: consoleMail() }, { password: password() });
 * ```
 */
export function consoleMail({
  write = (text) => process.stdout.write(text),
}: ConsoleMailOptions = {}): SendMail {
  return ({ to, subject, text }: Mail) =>
    void write(`${RULE}\nTo: ${printable(to)}\nSubject: ${printable(subject)}\n\n${body(text)}\n${RULE}\n`);
}

function body(text: string): string {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => printable(line))
    .join('\n');
}
