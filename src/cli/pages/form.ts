import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerEarly, readBody } from '../http/body.ts';
import { PAGE_HEADERS } from './html.ts';
import { messagePage } from './views.ts';

export const MAX_FORM = 10 * 1024;
const FORM_TYPE = 'application/x-www-form-urlencoded';

const REFUSED_FORM = messagePage('This form was not accepted', 'Open the link in your mail again.');

/**
 * Reads the form of the page itself. Null where it has been answered already: one of another site is refused, since
 * browsers tell where a form was sent from: it would log people in to an account that is not theirs.
 */
export async function readForm(
  req: IncomingMessage,
  res: ServerResponse,
  siteUrl: string,
  refused: string = REFUSED_FORM,
): Promise<URLSearchParams | null> {
  const refuse = (status: number): null => {
    answerEarly(req, res, status, PAGE_HEADERS, refused);
    return null;
  };
  // A button alone may be pressed by what is no browser, with an empty body and without naming its type.
  const [type = ''] = (req.headers['content-type'] ?? FORM_TYPE).split(';');
  if (!isOwnForm(req, siteUrl) || type.trim().toLowerCase() !== FORM_TYPE) return refuse(400);
  const body = await readBody(req, res, MAX_FORM);
  if (typeof body !== 'string') return new URLSearchParams(body.toString());
  return body === 'gone' ? null : refuse(413);
}

/**
 * Whether a page of ours has sent a form. Old browsers do not tell the site, and none does where there is no TLS: there
 * the origin decides. Pages of ours hide it (`no-referrer`), so that a hidden one must pass; what is no browser has none.
 */
export function isOwnForm({ headers }: IncomingMessage, siteUrl: string): boolean {
  const { 'sec-fetch-site': site, origin = 'null', host } = headers;
  if (site !== undefined) return site === 'same-origin';
  return origin === 'null' || origin === new URL(siteUrl).origin || URL.parse(origin)?.host === host;
}
