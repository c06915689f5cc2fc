import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Report } from '../core/report.ts';
import { AccountsError, ERROR_MESSAGES } from '../errors.ts';

/**
 * An `AccountsError` as GraphQL tells it. A new error without the old one inside: Yoga masks a GraphQLError that
 * hides another kind of error, and hosts that print causes would print ours.
 */
export function toGraphQLError(error: AccountsError, place?: GraphQLError): GraphQLError {
  const { code, extensions } = error;
  const message = code === 'INTERNAL_SERVER_ERROR' ? ERROR_MESSAGES[code] : error.message;
  const { nodes, source, positions, path } = place ?? {};
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { ...extensions } });
}

/**
 * The same result, in which an `AccountsError` that a resolver of the host threw is told as ours are. Null when there
 * is none.
 */
export function withCodes(result: ExecutionResult): ExecutionResult | null {
  if (!result.errors?.some(refusalIn)) return null;
  return { ...result, errors: result.errors.map((error) => withCode(error) ?? error) };
}

/** The same error, told as ours are. Null when it is none of ours. */
export function withCode(error: unknown): GraphQLError | null {
  const refusal = refusalIn(error);
  return refusal && toGraphQLError(refusal, error instanceof GraphQLError ? error : undefined);
}

/** The `AccountsError` that an error of GraphQL was made from, also by way of another schema. */
function refusalIn(error: unknown): AccountsError | null {
  let cause = error;
  while (cause instanceof GraphQLError) cause = cause.originalError;
  return cause instanceof AccountsError ? cause : null;
}

/** Makes a GraphQL error of what a resolver threw. What nobody foresaw is reported, and tells no client why (S45). */
export function maskError(error: unknown, report: Report): GraphQLError {
  if (error instanceof AccountsError) return toGraphQLError(error);
  report(error, 'a resolver');
  return toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'));
}
