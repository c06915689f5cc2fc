import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallerProof } from '../../core/attempts.ts';
import type { Connection } from '../../core/connection.ts';
import type { LoginResult } from '../../core/login.ts';
import type { Report } from '../../core/report.ts';
import { MINUTE, SECOND } from '../../core/time.ts';
import { AccountsError, type AccountsErrorCode } from '../../errors.ts';
import { cookieOf } from '../../graphql/request/request.ts';
import type { OAuthFlow, OAuthService } from '../../services/oauth/index.ts';
import { readBody } from '../http/body.ts';
import { respond } from '../http/respond.ts';
import { queryOf } from '../http/url.ts';
import { type Answer, pathBelow, retryHeaders } from './answer.ts';
import { isOwnForm, MAX_FORM, readForm } from './form.ts';
import { PAGE_HEADERS } from './html.ts';
import { logInStep } from './login-step.ts';
import { confirmPage, continuePage, notLoggedInPage, startPage } from './oauth-views.ts';
import { returnToOf } from './return-to.ts';
import { messagePage } from './views.ts';

interface OAuthPagesOptions {
  oauth: Pick<OAuthService, 'describe' | 'listProviders' | 'start'>;
  logIn(service: string, params: object, connection: Connection, proof: CallerProof): Promise<LoginResult>;
  connectionOf(req: IncomingMessage): Connection;
  siteUrl: string;
  returnToOrigins: readonly string[];
  report: Report;
}

const CALLBACK = 'callback';
/** What a provider sends back. */
const ANSWERS = ['code', 'state', 'iss', 'error'];
/** Where to go on to, once the second factor is given; the flow is used up then. */
const RETURN_COOKIE = 'oauth-return';
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const NOT_FOUND: Answer = {
  status: 404,
  headers: PAGE_HEADERS,
  text: messagePage('There is no such page', 'Its address may be mistyped.'),
};
const REFUSED_FORM = messagePage(
  'This form was not accepted',
  'Begin again from where you wanted to log in.',
);

/** What is told of a refusal, and with which status. */
const REFUSALS: ReadonlyMap<AccountsErrorCode, readonly [number, string]> = new Map([
  ['INVALID_TOKEN', [404, 'This login was not begun here, was already finished, or has expired.']],
  ['PROVIDER_NOT_FOUND', [404, 'One cannot log in by this provider.']],
  ['PROVIDER_UNAVAILABLE', [503, 'The provider cannot be used for the moment. Try it again in a minute.']],
  ['PROVIDER_REFUSED', [403, 'The provider did not confirm who you are.']],
  [
    'ACCOUNT_EXISTS',
    [409, 'There is an account with your e-mail address already. Log in to it in another way first.'],
  ],
  ['INVALID_CREDENTIALS', [403, 'This login was refused.']],
  ['LOGIN_REFUSED', [403, 'This login was refused.']],
  ['RATE_LIMITED', [429, 'There were too many attempts. Try it again later.']],
  ['BUSY', [503, 'The server could not do it for the moment. Try it again in a minute.']],
  ['SERVICE_UNAVAILABLE', [503, 'The server could not do it for the moment. Try it again in a minute.']],
] as const);

/**
 * The pages for logins by other providers, for hosts without a front end: `/oauth/<provider>` begins one, and
 * `/oauth/callback` finishes it. Returns false for every other path. To look at either uses nothing up (S30).
 */
