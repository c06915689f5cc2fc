/** What a log may tell of an error. */
export interface ErrorDescription {
  error: string;
  code?: string;
  reason?: string;
  stack?: string[];
}

const MAX_REASON = 500;
const MAX_FRAMES = 12;

/**
 * An error for the log. Its text was written by drivers and libraries, which like to quote what they were given: what
 * looks like a credential, a token or an address is taken out (S46).
 */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { error: 'not an Error' };
  const code = 'code' in error ? error.code : undefined;
  // They quote what they could not read: JSON.parse its input, GraphQL the document.
  const quotes = error instanceof SyntaxError || error.name === 'GraphQLError';
  const reason = quotes ? '' : redact(error.message);
  const frames = (error.stack ?? '').replace(error.message, '').split('\n');
  const stack = frames.filter((line) => /^\s+at /.test(line));
  return {
    error: redact(error.name),
    ...((typeof code === 'string' || typeof code === 'number') && { code: redact(String(code)) }),
    ...(reason !== '' && { reason }),
    ...(stack.length > 0 && { stack: stack.slice(0, MAX_FRAMES).map((frame) => printable(frame.trim())) }),
  };
}

/** Text without what may be a secret, on one line. */
export function redact(text: string): string {
  return printable(text.slice(0, MAX_REASON))
    .replace(/:\/\/[^/\s]*@/g, '://…@')
    .replace(/[^\s<>"'@/:…]+@[^\s<>"'@]+/g, '…@…')
    .replace(/[\w-]{24,}(?:\.[\w-]+)*/g, '…');
}

/** Control characters would forge lines of a log, or move the cursor of whoever reads it. */
export function printable(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

const LINK_PAGES = /(\/(?:verify-email|reset-password|enroll-account|magic-link))\/.*/;
const MAX_PATH = 200;

/**
 * The path of a request for the log: without the query, without the token in the link of a mail, wherever the path
 * begins, and without any other segment that is long enough to be a secret.
 */
export function loggedPath(url: string): string {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  return path
    .slice(0, MAX_PATH)
    .replace(LINK_PAGES, '$1')
    .replace(/[^/]{24,}/g, '…')
    .replace(/[^!-~…]/g, '?');
}
