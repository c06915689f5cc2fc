import type { Mail, SendMail } from '../core/mailer.ts';

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
    void write(`${RULE}\nTo: ${line(to)}\nSubject: ${line(subject)}\n\n${body(text)}\n${RULE}\n`);
}

/** Replaces control characters: an address could bring escape sequences, which a terminal obeys. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD');
}

function body(text: string): string {
  return text.trimEnd().split(/\r?\n/).map(line).join('\n');
}
