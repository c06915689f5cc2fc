import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mail, SendMail } from '../core/mailer.ts';

/**
 * Writes every mail as a JSON file (`to, from, subject, text, html`) into a folder, which is made when it is missing.
 * The names sort in the order in which the mails were sent. Files appear whole, and only their owner may read them.
 * Throws when the folder cannot be made.
 *
 * ```ts
 * new AccountsServer({ db, tokenSecret, sendMail: fileMail('./mails') }, { password: password() });
 * ```
 */
export function fileMail(dir: string): SendMail {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const nextName = createNames();
  return async ({ to, from, subject, text, html }: Mail) => {
    const name = nextName();
    const temporary = join(dir, `.${name}.tmp`);
    const content = JSON.stringify({ to, from, subject, text, html: html ?? null }, null, 2);
    try {
      await writeFile(temporary, `${content}\n`, { mode: 0o600, flag: 'wx' });
      await rename(temporary, join(dir, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  };
}

/**
 * Makes a function that returns the next file name. Time and a number give the order, also within a millisecond; the
 * random part keeps processes apart.
 */
function createNames(): () => string {
  let last = 0;
  let number = 0;
  return () => {
    // A clock that is set back must not put a new mail before an old one.
    last = Math.max(last, Date.now());
    const time = new Date(last).toISOString().replace(/[-:.]/g, '');
    return `${time}-${String(++number).padStart(6, '0')}-${randomBytes(4).toString('hex')}.json`;
  };
}
