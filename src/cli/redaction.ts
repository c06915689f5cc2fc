import { LINK_PATH } from '../services/magic-link/index.ts';
import { LINK_PATHS } from '../services/password/links.ts';
import { pathOf } from './http/url.ts';
import { WORDS } from './pages/views.ts';

/** What a log may tell of an error. */
interface ErrorDescription {
  error: string;
  code?: string;
  reason?: string;
  stack?: string[];
}

const MAX_REASON = 500;
const MAX_FRAMES = 12;
const MAX_PATH = 200;

/** What stands before a token in a path: the links that are mailed, and the pages of ours. */
const BEFORE_TOKENS = new Set([...LINK_PATHS, LINK_PATH, ...Object.keys(WORDS)]);
const LINK = new RegExp(`(/(?:${[...BEFORE_TOKENS].join('|')}))/.*`);

/**
 * Describes an error for the log. Its message was written by drivers and libraries, which like to quote what they were
 * given: whatever looks like a credential, a token or an address is taken out (S46).
 */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { error: 'not an Error' };
  const code = 'code' in error ? error.code : undefined;
  // These messages quote what could not be read: JSON.parse its input, GraphQL the document.
  const quotes = error instanceof SyntaxError || error.name === 'GraphQLError';
  const reason = quotes ? '' : redact(error.message);
  const frames = (error.stack ?? '').replace(error.message, '').split('\n');
  const stack = frames.filter((line) => /^\s+at /.test(line));
  return {
    error: redact(error.name),
    ...((typeof code === 'string' || typeof code === 'number') && { code: redact(String(code)) }),
    ...(reason !== '' && { reason }),
    ...(stack.length > 0 && { stack: stack.slice(0, MAX_FRAMES).map((frame) => onOneLine(frame.trim())) }),
  };
}

/** Takes out of a text what may be a secret, and puts it on one line. */
export function redact(text: string): string {
  return onOneLine(text.slice(0, MAX_REASON))
    .replace(/:\/\/[^/\s]*@/g, '://…@')
    .replace(/[^\s<>"'@/:…]+@[^\s<>"'@]+/g, '…@…')
    .replace(/[\w-]{24,}(?:\.[\w-]+)*/g, '…');
}

/** Replaces control characters: they would forge lines of a log, or move the cursor of whoever reads it. */
function onOneLine(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

/**
 * The path of a request for the log: without the query, without the token in a mailed link (whatever a proxy puts in
 * front of it), and without any other segment that is long enough to be a secret.
 */
export function loggedPath(url: string): string {
  return pathOf(url)
    .slice(0, MAX_PATH)
    .replace(LINK, '$1')
    .replace(/[^/]{24,}/g, '…')
    .replace(/[^!-~…]/g, '?');
}
