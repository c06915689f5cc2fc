import { GraphQLError } from 'graphql';
import type { Report } from '../core/events.ts';
import { AccountsError, ERROR_MESSAGES } from '../errors.ts';

/**
 * An `AccountsError` as GraphQL tells it. A new error without the old one inside: Yoga masks a GraphQLError that
 * hides another kind of error, and hosts that print causes would print ours.
 */
export function toGraphQLError(error: AccountsError): GraphQLError {
  const { code, retryable } = error;
  const message = code === 'INTERNAL_SERVER_ERROR' ? ERROR_MESSAGES[code] : error.message;
  return new GraphQLError(message, {
    extensions: { ...error.extensions, ...(retryable && { retryable }), code },
  });
}

/** What was not foreseen says nothing to the client, also where the host masks nothing (S45). */
export function maskError(error: unknown, report: Report): GraphQLError {
  if (error instanceof AccountsError) return toGraphQLError(error);
  report(error, 'a resolver');
  return toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
}
