import type { AccountsServer } from '../core/accounts-server.ts';
import type { CallerProof } from '../core/attempts.ts';
import type { Caller } from '../core/caller.ts';
import type { Impersonated } from '../core/impersonation.ts';
import type { Requester } from '../core/requester.ts';
import type { AccountsService, Operation, Services, UserField } from '../core/service.ts';
import type { User } from '../core/user.ts';
import { AccountsError } from '../errors.ts';
import type {
  MutationAuthenticateArgs,
  MutationImpersonateArgs,
  MutationRefreshTokensArgs,
  MutationVerifyAuthenticationArgs,
} from '../generated/types.ts';
import { hintNever } from './answer/cache-hint.ts';
import { wishNoStore, wishRetryAfter } from './answer/wishes.ts';
import type { AccountsContext } from './context.ts';
import { COOKIE_OF_REQUEST, dropCookie, keepInCookie, type WithCookie } from './cookie/session-cookie.ts';
import { maskError } from './graphql-error.ts';
import { callerOf } from './operation/caller.ts';
import { askedAtOf, type WithAskedAt, withinDeadline } from './operation/deadline.ts';
import { isOwnUser, withOwner } from './operation/logins.ts';
import { NO_ACCOUNTS, onMissingAccounts } from './operation/missing-context.ts';
import type { RequestHolder } from './request/request.ts';
import { isLoaded } from './request/requester.ts';
import { noteOwnResolver, OTHER_SERVER } from './schema/own-resolvers.ts';

export type AccountsResolver = (
  parent: unknown,
  args: unknown,
  context: unknown,
  info?: unknown,
) => Promise<unknown>;

type Operations = { readonly [field: string]: Operation };
type Resolvers = { [field: string]: AccountsResolver };

/** The context of the host. Without the plugin and `createContext` nothing of ours is in it: nobody is logged in. */
type GivenContext = Partial<AccountsContext> & RequestHolder & WithCookie & WithAskedAt;

/** The resolvers of `Query` and `Mutation`: the server's own operations and those of its services. */
export function createResolvers<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
): { Query: Resolvers; Mutation: Resolvers; User: Resolvers } {
  const services = Object.values<AccountsService>(server.services);
  const checkContext = onMissingAccounts(() => server.report(new Error(NO_ACCOUNTS), 'a resolver'));
  const resolver = (run: (context: GivenContext, args: unknown) => unknown): AccountsResolver =>
    noteOwnResolver(async (_parent: unknown, args: unknown, context: unknown, info?: unknown) => {
      hintNever(info);
      checkContext(context);
      const given = (context ?? {}) as GivenContext;
      try {
        if (given.accounts && given.accounts !== server)
          throw new TypeError(`This operation ${OTHER_SERVER}.`);
        // The look-up of the session has waited for the store already: another wait would pass the deadline (S55).
        if (given.authError?.retryable) throw given.authError;
        const result = run(given, args);
        if (!(result instanceof Promise)) return result;
        return await withinDeadline(result, askedAtOf(given, info), server.operationTimeout);
      } catch (error) {
        const retryAfter = error instanceof AccountsError ? error.extensions.retryAfter : undefined;
        if (typeof retryAfter === 'number') wishRetryAfter(given, retryAfter);
        throw maskError(error, (cause, where) => server.report(cause, where));
      }
    }, server);
  const fields = (operations: Operations): [string, AccountsResolver][] =>
    Object.entries(operations).map(([field, operation]) => [
      field,
      resolver((context, args) => {
        wishNoStore(context);
        const result = withOwner(operation(args as never, callerOf(server, context)), context);
        return context[COOKIE_OF_REQUEST] ? withCookie(context, field, result) : result;
      }),
    ]);
  const ownFields = (given: { readonly [field: string]: UserField }): [string, AccountsResolver][] =>
    Object.entries(given).map(([field, resolve]) => [
      field,
      async (user, args, context, info) => {
        hintNever(info);
        const caller = callerOf(server, (context ?? {}) as GivenContext);
        const { id } = user as User;
        if (caller.userId !== id && !isOwnUser(user as User, context)) return null;
        return resolver(() => resolve(user as User, caller))(user, args, context, info);
      },
    ]);
  return {
    Query: merged([
      ['getUser', resolver((context) => getUser(server, context))],
      ...services.flatMap(({ operations }) => fields(operations?.Query ?? {})),
    ]),
    Mutation: merged([
      ...fields(coreMutations(server)),
      ...services.flatMap(({ operations }) => fields(operations?.Mutation ?? {})),
    ]),
    User: merged(services.flatMap(({ operations }) => ownFields(operations?.ownFields ?? {}))),
  };
}

async function withCookie(context: GivenContext, field: string, pending: unknown): Promise<unknown> {
  const result = await pending;
  if (field === 'logout') {
    // That of an impersonation was never in it.
    if ((context.session?.actorUserId ?? null) === null) dropCookie(context);
  } else keepInCookie(context, result);
  return result;
}

/** Returns null without a good token, whatever is wrong with it. Throws only when that could not be found out. */
function getUser<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  { user, session, authError }: GivenContext,
): User | null | Promise<User | null> {
  if (authError?.code === 'INTERNAL_SERVER_ERROR') throw authError;
  if (!user || !session || isLoaded(server, user)) return user ?? null;
  return loadUser(server, { user: user as U, session });
}

async function loadUser<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  identified: Requester<U>,
): Promise<User | null> {
  try {
    return await server.resumeUser(identified);
  } catch (error) {
    const endedSince = error instanceof AccountsError && !error.retryable;
    if (endedSince) return null;
    throw error;
  }
}

function coreMutations<U extends User, F extends Services>(server: AccountsServer<U, F>): Operations {
  return {
    authenticate: ({ serviceName, params }: MutationAuthenticateArgs, caller) =>
      server.loginWithService(serviceName, params, caller.connection, proofOf(caller)),
    verifyAuthentication: ({ serviceName, params }: MutationVerifyAuthenticationArgs, caller) =>
      server.authenticateWithService(serviceName, params, caller.connection, proofOf(caller)),
    refreshTokens: ({ accessToken, refreshToken }: MutationRefreshTokensArgs, { connection }) =>
      server.refreshTokens(accessToken, refreshToken, connection),
    logout: async (_args, { accessToken }) => {
      if (accessToken === null) throw new AccountsError('UNAUTHENTICATED');
      await server.logout(accessToken);
      return true;
    },
    impersonate: ({ accessToken, impersonated }: MutationImpersonateArgs, { connection }) =>
      server.impersonate(accessToken, impersonated as Impersonated, connection),
  };
}

function proofOf({ accessToken, cookie, origin }: Caller): CallerProof {
  return { accessToken, cookie, origin, remote: true };
}

/** Throws a TypeError when two services define one field: the one that came last would silently resolve both. */
function merged(fields: readonly [string, AccountsResolver][]): Resolvers {
  const resolvers = new Map(fields);
  if (resolvers.size === fields.length) return Object.fromEntries(resolvers);
  const twice = fields.find(([field], index) => fields.findIndex(([other]) => other === field) < index);
  throw new TypeError(`two services have an operation ${twice?.[0]}`);
}
