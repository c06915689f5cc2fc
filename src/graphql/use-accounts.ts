import type { ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import type { AccountsServer } from '../core/accounts-server.ts';
import { refuseUnknown } from '../core/option-checks.ts';
import type { Services } from '../core/service.ts';
import type { User } from '../core/user.ts';
import { AccountsError } from '../errors.ts';
import { fulfil, markAnswered } from './answer.ts';
import { ensureGuards } from './auth-directive/index.ts';
import { CONTEXT_OPTIONS, type ContextOptions, contextReader, REFUSED_CONTEXT_OPTIONS } from './context.ts';
import { toGraphQLError, withCode, withCodes } from './graphql-error.ts';
import type { RequestHolder } from './request.ts';
import { checkServer } from './server-argument.ts';
import { parseGraphQLName } from './type-defs.ts';

export interface UseAccountsOptions extends ContextOptions {
  /** The directive whose application is checked. `auth` by default. */
  directiveName?: string | undefined;
}

const KNOWN: { readonly [option in keyof Required<UseAccountsOptions>]: true } = {
  ...CONTEXT_OPTIONS,
  directiveName: true,
};

/** The hooks of an Envelop or Yoga plugin that we use, written out so that neither package is needed for its types. */
export interface AccountsPlugin {
  onPluginInit(): void;
  onSchemaChange(payload: { schema: unknown }): void;
  onContextBuilding(payload: {
    context: RequestHolder;
    extendContext(extension: object): void;
  }): void | Promise<void>;
  onExecute(payload: OperationPayload): { onExecuteDone(payload: ResultPayload): EachResult | undefined };
  onSubscribe(payload: OperationPayload): {
    onSubscribeResult(payload: ResultPayload): EachResult | undefined;
    onSubscribeError(payload: { error: unknown; setError(error: unknown): void }): void;
  };
  onRequest(payload: { request: Request }): void;
  onResponse(payload: ResponsePayload): void;
}

interface OperationPayload {
  args: { schema: unknown };
  setResultAndStopExecution(result: { errors: GraphQLError[] }): void;
}

interface ResultPayload {
  result: unknown;
  setResult(result: ExecutionResult): void;
}

/** What Envelop calls for each result of a stream. */
interface EachResult {
  onNext(payload: ResultPayload): void;
}

interface ResponsePayload {
  request: Request;
  serverContext: unknown;
  response: Response;
  setResponse(response: Response): void;
  fetchAPI: { Response: typeof Response };
}

/**
 * Puts `user`, `session` and the rest of `AccountsContext` into the context of every operation, for Yoga and Envelop.
 * One look-up per HTTP request that carries a token, none for one without. It promises four things more:
 *
 * - Nobody is logged in by mistake: a token that is not good, or a store that fails, leaves `user` null and says why
 *   in `authError`.
 * - `@auth` is no decoration: with a schema in which the directive stands and was not applied, `createYoga` throws;
 *   with one that is given later, every operation fails. Otherwise a forgotten transformer would publish the field.
 * - A code gets through: an `AccountsError` that a resolver of yours throws is told with it, and not masked.
 * - Tokens stay out of caches: an answer to one of our operations has `Cache-Control: no-store`, where the server
 *   gives its response to plugins, as Yoga does.
 *
 * ```ts
 * createYoga({ schema, plugins: [useAccounts(accountsServer, { trustedProxies: ['10.0.0.0/8'] })] });
 * ```
 *
 * Place it after plugins that change the schema, and before those that read `context.user`.
 */
export function useAccounts<U extends User, F extends Services>(
  server: AccountsServer<U, F>,
  options: UseAccountsOptions = {},
): AccountsPlugin {
  checkServer(server, 'useAccounts');
  refuseUnknown(options, KNOWN, 'useAccounts', REFUSED_CONTEXT_OPTIONS);
  const { directiveName = 'auth', ...contextOptions } = options;
  const read = contextReader(server, contextOptions);
  const { check, isRefused } = schemaJudge(parseGraphQLName(directiveName, 'directiveName'), (error) =>
    server.report(error, 'every operation on this schema is refused'),
  );
  const refuseOperation = ({ args, setResultAndStopExecution }: OperationPayload): void => {
    if (!isRefused(args.schema)) return;
    setResultAndStopExecution({ errors: [toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'))] });
  };
  let starting = false;
  return {
    onPluginInit() {
      starting = true;
      queueMicrotask(() => {
        starting = false;
      });
    },
    onSchemaChange({ schema }) {
      // Thrown later, it would reach one request only: Envelop keeps the schema, and the next one would run.
      if (starting) check(schema);
    },
    onContextBuilding({ context, extendContext }) {
      const extension = read(context);
      if (extension instanceof Promise) return extension.then(extendContext);
      extendContext(extension);
    },
    onExecute(payload) {
      refuseOperation(payload);
      return AFTER_EXECUTION;
    },
    onSubscribe(payload) {
      refuseOperation(payload);
      return AFTER_SUBSCRIPTION;
    },
    onRequest({ request }) {
      markAnswered({ request });
    },
    onResponse({ request, response, setResponse, fetchAPI }) {
      fulfil(request, response, setResponse, fetchAPI.Response);
    },
  };
}

const EACH_RESULT: EachResult = { onNext: (payload) => void tellCodes(payload) };

/** Runs before Yoga masks what it does not know, as every plugin of the host does. */
function tellCodes({ result, setResult }: ResultPayload): EachResult | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  if (Symbol.asyncIterator in result) return EACH_RESULT;
  const told = withCodes(result as ExecutionResult);
  if (told) setResult(told);
  return undefined;
}

const AFTER_EXECUTION = { onExecuteDone: tellCodes };

const AFTER_SUBSCRIPTION = {
  onSubscribeResult: tellCodes,
  onSubscribeError({ error, setError }: { error: unknown; setError(error: unknown): void }) {
    const told = withCode(error);
    if (told) setError(told);
  },
};

/** Judges each schema once. Every operation asks for the verdict, so the last schema that passed is kept at hand. */
function schemaJudge(directiveName: string, report: (error: unknown) => void) {
  const verdicts = new WeakMap<object, boolean>();
  let accepted: unknown;
  const check = (schema: unknown): void => ensureGuards(schema as GraphQLSchema, directiveName);
  const judge = (schema: object): boolean => {
    try {
      check(schema);
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  };
  const isRefused = (schema: unknown): boolean => {
    if (schema === accepted) return false;
    if (typeof schema !== 'object' || schema === null) return true;
    const isGood = verdicts.get(schema) ?? judge(schema);
    verdicts.set(schema, isGood);
    if (isGood) accepted = schema;
    return !isGood;
  };
  return { check, isRefused };
}
