import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions } from 'graphql';
import type { Report } from '../../core/report.ts';
import { type AccountsErrorCode, ERROR_MESSAGES } from '../../errors.ts';

const LONG_NAME = /(\w{100})\w+/g;

/**
 * The last look at what was executed: no error leaves without one of our codes, and none repeats a value of the
 * request. What nobody foresaw is reported and says nothing (S45).
 */
export function publicResult(result: ExecutionResult, report: Report): ExecutionResult {
  if (!result.errors?.length) return result;
  return { ...result, errors: result.errors.map((error) => publicError(error, report)) };
}

function publicError(error: GraphQLError, report: Report): GraphQLError {
  const { code } = error.extensions ?? {};
  if (isOurs(code)) return error;
  // An argument was wrong only once its variables were filled in.
  if (
    code === undefined &&
    error.originalError instanceof GraphQLError &&
    /^Argument "/.test(error.message)
  ) {
    return coded('BAD_USER_INPUT', 'An argument does not fit its type.', error);
  }
  report(error.originalError ?? error, 'a GraphQL operation');
  return coded('INTERNAL_SERVER_ERROR', ERROR_MESSAGES.INTERNAL_SERVER_ERROR, error);
}

/** Makes a fresh error, in the place of another: that one may carry the error that it was made from. */
export function coded(
  code: AccountsErrorCode,
  message: string,
  { nodes, source, positions, path }: GraphQLErrorOptions = {},
): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { code } });
}

/** Shortens the names in a message: who makes one up can make it as long as the whole request. */
export function cutNames(message: string): string {
  return message.replace(LONG_NAME, '$1…');
}

function isOurs(code: unknown): boolean {
  return typeof code === 'string' && Object.hasOwn(ERROR_MESSAGES, code);
}
