import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../../core/connection.ts';
import type { Report } from '../../core/report.ts';
import { AccountsError, type AccountsErrorCode } from '../../errors.ts';
import { respond } from '../http/respond.ts';
import { queryOf } from '../http/url.ts';
import { type Answer, pathBelow, retryHeaders } from './answer.ts';
import { readForm } from './form.ts';
import { PAGE_HEADERS } from './html.ts';
import { type LogIn, logInStep } from './login-step.ts';
import { returnToOf } from './return-to.ts';
import { donePage, formPage, messagePage, NOT_ME, type PageName, REJECTED, WORDS } from './views.ts';

/** What the pages do. */
export interface LinkActions {
  verifyEmail(token: string): Promise<unknown>;
  rejectEmail(token: string): Promise<unknown>;
  resetPassword(token: string, newPassword: string, connection: Connection): Promise<unknown>;
  logIn: LogIn;
}

interface LinkPagesOptions {
  actions: LinkActions;
  connectionOf(req: IncomingMessage): Connection;
  /** What links begin with. If it has a path, the proxy in front may pass that on or take it off. */
  siteUrl: string;
  /** Where the page of a login may lead on to, beside the site itself. */
  returnToOrigins: readonly string[];
  report: Report;
}

/** What a page answers; its headers are those of a page that runs nothing where it has none of its own. */
type Shown = Omit<Answer, 'headers'> & Partial<Pick<Answer, 'headers'>>;

/** A form that was sent. */
interface Sent {
  token: string;
  form: URLSearchParams;
  req: IncomingMessage;
}

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

const INVALID_LINK = {
  status: 404,
  text: messagePage(
    'This link is not valid',
    'It was already used, has expired, or is not complete. Ask for a new one where you asked for this one.',
  ),
};
const REFUSED_LOGIN = { status: 403, text: messagePage('You cannot log in', 'This login was refused.') };
const FAILED = messagePage(
  'That did not work',
  'The server could not do it for the moment. Go back and try it again in a minute.',
);

/** What the person at the form can do nothing about. */
const REFUSALS: ReadonlyMap<AccountsErrorCode, Shown> = new Map([
  ['INVALID_TOKEN', INVALID_LINK],
  [
    'EMAIL_TAKEN',
    {
      status: 409,
      text: messagePage(
        'This e-mail address belongs to another account',
        'Somebody else has confirmed it in the meantime.',
      ),
    },
  ],
  ['INVALID_CREDENTIALS', REFUSED_LOGIN],
  ['LOGIN_REFUSED', REFUSED_LOGIN],
  ['RATE_LIMITED', { status: 429, text: messagePage('Too many attempts', 'Try again later.') }],
  ['BUSY', { status: 503, text: FAILED }],
  ['SERVICE_UNAVAILABLE', { status: 503, text: FAILED }],
]);

/**
 * Answers the links of mails, and returns false for every other path. Looking at a page uses nothing up, because mail
 * programs and scanners open links by themselves (S30): only its form acts.
 */
export function linkPages(
  options: LinkPagesOptions,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> | false {
  const ownPath = pathBelow(options.siteUrl);
  return (req, res) => {
    const [, name = '', token = '', ...rest] = ownPath(req.url).split('/');
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
  const show = ({ status, text, headers = PAGE_HEADERS }: Shown): void =>
    respond(req, res, status, headers, text);
  if (!['GET', 'HEAD', 'POST'].includes(req.method ?? '')) {
    return respond(req, res, 405, { ...PAGE_HEADERS, allow: 'GET, HEAD, POST' });
  }
  if (!TOKEN.test(token)) return show(INVALID_LINK);
  if (req.method !== 'POST') return show({ status: 200, text: formPage(name) });
  const form = await readForm(req, res, options.siteUrl);
  if (!form) return;
  try {
    show(await act(options, name, { token, form, req }));
  } catch (error) {
    show(refusal(options, name, error));
  }
}

function act(options: LinkPagesOptions, name: PageName, sent: Sent): Promise<Shown> {
  if (name === 'verify-email') return verify(options, sent);
  if (name === 'magic-link') return logIn(options, sent);
  return setPassword(options, name, sent);
}

async function verify({ actions }: LinkPagesOptions, { token, form }: Sent): Promise<Shown> {
  const isRejected = form.get(NOT_ME.name) === NOT_ME.value;
  await (isRejected ? actions.rejectEmail(token) : actions.verifyEmail(token));
  return { status: 200, text: donePage(isRejected ? REJECTED : WORDS['verify-email'].done) };
}

async function setPassword(
  { actions, connectionOf }: LinkPagesOptions,
  name: 'reset-password' | 'enroll-account',
  { token, form, req }: Sent,
): Promise<Shown> {
  const password = form.get('password') ?? '';
  if (password !== form.get('repetition')) {
    return { status: 422, text: formPage(name, 'The two passwords are not the same.') };
  }
  await actions.resetPassword(token, password, connectionOf(req));
  return { status: 200, text: donePage(WORDS[name].done) };
}

function logIn(options: LinkPagesOptions, { token, form, req }: Sent): Promise<Shown> {
  const { actions, connectionOf, siteUrl, returnToOrigins: origins } = options;
  return logInStep(form, {
    logIn: actions.logIn,
    first: { service: 'magicLink', params: { token } },
    connection: connectionOf(req),
    returnTo: returnToOf(queryOf(req.url), { siteUrl, origins }),
  });
}

function refusal({ report }: LinkPagesOptions, name: PageName, error: unknown): Shown {
  if (!(error instanceof AccountsError)) {
    report(error, `the page ${name}`);
    return { status: 500, text: FAILED };
  }
  const problem = REPEATABLE.get(error.code);
  if (problem !== undefined) return { status: 422, text: formPage(name, problem) };
  const answer = REFUSALS.get(error.code) ?? { status: 500, text: FAILED };
  return { ...answer, headers: { ...PAGE_HEADERS, ...retryHeaders(error) } };
}

function isPage(name: string): name is PageName {
  return Object.hasOwn(WORDS, name);
}
