import type { AccountsServer } from '../../core/accounts-server.ts';
import { refuseUnknown } from '../../core/known-options.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { type AccountsContext, contextReader } from '../context.ts';
import {
  CONTEXT_OPTIONS,
  type ContextOptions,
  parseHeaderName,
  REFUSED_CONTEXT_OPTIONS,
} from '../context-options.ts';
import { COOKIE_NAME } from '../cookie/options.ts';
import { cookieOf, isHttpToken } from '../request/request.ts';
import { tokenOf } from '../request/token.ts';

/** What `headers()` of `next/headers` resolves to. */
export interface NextHeaders {
  get(name: string): string | null;
}

export interface NextContextOptions extends Omit<ContextOptions, 'cookie'> {
  /** The cookie that holds the access token: as `useAccounts` was told. `__Host-accounts` by default. */
  cookieName?: string | undefined;
}

const { cookie: _, ...KNOWN } = CONTEXT_OPTIONS;

/**
 * Who asks for a page, for server components and server actions of Next.js: the `AccountsContext` that resolvers find,
 * from the headers of the request. The token is that of the header, else that of the cookie.
 *
 * ```ts
 * const accountsContext = nextContext(accountsServer);
 * export const getUser = cache(async () => (await accountsContext(await headers())).user);
 * ```
 *
 * Here the cookie counts also where another site has caused the request: such a site can open a page of yours, and not
 * read it. So let a page change nothing while it is rendered. Actions that come from another origin are refused by
 * Next.js itself.
 */
export function nextContext<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  { cookieName = COOKIE_NAME, ...options }: NextContextOptions = {},
): (headers: NextHeaders) => Promise<AccountsContext<U, F>> {
  refuseUnknown(options, KNOWN, 'nextContext', REFUSED_CONTEXT_OPTIONS);
  if (!isHttpToken(cookieName)) throw new TypeError('cookieName must be the name of a cookie');
  const read = contextReader('nextContext', server, options);
  const headerName = parseHeaderName(options.headerName);
  return async (headers) => {
    const request = { headers } as Pick<Request, 'headers'>;
    if (tokenOf({}, request, headerName) !== null) return read({ request });
    const token = cookieOf(request, cookieName);
    const get = (name: string) => (token && name === headerName ? `Bearer ${token}` : headers.get(name));
    return read({ request: { headers: { get } } });
  };
}
