import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';
import { AccountsError } from '../../errors.ts';
import { toGraphQLError } from '../graphql-error.ts';
import { NO_ACCOUNTS, onMissingAccounts } from '../missing-context.ts';

type Resolve = GraphQLFieldResolver<unknown, unknown>;

/** The two functions of a field (or of its configuration) that a guard wraps. */
export interface GuardedField {
  resolve?: Resolve | undefined;
  subscribe?: Resolve | undefined;
}

// No server is at hand here whose report could be used.
const checkContext = onMissingAccounts(() => console.warn(`graphql-accounts: ${NO_ACCOUNTS}`));

const guards = new WeakSet<Resolve>();

/** Wraps a resolver so that it runs for users only. A guarded resolver comes back as it is. */
function guard(resolve: Resolve = defaultFieldResolver): Resolve {
  if (guards.has(resolve)) return resolve;
  const guarded: Resolve = (parent, args, context, info) => {
    refuseStrangers(context);
    return resolve(parent, args, context, info);
  };
  guards.add(guarded);
  return guarded;
}

/** Guards a field in place. A subscription is refused before its source starts, and again at each event. */
export function guardField(field: GuardedField, isSubscription: boolean): void {
  field.resolve = guard(field.resolve);
  if (isSubscription) field.subscribe = guard(field.subscribe);
}

export function isGuarded({ resolve, subscribe }: GuardedField, isSubscription: boolean): boolean {
  const stands = (resolver: Resolve | undefined) => resolver !== undefined && guards.has(resolver);
  return stands(resolve) && (!isSubscription || stands(subscribe));
}

/** Throws without `context.user`: also where the plugin is missing, and while the store fails. */
function refuseStrangers(context: unknown): void {
  const { user, authError } = (context ?? {}) as { user?: unknown; authError?: AccountsError | null };
  if (user) return;
  checkContext(context);
  throw toGraphQLError(refusalFor(authError));
}

function refusalFor(authError: AccountsError | null | undefined): AccountsError {
  if (authError?.retryable || authError?.code === 'INTERNAL_SERVER_ERROR') return authError;
  return new AccountsError('UNAUTHENTICATED', authError?.message);
}
