import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions } from 'graphql';
import type { Report } from '../core/report.ts';
import { AccountsError, ERROR_MESSAGES } from '../errors.ts';

/**
 * An `AccountsError` as GraphQL tells it. A new error without the old one inside: Yoga masks a GraphQLError that
 * hides another kind of error, and hosts that print causes would print ours.
 */
export function toGraphQLError(
  error: AccountsError,
  place: Pick<GraphQLErrorOptions, 'nodes' | 'source' | 'positions' | 'path'> = {},
): GraphQLError {
  const { code, extensions } = error;
  const message = code === 'INTERNAL_SERVER_ERROR' ? ERROR_MESSAGES[code] : error.message;
  return new GraphQLError(message, { ...place, extensions: { ...extensions } });
}

/**
 * The same result, in which an `AccountsError` that a resolver of the host threw is told as ours are. Null when there
 * is none.
 */
export function withCodes(result: ExecutionResult): ExecutionResult | null {
  if (!result.errors?.some((error) => refusalIn(error))) return null;
  const errors = result.errors.map((error) => {
    const refusal = refusalIn(error);
    return refusal ? toGraphQLError(refusal, error) : error;
  });
  return { ...result, errors };
}

/** The `AccountsError` that an error of GraphQL was made from, also by way of another schema. */
function refusalIn(error: GraphQLError): AccountsError | null {
  let cause: unknown = error;
  while (cause instanceof GraphQLError) cause = cause.originalError;
  return cause instanceof AccountsError ? cause : null;
}

/** Makes a GraphQL error of what a resolver threw. What nobody foresaw is reported, and tells no client why (S45). */
export function maskError(error: unknown, report: Report): GraphQLError {
  if (error instanceof AccountsError) return toGraphQLError(error);
  report(error, 'a resolver');
  return toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
}
