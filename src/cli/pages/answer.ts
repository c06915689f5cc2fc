import { AccountsError } from '../../errors.ts';
import { pathOf } from '../http/url.ts';

/** A page with the headers that it needs. */
export interface Page {
  headers: Record<string, string>;
  text: string;
}

/** What is answered at the address of a page. */
export interface Answer extends Page {
  status: number;
}

/** The path of a request below the site. If the site has a path, the proxy in front may pass that on or take it off. */
export function pathBelow(siteUrl: string): (url: string | undefined) => string {
  const prefix = new URL(siteUrl).pathname.replace(/\/+$/, '');
  return (url) => {
    const path = pathOf(url);
    return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  };
}

/** Says when to come again, where a refusal does (RFC 9110, 10.2.3). */
export function retryHeaders(refusal: unknown): Record<string, string> {
  const retryAfter = refusal instanceof AccountsError ? refusal.extensions.retryAfter : undefined;
  return typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : {};
}
