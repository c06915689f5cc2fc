import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerEarly, readBody } from '../http/body.ts';
import { PAGE_HEADERS } from './html.ts';
import { messagePage } from './views.ts';

const MAX_FORM = 10 * 1024;

const REFUSED_FORM = messagePage('This form was not accepted', 'Open the link in your mail again.');

/**
 * Reads the form of the page itself. Null where it has been answered already: one of another site is refused, since
 * browsers tell where a form was sent from.
 */
export async function readForm(
  req: IncomingMessage,
  res: ServerResponse,
  refused: string = REFUSED_FORM,
): Promise<URLSearchParams | null> {
  const refuse = (status: number): null => {
    answerEarly(req, res, status, PAGE_HEADERS, refused);
    return null;
  };
  const { 'sec-fetch-site': site = 'same-origin', 'content-type': type = '' } = req.headers;
  if (site !== 'same-origin' || !/^application\/x-www-form-urlencoded(;|$)/i.test(type)) return refuse(400);
  const body = await readBody(req, res, MAX_FORM);
  if (typeof body !== 'string') return new URLSearchParams(body.toString());
  return body === 'gone' ? null : refuse(413);
}
