import type { AccountsServer } from '../../core/accounts-server.ts';
import type { Caller } from '../../core/caller.ts';
import { parseConnection } from '../../core/connection.ts';
import type { Services } from '../../core/service.ts';
import type { User } from '../../core/user.ts';
import { AccountsError } from '../../errors.ts';
import { wishCookie } from '../answer/wishes.ts';
import type { AccountsContext } from '../context.ts';
import { cookieOf, headerOf, type RequestHolder, requestOf } from '../request/request.ts';

/** Who asks, as the context of an operation tells it. */
export function callerOf<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  context: Partial<AccountsContext> & RequestHolder,
): Caller {
  const { connection, authToken = null, userId = null, session } = context;
  const request = requestOf(context);
  return {
    connection: parseConnection(connection),
    accessToken: authToken,
    // Somebody who impersonates a user is not that user.
    userId: session?.actorUserId === null ? userId : null,
    origin: request && headerOf(request, 'origin'),
    cookie: (name) => request && cookieOf(request, name),
    setCookie: (cookie) => {
      if (wishCookie(context, cookie)) return;
      throw new AccountsError(
        'FORBIDDEN',
        'This host gives its response to nobody, so that no cookie can be set.',
      );
    },
    session: () => server.resumeLiveSession(authToken),
    requireRecent: (live) => server.requireRecent(live),
  };
}
