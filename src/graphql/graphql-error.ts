import { GraphQLError } from 'graphql';
import type { Report } from '../core/report.ts';
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

/** Makes a GraphQL error of what a resolver threw. What nobody foresaw is reported, and tells no client why (S45). */
export function maskError(error: unknown, report: Report): GraphQLError {
  if (error instanceof AccountsError) return toGraphQLError(error);
  report(error, 'a resolver');
  return toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
}
