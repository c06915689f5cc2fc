import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';
import { SECOND } from '../../core/time.ts';
import { AccountsError } from '../../errors.ts';
import { hintPrivate } from '../answer/cache-hint.ts';
import type { AccountsContext } from '../context.ts';
import { toGraphQLError } from '../graphql-error.ts';
import { liveSource, SessionEnd } from '../live/live-results.ts';
import { NO_ACCOUNTS, onMissingAccounts } from '../operation/missing-context.ts';
import { covers, type Requirement, SESSION, strictest } from './requirement.ts';

type Resolve = GraphQLFieldResolver<unknown, unknown>;

/** The two functions of a field (or of its configuration) that a guard wraps. */
export interface GuardedField {
  resolve?: Resolve | undefined;
  subscribe?: Resolve | undefined;
}

// No server is at hand here whose report could be used.
const checkContext = onMissingAccounts(() => console.warn(`graphql-accounts: ${NO_ACCOUNTS}`));

/** What each guard asks for. */
const guards = new WeakMap<Resolve, Requirement>();
/** The functions of subscriptions that end with their session. */
const ending = new WeakSet<Resolve>();

/** Wraps a resolver so that it runs for those only who keep the requirement. One that is guarded so comes back as it is. */
function guard(requirement: Requirement, resolve: Resolve = defaultFieldResolver): Resolve {
  const known = guards.get(resolve);
  if (known && covers(known, requirement)) return resolve;
  const guarded: Resolve = (parent, args, context, info) => {
    if (parent instanceof SessionEnd) throw toGraphQLError(parent.error);
    hintPrivate(info);
    refuseStrangers(context);
    refuseUnproved(context, requirement);
    return resolve(parent, args, context, info);
  };
  guards.set(guarded, known ? strictest(known, requirement) : requirement);
  return guarded;
}

/**
 * Guards a field in place. A subscription is refused before its source starts, and again at each event, and its source
 * ends with the session.
 */
export function guardField(field: GuardedField, isSubscription: boolean, requirement: Requirement): void {
  field.resolve = guard(requirement, field.resolve);
  if (isSubscription) field.subscribe = guard(requirement, endingSource(field.subscribe));
}

/**
 * Lets a subscription that is open to everybody end with the session of whoever opened it: below it may be what is not,
 * and would be told for days to somebody who was thrown out.
 */
export function endField(field: GuardedField): void {
  if (!field.subscribe) return;
  field.resolve = endingResolver(field.resolve);
  field.subscribe = endingSource(field.subscribe);
}

/** A source that was guarded before ends by itself. */
function endingSource(subscribe: Resolve = defaultFieldResolver): Resolve {
  if (guards.has(subscribe) || ending.has(subscribe)) return subscribe;
  const ends: Resolve = (parent, args, context, info) =>
    liveSource(subscribe(parent, args, context, info), context);
  ending.add(ends);
  return ends;
}

function endingResolver(resolve: Resolve = defaultFieldResolver): Resolve {
  if (guards.has(resolve) || ending.has(resolve)) return resolve;
  const ends: Resolve = (parent, args, context, info) => {
    if (parent instanceof SessionEnd) throw toGraphQLError(parent.error);
    return resolve(parent, args, context, info);
  };
  ending.add(ends);
  return ends;
}

export function isGuarded(
  { resolve, subscribe }: GuardedField,
  isSubscription: boolean,
  requirement: Requirement,
): boolean {
  const stands = (resolver: Resolve | undefined): boolean => {
    const known = resolver && guards.get(resolver);
    return known !== undefined && covers(known, requirement);
  };
  return stands(resolve) && (!isSubscription || stands(subscribe));
}

/** Throws without `context.user`: also where the plugin is missing, and while the store fails. */
function refuseStrangers(context: unknown): void {
  const { user, authError } = (context ?? {}) as { user?: unknown; authError?: AccountsError | null };
  if (user) return;
  checkContext(context);
  throw toGraphQLError(refusalFor(authError));
}

/**
 * Throws RECENT_LOGIN_REQUIRED and TWO_FACTOR_REQUIRED for a session whose proof is older, or less, than is asked for.
 * Where a context has a user and no session of ours, nothing was proved.
 */
function refuseUnproved(context: unknown, { maxAge, secondFactor }: Requirement): void {
  if (maxAge === SESSION.maxAge && !secondFactor) return;
  const { session, accounts } = context as Partial<AccountsContext>;
  try {
    if (!accounts) throw new AccountsError('RECENT_LOGIN_REQUIRED');
    accounts.requireProof(session ?? null, { maxAge: maxAge * SECOND, secondFactor });
  } catch (error) {
    throw error instanceof AccountsError ? toGraphQLError(error) : error;
  }
}

function refusalFor(authError: AccountsError | null | undefined): AccountsError {
  if (authError?.retryable || authError?.code === 'INTERNAL_SERVER_ERROR') return authError;
  return new AccountsError('UNAUTHENTICATED', authError?.message);
}
