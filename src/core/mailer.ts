import type { UserRecord } from '../database/ports.ts';
import { mainEmail } from './addresses.ts';
import type { Background } from './background.ts';
import { within } from './deadline.ts';
import { SECOND } from './time.ts';
import type { User } from './user.ts';

/** A message, ready to be sent. */
export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
  html?: string | undefined;
}

/** Sends one message; rejects when it could not. Called after the answer to the request that caused it. */
export type SendMail = (mail: Mail) => unknown;

/** The words of one kind of mail. `url` is empty where the mail has no link, and so is `code` where it has no code. */
export interface EmailTemplate<U extends User = User> {
  from?: string | undefined;
  subject(user: U): string;
  text(user: U, url: string, code: string): string;
  html?: ((user: U, url: string, code: string) => string) | undefined;
}

/** `from` for all, and for each kind of mail what differs from the default. */
export type EmailTemplates<U extends User = User> = { from?: string | undefined } & {
  [name: string]: Partial<EmailTemplate<U>> | string | undefined;
};

/**
 * Makes the message itself, in place of the templates. The arguments are those of accounts-js; `token` is the code of a
 * mail that has one.
 */
export type PrepareMail<U extends User = User> = (
  to: string,
  token: string,
  user: U,
  pathFragment: string,
  emailTemplate: EmailTemplate<U>,
  from: string,
) => Mail | Promise<Mail>;

interface MailRequest {
  template: string;
  to: string;
  user: UserRecord;
  /** Which page the link leads to, and the token in it. */
  link?: { path: string; token: string };
  /** What is typed in, where the mail has no link. */
  code?: string;
}

interface MailerOptions {
  siteUrl: string;
  sendMail: SendMail;
  overrides: EmailTemplates;
  prepareMail: PrepareMail | undefined;
  toUser(record: UserRecord): User;
  background: Background;
}

const SEND_TIMEOUT = 30 * SECOND;

export class Mailer {
  readonly #options: MailerOptions;
  readonly #templates = new Map<string, EmailTemplate>();

  constructor(options: MailerOptions) {
    this.#options = options;
  }

  /** Services name their mails once, with the words used where the application gives none. */
  define(templates: { [name: string]: EmailTemplate }): void {
    for (const [name, template] of Object.entries(templates)) {
      const override = Object.entries(this.#options.overrides[name] ?? {});
      const given = Object.fromEntries(override.filter(([, words]) => words !== undefined));
      // Whoever writes the text and no HTML wants a mail of text: most programs would show our HTML instead.
      const html = 'text' in given ? undefined : template.html;
      this.#templates.set(name, { ...template, html, ...given });
    }
  }

  /** Throws a TypeError for what would change nothing, such as a misspelt name, or break a mail when it is due. */
  checkOverrides(): void {
    for (const [name, override] of Object.entries(this.#options.overrides)) {
      if (override === undefined) continue;
      if (name === 'from') requireType(override, 'string', 'emailTemplates.from');
      else if (this.#templates.has(name)) checkTemplate(override, `emailTemplates.${name}`);
      else {
        throw new TypeError(
          `emailTemplates.${name} is no mail of ours; there are: ${[...this.#templates.keys()].join(', ')}`,
        );
      }
    }
  }

  /** Sends it after the answer: a mailer that hangs or throws changes neither the answer nor its time (S58). */
  send(request: MailRequest): void {
    this.#options.background.run(`mail ${request.to}`, () =>
      within(SEND_TIMEOUT, this.#deliver(request), sendingTooLong, { keepsAlive: false }),
    );
  }

  /** Sends a notice about the account to its owner, who may have no address. */
  notify(template: string, user: UserRecord): void {
    const email = mainEmail(user);
    if (email) this.send({ template, to: email.address, user });
  }

  async #deliver({ template, to, user, link, code = '' }: MailRequest): Promise<void> {
    const { prepareMail, sendMail, toUser, overrides, siteUrl } = this.#options;
    const words = this.#templates.get(template);
    if (!words) throw new TypeError(`there is no mail template ${template}`);
    const owner = toUser(user);
    const from = overrides.from ?? `no-reply@${new URL(siteUrl).hostname}`;
    const mail = prepareMail
      ? await prepareMail(to, link?.token ?? code, owner, link?.path ?? '', words, from)
      : this.#write(words, owner, from, { to, link, code });
    await sendMail(mail);
  }

  #write(
    words: EmailTemplate,
    user: User,
    from: string,
    { to, link, code }: { to: string; link: MailRequest['link']; code: string },
  ): Mail {
    const url = link ? `${this.#options.siteUrl}/${link.path}/${link.token}` : '';
    const html = words.html?.(user, url, code);
    return {
      from: words.from ?? from,
      to,
      subject: words.subject(user),
      text: words.text(user, url, code),
      ...(html !== undefined && { html }),
    };
  }
}

const TEMPLATE: ReadonlyMap<string, 'string' | 'function'> = new Map([
  ['from', 'string'],
  ['subject', 'function'],
  ['text', 'function'],
  ['html', 'function'],
]);

function checkTemplate(override: unknown, option: string): void {
  requireType(override, 'object', option);
  for (const [part, value] of Object.entries(override as object)) {
    const type = TEMPLATE.get(part);
    if (!type) throw new TypeError(`${option}: there is no ${part} in a mail template`);
    if (value !== undefined) requireType(value, type, `${option}.${part}`);
  }
}

function requireType(value: unknown, type: string, option: string): void {
  if (value === null || typeof value !== type) throw new TypeError(`${option} must be of type ${type}`);
}

function sendingTooLong(): never {
  throw new Error('sendMail did not finish');
}

/** What sends where the application gives no `sendMail`: one warning, and no mail, address or link in a log. */
export function missingSendMail(): SendMail {
  let warned = false;
  return () => {
    if (!warned) console.warn('graphql-accounts: no sendMail option is given, so mails are not sent');
    warned = true;
  };
}
