import type { ExecutionResult } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Report } from '../../core/report.ts';
import { type AccountsErrorCode, ERROR_MESSAGES } from '../../errors.ts';

/**
 * What Yoga makes the status of, where an error in the document kept it from being executed: 400, or because of `spec`
 * 200 for clients that ask for `application/json`, as the specification of GraphQL over HTTP has it.
 */
export const REFUSED_DOCUMENT = { spec: true, status: 400 };

const LONG_NAME = /(\w{100})\w+/g;

/**
 * The last look at every answer: no error leaves without one of our codes, and none repeats a value of the request.
 * What nobody foresaw is reported and says nothing (S45).
 */
export function usePublicErrors(report: Report): Plugin {
  return {
    onResultProcess({ result, setResult }) {
      if (isResult(result) && result.errors?.length) setResult(publicResult(result, report));
    },
  };
}

function publicResult(result: ExecutionResult, report: Report): ExecutionResult {
  const executed = result.data !== undefined;
  return { ...result, errors: result.errors?.map((error) => publicError(error, executed, report)) ?? [] };
}

function publicError(error: GraphQLError, executed: boolean, report: Report): GraphQLError {
  const { code, http } = error.extensions ?? {};
  if (code === 'OPERATION_RESOLUTION_FAILURE') {
    return coded(
      error,
      'BAD_REQUEST',
      'The request does not say which operation of the document it asks for.',
    );
  }
  // Without a path nothing was executed: what is wrong then, beside the document, is the variables.
  if (error.path === undefined && !executed && (code === undefined || code === 'BAD_USER_INPUT')) {
    const variable = variableOf(error);
    if (variable !== null)
      return coded(error, 'BAD_USER_INPUT', `The variable ${variable} does not fit its type.`);
  }
  // An argument was wrong only once its variables were filled in.
  if (
    code === undefined &&
    error.originalError instanceof GraphQLError &&
    /^Argument "/.test(error.message)
  ) {
    return coded(error, 'BAD_USER_INPUT', 'An argument does not fit its type.');
  }
  if (isOurs(code)) return error;
  if (isClientError(http)) return coded(error, 'BAD_REQUEST', ERROR_MESSAGES.BAD_REQUEST);
  report(error.originalError ?? error, 'a GraphQL operation');
  return coded(error, 'INTERNAL_SERVER_ERROR', ERROR_MESSAGES.INTERNAL_SERVER_ERROR);
}

/** Makes a fresh error: the old one may carry the error that it was made from. */
function coded(error: GraphQLError, code: AccountsErrorCode, message: string): GraphQLError {
  const { nodes, source, positions, path, extensions } = error;
  const http = extensions?.http ?? (code === 'INTERNAL_SERVER_ERROR' || path ? undefined : REFUSED_DOCUMENT);
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    extensions: { code, ...(http !== undefined && { http }) },
  });
}

/** Shortens the names in a message: who makes one up can make it as long as the whole request. */
export function cutNames(message: string): string {
  return message.replace(LONG_NAME, '$1…');
}

/** The name of the variable that an error is about. It stands in the document, where its value does not. */
function variableOf(error: GraphQLError): string | null {
  for (const node of error.nodes ?? []) {
    if (node.kind === 'VariableDefinition') return cutNames(`"$${node.variable.name.value}"`);
  }
  return null;
}

function isOurs(code: unknown): boolean {
  return typeof code === 'string' && Object.hasOwn(ERROR_MESSAGES, code);
}

function isClientError(http: unknown): boolean {
  const status = typeof http === 'object' && http !== null && 'status' in http ? http.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500;
}

function isResult(result: unknown): result is ExecutionResult {
  return typeof result === 'object' && result !== null && !(Symbol.asyncIterator in result);
}
