import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';
import { AccountsError } from '../errors.ts';
import { toGraphQLError } from './graphql-error.ts';

export type Resolve = GraphQLFieldResolver<unknown, unknown>;

/** What of a field, or of its configuration, a guard stands before. */
export interface GuardedField {
  resolve?: Resolve | undefined;
  subscribe?: Resolve | undefined;
}

const guards = new WeakSet<Resolve>();

/** A resolver that runs for users only. Guarding it again changes nothing. */
export function guard(resolve: Resolve = defaultFieldResolver): Resolve {
  if (guards.has(resolve)) return resolve;
  const guarded: Resolve = (parent, args, context, info) => {
    refuseStrangers(context);
    return resolve(parent, args, context, info);
  };
  guards.add(guarded);
  return guarded;
}

/** A subscription is refused before its source starts, and again at each event. */
export function guardField(field: GuardedField, isSubscription: boolean): void {
  field.resolve = guard(field.resolve);
  if (isSubscription) field.subscribe = guard(field.subscribe);
}

export function isGuarded({ resolve, subscribe }: GuardedField, isSubscription: boolean): boolean {
  const stands = (resolver: Resolve | undefined) => resolver !== undefined && guards.has(resolver);
  return stands(resolve) && (!isSubscription || stands(subscribe));
}

/** Nobody comes in without `user`: not without the plugin, and not while the store fails. */
function refuseStrangers(context: unknown): void {
  const { user, authError } = (context ?? {}) as { user?: unknown; authError?: AccountsError | null };
  if (!user) throw toGraphQLError(refusalFor(authError));
}

function refusalFor(authError: AccountsError | null | undefined): AccountsError {
  if (authError?.retryable || authError?.code === 'INTERNAL_SERVER_ERROR') return authError;
  return new AccountsError('UNAUTHENTICATED', authError?.message);
}
