import type { ExecutionResult } from 'graphql';
import type { AccountsServer } from '../core/accounts-server.ts';
import type { Services } from '../core/service.ts';
import type { User } from '../core/user.ts';
import { AccountsError } from '../errors.ts';
import { fulfil, markAnswered } from './answer/wishes.ts';
import { contextReader } from './context.ts';
import { type PluginOptions, parsePluginOptions } from './context-options.ts';
import { ensureOurs } from './ensure-ours.ts';
import type {
  AccountsPlugin,
  DonePayload,
  EachResult,
  OperationPayload,
  ResultPayload,
} from './envelop-hooks.ts';
import { ofEveryCopy } from './every-copy.ts';
import { toGraphQLError, withCode, withCodes } from './graphql-error.ts';
import { coverResults } from './live/ending.ts';
import { liveResults } from './live/live-results.ts';
import { createSchemaJudge } from './schema/judge.ts';

export type UseAccountsOptions = PluginOptions;

/**
 * Puts `user`, `session` and the rest of `AccountsContext` into the context of every operation, for Yoga and Envelop.
 * One look-up per HTTP request that carries a token, none for one without. It promises five things more:
 *
 * - Nobody is logged in by mistake: a token that is not good, or a store that fails, leaves `user` null and says why
 *   in `authError`.
 * - `@auth` is no decoration: with a schema in which the directive stands and was not applied, `createYoga` throws;
 *   with one that is given later, every operation fails. Otherwise a forgotten transformer would publish the field.
 * - A code gets through: an `AccountsError` that a resolver of yours throws is told with it, and not masked.
 * - Subscriptions end with the session, within 5 seconds: with a result that holds UNAUTHENTICATED, and over graphql-ws
 *   the socket is closed with 4403.
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
  const { contextOptions, directiveName } = parsePluginOptions(options, 'useAccounts');
  const read = contextReader('useAccounts', server, contextOptions);
  const { check, isRefused } = createSchemaJudge(
    (schema) => ensureOurs(server, schema, directiveName),
    (error) => server.report(error, 'every operation on this schema is refused'),
  );
  const refuseOperation = ({ args, setResultAndStopExecution }: OperationPayload): void => {
    if (!isRefused(args.schema)) return;
    setResultAndStopExecution({ errors: [toGraphQLError(new AccountsError('INTERNAL_SERVER_ERROR'))] });
  };
  let starting = false;
  const plugin: AccountsPlugin = {
    onPluginInit({ plugins = [] } = {}) {
      refuseSecond(plugins);
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
      coverResults(payload.args.contextValue);
      return AFTER_SUBSCRIPTION;
    },
    onRequest({ request }) {
      markAnswered({ request });
    },
    onRequestParse({ request }) {
      // A plugin behind this one may have put another in its place.
      markAnswered({ request });
    },
    onResponse({ request, response, setResponse, fetchAPI }) {
      fulfil(request, response, setResponse, fetchAPI.Response);
    },
    async sessionId(request, serverContext = {}) {
      // Of Node, where the host has it: the operations prefer that one, and both must hear the same.
      const { req, res } = serverContext as { req?: unknown; res?: unknown };
      const { session } = await read({ req, res, request });
      return session?.id ?? null;
    },
  };
  ours.add(plugin);
  return plugin;
}

const ours = ofEveryCopy('plugins', () => new WeakSet<object>());

/** Two would disagree about who asks, and the last would win. */
function refuseSecond(plugins: readonly unknown[]): void {
  const found = plugins.filter((plugin) => typeof plugin === 'object' && plugin !== null && ours.has(plugin));
  if (found.length > 1) throw new TypeError('useAccounts is among the plugins more than once');
}

const EACH_RESULT: EachResult = { onNext: (payload) => tellCodes(payload) };

/** Runs before Yoga masks what it does not know, as every plugin of the host does. */
function tellCodes({ result, setResult }: ResultPayload): void {
  if (typeof result !== 'object' || result === null) return;
  const told = withCodes(result as ExecutionResult);
  if (told) setResult(told);
}

function afterwards({ args, result, setResult }: DonePayload, incremental: boolean): EachResult | undefined {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) {
    tellCodes({ result, setResult });
    return undefined;
  }
  const live = liveResults(result, args?.contextValue, { incremental });
  // Declared for one result; a stream is taken as well.
  if (live) setResult(live as unknown as ExecutionResult);
  return EACH_RESULT;
}

const AFTER_EXECUTION = { onExecuteDone: (payload: DonePayload) => afterwards(payload, true) };

const AFTER_SUBSCRIPTION = {
  onSubscribeResult: (payload: DonePayload) => afterwards(payload, false),
  onSubscribeError({ error, setError }: { error: unknown; setError(error: unknown): void }) {
    const told = withCode(error);
    if (told) setError(told);
  },
};
