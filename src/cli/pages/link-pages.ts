import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../../core/connection.ts';
import type { Report } from '../../core/report.ts';
import { AccountsError, type AccountsErrorCode } from '../../errors.ts';
import { answerEarly, type BodyProblem, readBody } from '../http/body.ts';
import { respond } from '../http/respond.ts';
import { pathOf } from '../http/url.ts';
import { PAGE_HEADERS } from './html.ts';
import { donePage, formPage, messagePage, WORDS } from './views.ts';

/** The operations of the password service that the pages use. */
export interface LinkActions {
  verifyEmail(token: string): Promise<unknown>;
  resetPassword(token: string, newPassword: string, connection: Connection): Promise<unknown>;
}

interface LinkPagesOptions {
  actions: LinkActions;
  connectionOf(req: IncomingMessage): Connection;
  /** What links begin with. If it has a path, the proxy in front may pass that on or take it off. */
  siteUrl: string;
  report: Report;
}

type PageName = keyof typeof WORDS;

const MAX_FORM = 10 * 1024;
const TOKEN = /^[\w-]{43}$/;

/** What the person at the form can put right, in the same form. */
const REPEATABLE: ReadonlyMap<AccountsErrorCode, string> = new Map([
  ['INVALID_PASSWORD', 'The password must have between 8 and 128 characters.'],
  [
    'PASSWORD_TOO_COMMON',
    'This password is used so often that it would be guessed at once. Choose another one.',
  ],
  ['PASSWORD_BREACHED', 'This password is known from a data breach. Choose another one.'],
]);

const INVALID_LINK = messagePage(
  'This link is not valid',
  'It was already used, has expired, or is not complete. Ask for a new one where you asked for this one.',
);
const TAKEN = messagePage(
  'This e-mail address belongs to another account',
  'Somebody else has confirmed it in the meantime.',
);
const REFUSED_FORM = messagePage('This form was not accepted', 'Open the link in your mail again.');
const FAILED = messagePage(
  'That did not work',
  'The server could not do it for the moment. Go back and try it again in a minute.',
);

/**
 * Answers the links of mails, and returns false for every other path. Looking at a page uses nothing up, because mail
 * programs and scanners open links by themselves (S30): only its form acts.
 */
export function linkPages(
  options: LinkPagesOptions,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> | false {
  const prefix = new URL(options.siteUrl).pathname.replace(/\/+$/, '');
  return (req, res) => {
    const [, name = '', token = '', ...rest] = withoutPrefix(pathOf(req.url), prefix).split('/');
    if (!isPage(name)) return false;
    return answer(options, req, res, name, rest.length === 0 ? token : '');
  };
}

async function answer(
  options: LinkPagesOptions,
  req: IncomingMessage,
  res: ServerResponse,
  name: PageName,
  token: string,
): Promise<void> {
  const words = WORDS[name];
  const asksPassword = name !== 'verify-email';
  const show = (status: number, text: string): void => respond(req, res, status, PAGE_HEADERS, text);
  const showForm = (problem: string): void => show(422, formPage(words, asksPassword, problem));
  if (!['GET', 'HEAD', 'POST'].includes(req.method ?? '')) {
    return respond(req, res, 405, { ...PAGE_HEADERS, allow: 'GET, HEAD, POST' });
  }
  if (!TOKEN.test(token)) return show(404, INVALID_LINK);
  if (req.method !== 'POST') return show(200, formPage(words, asksPassword));
  const form = await readForm(req, res);
  if (form === 'gone') return;
  if (form === 'refused') return answerEarly(req, res, 400, PAGE_HEADERS, REFUSED_FORM);
  if (form === 'too large') return answerEarly(req, res, 413, PAGE_HEADERS, REFUSED_FORM);
  try {
    if (asksPassword) {
      const password = form.get('password') ?? '';
      if (password !== form.get('repetition')) return showForm('The two passwords are not the same.');
      await options.actions.resetPassword(token, password, options.connectionOf(req));
    } else {
      await options.actions.verifyEmail(token);
    }
    show(200, donePage(words));
  } catch (error) {
    if (!(error instanceof AccountsError)) options.report(error, `the page ${name}`);
    const code = error instanceof AccountsError ? error.code : 'INTERNAL_SERVER_ERROR';
    const problem = REPEATABLE.get(code);
    if (problem !== undefined) return showForm(problem);
    if (code === 'INVALID_TOKEN') return show(404, INVALID_LINK);
    if (code === 'EMAIL_TAKEN') return show(409, TAKEN);
    show(code === 'BUSY' || code === 'SERVICE_UNAVAILABLE' ? 503 : 500, FAILED);
  }
}

/** Reads the form of the page itself. One of another site is `refused`: browsers tell where a form was sent from. */
async function readForm(
  req: IncomingMessage,
  res: ServerResponse,
): Promise<URLSearchParams | 'refused' | BodyProblem> {
  const { 'sec-fetch-site': site = 'same-origin', 'content-type': type = '' } = req.headers;
  if (site !== 'same-origin' || !/^application\/x-www-form-urlencoded(;|$)/i.test(type)) return 'refused';
  const body = await readBody(req, res, MAX_FORM);
  return typeof body === 'string' ? body : new URLSearchParams(body.toString());
}

function isPage(name: string): name is PageName {
  return Object.hasOwn(WORDS, name);
}

function withoutPrefix(path: string, prefix: string): string {
  return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}