export function oauthPages(
  options: OAuthPagesOptions,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> | false {
  const ownPath = pathBelow(options.siteUrl);
  return (req, res) => {
    const [, section, name = '', ...rest] = ownPath(req.url).split('/');
    if (section !== 'oauth') return false;
    return answer(options, req, res, rest.length === 0 ? name : '');
  };
}

async function answer(
  options: OAuthPagesOptions,
  req: IncomingMessage,
  res: ServerResponse,
  name: string,
): Promise<void> {
  if (!['GET', 'HEAD', 'POST'].includes(req.method ?? '')) {
    return respond(req, res, 405, { ...PAGE_HEADERS, allow: 'GET, HEAD, POST' });
  }
  try {
    const page = name === CALLBACK ? await callback(options, req, res) : await start(options, req, res, name);
    if (page) respond(req, res, page.status, page.headers, page.text);
  } catch (error) {
    const { status, headers, text } = refusal(options, error);
    respond(req, res, status, headers, text);
  }
}

/** Null where it has been answered already. */
async function start(
  { oauth, connectionOf, siteUrl, returnToOrigins: origins }: OAuthPagesOptions,
  req: IncomingMessage,
  res: ServerResponse,
  name: string,
): Promise<Answer | null> {
  const provider = oauth.listProviders().find((candidate) => candidate.name === name);
  if (!provider) return NOT_FOUND;
  const home = homeOf(req, siteUrl);
  if (req.method !== 'POST') return home ? redirect(home) : { status: 200, ...startPage(provider.label) };
  if (!(await readForm(req, res, siteUrl, REFUSED_FORM))) return null;
  const returnTo = returnToOf(queryOf(req.url), { siteUrl, origins });
  const { url, cookie } = await oauth.start(name, {
    browser: true,
    returnTo,
    connection: connectionOf(req),
  });
  return redirect(url, cookie);
}

/**
 * On one's own machine the site has several names, and a cookie belongs to one: that to which the provider sends people
 * back. Null where we are at that name.
 */
function homeOf({ headers: { host = '' }, url = '' }: IncomingMessage, siteUrl: string): string | null {
  const home = new URL(siteUrl);
  const isOtherName = host !== home.host && LOOPBACK.test(host) && LOOPBACK.test(home.host);
  if (!isOtherName || portOf(host) !== home.port) return null;
  return `${home.origin}${url.startsWith('/') ? url : '/'}`;
}

function portOf(host: string): string {
  return /:(\d+)$/.exec(host)?.[1] ?? '';
}

async function callback(
  options: OAuthPagesOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Answer | null> {
  const query = new URLSearchParams(queryOf(req.url));
  // By a form of the provider's (`response_mode=form_post`), with which a browser sends no cookies.
  if (req.method === 'POST' && !isOwnForm(req, options.siteUrl)) return asAddress(req, res);
  const form = req.method === 'POST' ? await readForm(req, res, options.siteUrl, REFUSED_FORM) : null;
  if (req.method === 'POST' && !form) return null;
  if (form?.has('challenge')) return finish(options, req, form, { returnTo: rememberedReturn(options, req) });
  const state = query.get('state') ?? '';
  const flow = await options.oauth.describe(state);
  if (query.has('error') || !query.get('code')) {
    return { status: 403, ...notLoggedInPage(`${flow.label} did not log you in.`, flow.provider) };
  }
  if (!form) return look(req, flow);
  const params = { provider: flow.provider, code: query.get('code'), state, iss: query.get('iss') };
  return finish(options, req, form, { params, returnTo: flow.returnTo });
}

/** What came by a form comes again by an address, and with cookies. */
async function asAddress(req: IncomingMessage, res: ServerResponse): Promise<Answer | null> {
  const body = await readBody(req, res, MAX_FORM);
  if (body === 'gone') return null;
  const form = new URLSearchParams(typeof body === 'string' ? '' : body.toString());
  if (!form.has('state')) return { status: 400, headers: PAGE_HEADERS, text: REFUSED_FORM };
  const kept = ANSWERS.flatMap((name) => form.getAll(name).map((value) => [name, value]));
  return redirect(`?${new URLSearchParams(kept)}`);
}

function look(req: IncomingMessage, { label, provider, cookieName }: OAuthFlow): Answer {
  if (cookieName === null) return { status: 200, ...confirmPage(label) };
  if (cookieOf(req, cookieName) !== null) return { status: 200, ...continuePage(label) };
  return { status: 403, ...notLoggedInPage('This login was begun in another browser.', provider) };
}

async function finish(
  { logIn, connectionOf, siteUrl }: OAuthPagesOptions,
  req: IncomingMessage,
  form: URLSearchParams,
  { params = {}, returnTo }: { params?: object; returnTo: string | null },
): Promise<Answer> {
  const proof: CallerProof = { remote: true, cookie: (name) => cookieOf(req, name) };
  const step = await logInStep(form, {
    logIn: (service, given, connection) => logIn(service, given, connection, proof),
    first: { service: 'oauth', params },
    connection: connectionOf(req),
    returnTo,
  });
  if (returnTo === null) return step;
  return { ...step, headers: { ...step.headers, 'set-cookie': returnCookie(returnTo, siteUrl) } };
}

function returnCookie(returnTo: string, siteUrl: string): string {
  const secure = siteUrl.startsWith('https:') ? '; Secure' : '';
  const life = (5 * MINUTE) / SECOND;
  return `${RETURN_COOKIE}=${encodeURIComponent(returnTo)}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Lax${secure}`;
}

/** Checked once more: whoever can plant a cookie must not lead people on to anywhere. */
function rememberedReturn(
  { siteUrl, returnToOrigins: origins }: OAuthPagesOptions,
  req: IncomingMessage,
): string | null {
  const value = cookieOf(req, RETURN_COOKIE);
  return value === null ? null : returnToOf(`returnTo=${value}`, { siteUrl, origins });
}

function redirect(location: string, cookie: string | null = null): Answer {
  const headers = { ...PAGE_HEADERS, location, ...(cookie !== null && { 'set-cookie': cookie }) };
  return { status: 303, headers, text: '' };
}

function refusal({ report }: OAuthPagesOptions, error: unknown): Answer {
  if (!(error instanceof AccountsError)) report(error, 'the pages of OAuth');
  const code = error instanceof AccountsError ? error.code : 'INTERNAL_SERVER_ERROR';
  const [status, text] = REFUSALS.get(code) ?? [500, 'The server could not do it.'];
  const { headers, ...page } = notLoggedInPage(text, null);
  return { status, ...page, headers: { ...headers, ...retryHeaders(error) } };
}
